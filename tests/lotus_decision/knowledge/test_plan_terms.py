"""Terms of plans: what each would have gained, evidence by days that chose no level, and no look ahead."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.decision.knowledge.plan_terms import (
    LEAST_WEIGHT,
    LEVELS_BPS,
    SAVED_BPS,
    Term,
    TermAccount,
    TermSums,
    excursion_columns,
    in_force,
    settled,
    term_sums,
)
from lotus.timebase import day_start_ms

START = day_start_ms("2025-09-04")
HORIZONS = (30, 300)
SOURCE = "det:flow@1"
AT_16 = LEVELS_BPS.index(16.0)


def day_of_windows(
    move: np.ndarray, mfe: np.ndarray, mae: np.ndarray, early: np.ndarray, side: float = 1.0
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Windows of one detector, a horizon apart, with what became of them in the direction of their signal."""
    n = len(move)
    events = {
        "detector_id": np.array(["flow"] * n, dtype=object),
        "asset": np.array(["BTC"] * n, dtype=object),
        "spec_version": np.ones(n, dtype=np.int64),
        "horizon_s": np.full(n, 300),
        "window_end_ms": START + 300_000 * np.arange(n),
        "s": np.full(n, 0.5 * side),
        "eligible": np.ones(n, dtype=np.bool_),
    }
    evaluated = {
        **{name: events[name] for name in ("window_end_ms", "asset", "detector_id", "horizon_s")},
        "status": np.array(["ok"] * n, dtype=object),
        "fwd_ret_bps_30": side * early, "fwd_ret_bps_300": side * move,
        "mfe_30": mfe, "mfe_300": mfe, "mae_30": mae, "mae_300": mae,
    }  # fmt: skip
    return events, {name: evaluated[name] for name in excursion_columns(HORIZONS)}


def gains(term: Term, side: float = 1.0, **path: float) -> np.ndarray:
    """Return what a term gained in one window, by level."""
    columns = {name: np.array([value]) for name, value in path.items()}
    sums = term_sums(*day_of_windows(**columns, side=side), HORIZONS)[SOURCE, 300, term]
    return np.array(sums.gains) / np.array(sums.weights)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_what_each_term_would_have_changed(side: float) -> None:
    path = {"move": -10.0, "mfe": 20.0, "mae": -30.0, "early": 6.0}
    level = np.array(LEVELS_BPS)
    assert gains(Term.TAKE_PROFIT, side, **path) == pytest.approx(np.where(level <= 20, level + 10, 0.0))
    cut = np.maximum(-30.0, -1.4 * level) + 10
    assert gains(Term.CUT, side, **path) == pytest.approx(np.where(level <= 30, cut, 0.0))
    assert gains(Term.BETTER_ENTRY, side, **path) == pytest.approx(np.where(level <= 30, level - 10, 0.0))
    assert gains(Term.URGENCY, side, **path) == pytest.approx([6.0 * 20 / 30 - SAVED_BPS])


def test_a_better_entry_gains_nothing_by_what_it_leaves_alone() -> None:
    lost = gains(Term.BETTER_ENTRY, move=-10.0, mfe=0.0, mae=-3.0, early=0.0)
    missed = gains(Term.BETTER_ENTRY, move=10.0, mfe=12.0, mae=-3.0, early=0.0)
    assert (set(lost.tolist()), set(missed.tolist())) == ({0.0}, {-10.0})


def test_windows_without_a_direction_or_a_whole_outcome_do_not_count() -> None:
    one = np.ones(3)
    events, evaluated = day_of_windows(one, one, -one, one)
    events["s"][0], evaluated["status"][1] = 0.0, "gap"
    (sums,) = {s.weights for s in term_sums(events, evaluated, HORIZONS).values() if len(s.weights) > 1}
    assert sums[0] == 1.0
    assert term_sums({n: v[:0] for n, v in events.items()}, evaluated, HORIZONS) == {}


def walked(rng: np.random.Generator, n: int, reverts: float) -> tuple[np.ndarray, ...]:
    """Return move, MFE, MAE and early move of paths of 60 steps; `reverts` of what is above 16 bps is lost again."""
    steps = rng.normal(0.0, 2.5, (n, 60))
    path = steps.cumsum(axis=1)
    peak = np.maximum(path.max(axis=1), 0.0)
    move = np.where(peak > 16.0, (1.0 - reverts) * path[:, -1] + reverts * -4.0, path[:, -1])
    return move, peak, np.minimum(path.min(axis=1), 0.0), path[:, 5]


def lived(seed: int, days: int, reverts: float, dies_at: int = 10**6) -> list[tuple[TermAccount, ...]]:
    """Return the accounts after each of some days of 250 windows."""
    rng, accounts, told = np.random.default_rng(seed), (), []
    for day in range(days):
        windows = walked(rng, 250, reverts if day < dies_at else 0.0)
        accounts = settled(accounts, term_sums(*day_of_windows(*windows), HORIZONS))
        told.append(accounts)
    return told


def test_a_take_profit_that_pays_comes_into_force_with_its_evidence_and_goes_when_it_pays_no_more() -> None:
    told = lived(1, 160, 0.8, dies_at=40)
    held = [[t.term for t in in_force(accounts)] for accounts in told]
    first = next(k for k, terms in enumerate(held) if Term.TAKE_PROFIT in terms)
    assert first < 30
    (found,) = [t for t in in_force(told[39]) if t.term is Term.TAKE_PROFIT]
    assert (found.source, found.horizon_s) == (SOURCE, 300)
    assert (found.evidence >= 20.0, found.gain_bps > 0.5, 11.0 < found.level_bps < 23.0) == (True, True, True)


def test_a_path_without_drift_brings_no_term_into_force() -> None:
    ever = [any(in_force(accounts) for accounts in lived(seed, 60, 0.0)) for seed in range(12)]
    assert sum(ever) <= 1


def an_account(**changes: object) -> TermAccount:
    """An account that has chosen the level of 16 bps."""
    size = len(LEVELS_BPS)
    fitted = [0.0] * size
    fitted[AT_16] = 100.0
    account = TermAccount(SOURCE, 300, Term.TAKE_PROFIT, (2 * LEAST_WEIGHT,) * size, tuple(fitted))
    return replace(account, **changes)


def test_a_day_is_settled_at_the_level_that_was_best_before_it() -> None:
    size = len(LEVELS_BPS)
    day = TermSums((10.0,) * size, (*(1_000.0,) * AT_16, -20.0, *(1_000.0,) * (size - AT_16 - 1)))
    (after,) = settled([an_account()], {(SOURCE, 300, Term.TAKE_PROFIT): day})
    assert (after.days, after.total_bps, after.size_bps) == (1, -2.0, 2.0)
    assert after.level != AT_16


def test_losses_end_a_term_and_silence_changes_nothing() -> None:
    size = len(LEVELS_BPS)
    account = an_account(days=10, total_bps=10.0, size_bps=10.0, in_force=True, up=(5.0,) * 4)
    bad = TermSums((10.0,) * size, (-10.0,) * size)
    accounts: tuple[TermAccount, ...] = (account,)
    days = 0
    while accounts[0].in_force:
        (before,) = accounts
        accounts = settled(
            [replace(before, weights=account.weights, gains=account.gains)], {(SOURCE, 300, account.term): bad}
        )
        days += 1
    assert 3 <= days <= 30
    assert accounts[0].evidence == 1.0
    assert in_force(accounts) == ()
    assert settled(accounts, {}) == accounts
