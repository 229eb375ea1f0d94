"""What beliefs changed in money: both sides on the same draws, the difference is what was brought in and kept out."""

import numpy as np
import pytest

from lotus.detectors.entry_style import EntryStyle
from lotus.timebase import DAY_MS
from lotus.trading.accounts.belief_money import KnownTruth, belief_money, published_if_known, published_without


def events(
    draw: list[float], u0: list[float], pi: list[float], eligible: list[bool] | None = None
) -> dict[str, np.ndarray]:
    is_eligible = np.array(eligible or [True] * len(draw))
    u, p, at = np.array(u0), np.array(pi), np.array(draw)
    return {
        "draw": at, "u0": u, "pi": p, "eligible": is_eligible, "published": is_eligible & (at < p),
        "fired": (p != 1.0 / (1.0 + np.exp(-u))).astype(np.uint64),
        "window_end_ms": DAY_MS * np.arange(len(draw), dtype=np.int64),
    }  # fmt: skip


def payoffs(cross: list[float], join: list[float]) -> dict[EntryStyle, np.ndarray]:
    return {EntryStyle.CROSS: np.array(cross), EntryStyle.JOIN: np.array(join), EntryStyle.IMPROVE: np.array(join)}


def test_the_gain_is_what_was_brought_in_less_what_was_kept_out() -> None:
    rows = events([0.4, 0.4, 0.6, 0.9], [0.0, 0.0, 0.0, 0.0], [0.5, 0.3, 0.7, 0.5])
    assert published_without(rows).tolist() == [True, True, False, False]
    money = belief_money(rows, payoffs([10.0, -20.0, 30.0, 99.0], [1.0, -2.0, 3.0, 99.0]), 1_000.0)
    crossing, joining = money.styles[0], money.styles[1]
    assert (crossing.with_beliefs.windows, crossing.with_beliefs.usd) == (2, pytest.approx(4.0))
    assert (crossing.without.windows, crossing.without.usd) == (2, pytest.approx(-1.0))
    assert (crossing.added.windows, crossing.added.usd) == (1, pytest.approx(3.0))
    assert (crossing.dropped.windows, crossing.dropped.usd) == (1, pytest.approx(-2.0))
    assert crossing.gain_usd == pytest.approx(5.0)
    assert crossing.gain_interval is None
    assert joining.gain_usd == pytest.approx(0.5)
    assert money.moved == 2
    assert money.expected_usd == pytest.approx(-0.2 * -2.0 + 0.2 * 3.0)


def test_no_belief_changes_nothing_and_a_vetoed_window_is_on_neither_side() -> None:
    rows = events([0.1] * 12, [0.0] * 12, [0.5] * 12, [True] * 11 + [False])
    money = belief_money(rows, payoffs([5.0] * 12, [np.nan] * 12), 1_000.0)
    assert money.moved == 0
    assert money.expected_usd == 0.0
    assert money.expected_se_usd is None
    for style in money.styles:
        assert style.gain_usd == 0.0
        assert style.with_beliefs == style.without
    assert money.styles[0].with_beliefs.windows == 11
    assert [style.unpriced for style in money.styles] == [0, 11, 11]


def test_an_interval_over_days_holds_a_gain_that_every_day_has() -> None:
    random = np.random.default_rng(5)
    n = 40
    rows = events([0.6] * n, [0.0] * n, [0.7] * n)
    paid = (10.0 + random.normal(size=n)).tolist()
    found = belief_money(rows, payoffs(paid, paid), 1_000.0).styles[0].gain_interval
    assert found is not None
    assert found[0] < 0.1 * sum(paid) < found[1]
    assert found[0] > 0.0


def scored(draw: list[float], z: list[float], floored: bool = False) -> dict[str, np.ndarray]:
    """Return events whose logged score gives logits `z` without beliefs, which acted on none; or a floor of .02."""
    held = np.clip(1.0 / (1.0 + np.exp(-np.array(z))), 0.02, 0.98)
    pi0 = np.full(len(z), 0.02) if floored else held
    rows = events(draw, np.log(pi0 / (1.0 - pi0)).tolist(), pi0.tolist())
    ones = np.ones(len(z))
    return rows | {"ln_sigma_0": 0.25 * np.array(z), "tau_pub": ones, "temperature": 0.25 * ones}


def truth(inside: list[bool]) -> KnownTruth:
    return KnownTruth(np.array(inside), tilt=3.0, floor=0.05, epsilon=0.02)


def test_the_truth_acts_where_it_holds_and_nowhere_else() -> None:
    rows = scored([0.9, 0.9, 0.04, 0.99], [0.0, 0.0, -9.0, 9.0])
    assert published_without(rows).tolist() == [False, False, False, False]
    assert published_if_known(rows, truth([True, False, True, True])).tolist() == [True, False, True, False]
    money = belief_money(rows, payoffs([10.0, -20.0, 30.0, 99.0], [1.0, -2.0, 3.0, 99.0]), 1_000.0,
                         truth([True, False, True, True]))  # fmt: skip
    crossing = money.styles[0]
    assert crossing.if_known is not None
    assert (crossing.if_known.windows, crossing.if_known.usd) == (2, pytest.approx(4.0))
    assert (crossing.without.windows, crossing.gain_usd) == (0, 0.0), "no belief was in force, and nothing changed"


def test_a_window_drawn_at_the_floor_has_no_score_to_tilt() -> None:
    rows = scored([0.1, 0.01], [0.0, 0.0], floored=True)
    assert published_if_known(rows, truth([True, True])).tolist() == [False, True]


def test_the_windows_of_planted_rules_are_told_alone() -> None:
    rows = scored([0.4, 0.4, 0.4], [0.0, 0.0, -2.0])
    paid = payoffs([10.0, -20.0, 30.0], [10.0, -20.0, 30.0])
    found = belief_money(rows, paid, 1_000.0, truth([True, False, True])).where_true[0]
    assert (found.without.windows, found.without.usd) == (1, pytest.approx(1.0))
    assert found.if_known is not None
    assert (found.if_known.windows, found.if_known.usd) == (2, pytest.approx(4.0))
    assert belief_money(rows, paid, 1_000.0).where_true == ()
    assert belief_money(rows, paid, 1_000.0).styles[0].if_known is None


def test_what_was_published_with_beliefs_has_an_interval_of_its_own() -> None:
    n = 40
    rows = events([0.4] * n, [0.0] * n, [0.5] * n)
    paid = (10.0 + np.random.default_rng(5).normal(size=n)).tolist()
    style = belief_money(rows, payoffs(paid, paid), 1_000.0).styles[0]
    assert style.with_interval is not None
    assert style.with_interval[0] < style.with_beliefs.usd < style.with_interval[1]
