"""Credit of braids: exact where effects are known, shared where they meet, none where nothing moves; days, orders."""

from collections.abc import Collection
from itertools import combinations

import numpy as np
import pytest

from lotus.counterfactual.change import WhatIfChange
from lotus.counterfactual.rescored import Scoring, rescored
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.governance.credit.braid_credit import BraidDay, CreditedWindows, braid_credits, credit_of_braids
from lotus.priors.types import ActiveBraid, Literal, Patch, Rule, priors_0, priors_version
from lotus.priors.vocabulary import FEATURE_NAMES
from lotus_store.columns import coded

N = 400
RNG = np.random.default_rng(3)


def windows(steps: dict[str, float], meet: float = 0.0, paper: float = 2.0) -> CreditedWindows:
    """Windows that pay `paper`, on which each braid adds its step to pi, and all together `meet` more."""

    def without(gone: Collection[str]) -> np.ndarray:
        left = [name for name in steps if name not in gone]
        return np.full(N, 0.3 + sum(steps[name] for name in left) + (meet if len(left) == len(steps) else 0.0))

    pi = without(())
    return CreditedWindows(
        "2026-01-05", "d", tuple(steps), pi, RNG.random(N) < pi, np.full(N, paper), np.full(N, np.nan), 0.25, without
    )


def test_effects_that_add_up_are_found_exactly() -> None:
    first, second = credit_of_braids(windows({"a": 0.1, "b": -0.05}), "seed")
    assert (first.windows, second.windows) == (N, N)
    assert first.value_bps == pytest.approx(4 * N * 0.1 * 2.0)
    assert second.value_bps == pytest.approx(-4 * N * 0.05 * 2.0)
    assert (first.shapley_bps, second.shapley_bps) == (pytest.approx(first.value_bps), pytest.approx(second.value_bps))
    assert first.delta_pi == pytest.approx(0.1)
    assert first.variance == second.variance == 0.0


@pytest.mark.parametrize("many", [2, 3, 5])
def test_what_braids_do_together_is_shared_and_adds_up(many: int) -> None:
    steps = {f"b{k}": 0.01 * (k + 1) for k in range(many)}
    one = windows(steps, meet=0.06)
    rows = credit_of_braids(one, "seed")
    whole = 4 * N * 2.0 * (sum(steps.values()) + 0.06)
    assert sum(row.shapley_bps for row in rows) == pytest.approx(whole)
    for row, step in zip(rows, steps.values(), strict=True):
        assert row.value_bps == pytest.approx(4 * N * 2.0 * (step + 0.06)), "each is masked beside all others"
    if many <= 3:
        for row, step in zip(rows, steps.values(), strict=True):
            assert row.shapley_bps == pytest.approx(4 * N * 2.0 * (step + 0.06 / many))


def test_a_braid_that_moves_nothing_is_worth_nothing() -> None:
    (row,) = credit_of_braids(windows({"a": 0.0}), "seed")
    assert (row.windows, row.delta_pi, row.value_bps, row.shapley_bps) == (0, 0.0, 0.0, 0.0)


def test_on_the_kernel_the_shares_of_two_braids_are_those_of_all_subsets(chain) -> None:
    """Two that meet on one detector: the propensity under every subset is the one that the whole scoring gives."""
    mx = Rule.of(Literal(FEATURE_NAMES.index("mx"), 1, 4))
    braids = (
        ActiveBraid("boost", "micro", "micro_drift", 30, Rule(), Patch(-0.1, 1.05, (), 1.2), level=2),
        ActiveBraid("damp", "micro", "micro_drift", 30, mx, Patch(0.12, 0.95)),
    )
    m, detectors = chain.manifest, shipped_detectors()
    priors = [priors_0("main"), priors_version("main", 1, braids)]
    events = score_windows(chain.windows[12], m, m.universe, chain.tables[12], priors, "main")
    own = events["detector_id"] == "micro_drift"
    events = {name: values[own] for name, values in events.items()}
    codes = {name: coded(events[name]) for name in ("detector_id", "asset", "tables_ver", "priors_ver")}
    paper = RNG.normal(1.0, 5.0, own.sum())

    def without(gone: Collection[str]) -> np.ndarray:
        change = WhatIfChange(braids=tuple(gone))
        return rescored(Scoring(m, detectors, change), events, codes, [chain.tables[12]], priors).pi

    pi, nothing = np.asarray(events["pi"]), np.full(len(paper), np.nan)
    one = CreditedWindows("d", "micro_drift", ("boost", "damp"), pi, events["published"], paper, nothing, 1.0, without)
    v = {}
    for left in (c for n in range(3) for c in combinations(one.braids, n)):
        gone = sorted(set(one.braids) - set(left))
        v[left] = float(((without(gone) if gone else pi) - without(one.braids)) @ paper)
    boost, damp = credit_of_braids(one, "seed")
    both = v["boost", "damp"]
    assert boost.windows > 0 < damp.windows
    assert boost.value_bps == pytest.approx(both - v[("damp",)])
    assert boost.shapley_bps == pytest.approx((v[("boost",)] + both - v[("damp",)]) / 2)
    assert boost.shapley_bps + damp.shapley_bps == pytest.approx(both)


def test_a_week_is_the_mean_of_its_days_and_a_day_without_a_row_counts() -> None:
    days = [f"2026-01-{d:02d}" for d in range(5, 12)]
    rows = [BraidDay(day, "d", "a", 10, 0.1, 7.0 + k, 7.0 + k, 0.0) for k, day in enumerate(days[:-1])]
    (credit,) = braid_credits(rows, days)
    assert (credit.windows, credit.days) == (60, 7)
    assert credit.delta_value == pytest.approx(sum(7.0 + k for k in range(6)) / 7)
    assert credit.low is not None
    assert credit.high is not None
    assert credit.low < credit.delta_value < credit.high
    few = braid_credits(rows[:2], days[:2])[0]
    assert (few.low, few.high, few.days) == (None, None, 2)
