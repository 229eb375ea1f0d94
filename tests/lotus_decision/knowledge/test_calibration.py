"""Calibration: the truth is found, the future is refused, thin cells lean on coarser ones, losers are silent."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from past_outcomes import FIRST_DAY, Paid, known, past
from sklearn.isotonic import IsotonicRegression

from lotus.decision.alphas import AlphaInput
from lotus.decision.knowledge.calibration import ScoreCalibration, calibrate, half_life_of, isotonic
from lotus.decision.knowledge.evidence import joined
from lotus.decision.policy.policy import shipped_policy
from lotus.errors import LookAheadError
from lotus.timebase import next_day

RULE = shipped_policy().calibration
LATER = next_day(FIRST_DAY, 30)


def view(score: float, source: str = "det:flow@1", sign: int = 1, regime: str = "all", end_ms: int = 0) -> AlphaInput:
    """An input of a source."""
    return AlphaInput(source, "BTC", 300, sign, score, "e", "t", end_ms, end_ms + 300_000, regime)


def fit(rows: list[Paid], times_s: tuple[int, ...] = (), day: str = LATER) -> ScoreCalibration:
    """The calibration of rows."""
    return calibrate(known(rows, times_s), day, RULE)


def test_a_planted_edge_is_found_and_shrunk_by_its_support() -> None:
    fitted = fit(past("det:flow@1", 30, 200, lambda x: 10.0 * x))
    for score in (0.2, 0.5, 0.8):
        alpha = fitted.alpha(view(score), 0.5, 0)
        assert alpha is not None
        assert alpha.raw_mu_bps == pytest.approx(10.0 * score, abs=1.5)
        assert alpha.shrinkage == pytest.approx(6000 / 6200)
        assert alpha.mu_bps == pytest.approx(alpha.raw_mu_bps * alpha.shrinkage)
        assert alpha.sigma_bps == pytest.approx(20.0, abs=1.0)


def test_an_outcome_that_could_not_have_been_known_is_refused() -> None:
    days = known(past("det:flow@1", 30, 5, lambda x: x))
    with pytest.raises(LookAheadError, match="evidence of 2025-06-30"):
        calibrate(days, "2025-06-30", RULE)
    assert calibrate({d: sums for d, sums in days.items() if d < "2025-06-30"}, "2025-06-30", RULE).cells


def test_old_outcomes_are_forgotten() -> None:
    rows = past("det:flow@1", 30, 5, lambda x: x)
    assert not fit(rows, day=next_day(FIRST_DAY, 30 + RULE.history_days)).cells
    assert not calibrate({}, LATER, RULE).cells


@settings(max_examples=examples(20), deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_days_and_outcomes_does_not_matter(seed: int) -> None:
    rows = past("det:flow@1", 10, 20, lambda x: 5.0 * x, regime="wild") + past("human:ada", 10, 20, lambda x: x)
    days = known(rows)
    mixed = random.Random(seed).sample(sorted(days), len(days))
    assert calibrate({day: days[day] for day in mixed}, LATER, RULE) == calibrate(days, LATER, RULE)
    shuffled = fit(random.Random(seed).sample(rows, len(rows)))
    for one, other in zip(shuffled.cells, calibrate(days, LATER, RULE).cells, strict=True):
        assert one.key == other.key
        assert one.bps == pytest.approx(other.bps, rel=1e-7, abs=1e-7)


def test_sums_of_days_are_the_sums_of_their_outcomes() -> None:
    rows = past("det:flow@1", 10, 20, lambda x: 5.0 * x, regime="wild", half_life_s=75.0)
    days = known(rows, (30,))
    (whole,) = known([row._replace(day=FIRST_DAY) for row in rows], (30,)).values()
    together = joined(days.values())
    for name in ("n", "w", "wx", "wy", "wyy", "bps_30", "bps_300"):
        assert together[name].sum() == pytest.approx(whole[name].sum())
    apart, at_once = calibrate(days, LATER, RULE).cells, calibrate({FIRST_DAY: whole}, LATER, RULE).cells
    assert [cell.key for cell in apart] == [cell.key for cell in at_once]
    assert [cell.bps for cell in apart] == [pytest.approx(cell.bps, rel=1e-7) for cell in at_once]


def test_the_bins_of_the_score_cost_nothing_that_matters() -> None:
    """The curve of 20 groups of single outcomes, fitted by scikit-learn, and its residual."""
    rows = past("det:flow@1", 20, 100, lambda x: 10.0 * x, noise=5.0)
    (cell,) = (c for c in fit(rows).cells if c.key == ("det:flow@1", 300, ""))
    x, y = (np.array([getattr(row, name) for row in rows]) for name in ("score", "paid_bps"))
    order = np.argsort(x)
    groups = np.array_split(order, RULE.bins)
    knots, level = (np.array([v[g].mean() for g in groups]) for v in (x, y))
    level = IsotonicRegression().fit(knots, level).predict(knots)
    told = np.interp(x, knots, level)
    for score in (0.1, 0.3, 0.6, 0.9):
        assert cell.at(score) == pytest.approx(float(np.interp(score, knots, level)), abs=0.3)
    assert cell.sigma_bps == pytest.approx(float(np.sqrt(((y - told) ** 2).mean())), rel=0.01)


def test_a_source_that_loses_is_silent_and_not_turned_round() -> None:
    fitted = fit(past("det:flow@1", 30, 200, lambda x: -10.0))
    alpha = fitted.alpha(view(0.9), 0.5, 0)
    assert alpha is not None
    assert alpha.mu_bps == 0.0


def test_a_thin_regime_leans_on_its_source_and_a_rich_one_speaks_for_itself() -> None:
    calm = past("det:flow@1", 30, 100, lambda x: 0.0, regime="calm", noise=1.0)
    for per_day, own in ((1, 0.0), (100, 1.0)):
        wild = past("det:flow@1", 30, per_day, lambda x: 20.0, regime="wild", noise=1.0, seed=1)
        found = fit(calm + wild).alpha(view(0.5, regime="wild"), 0.5, 0)
        assert found is not None
        share = 30 * per_day / (30 * per_day + RULE.pool_support)
        source = 20.0 * len(wild) / (len(wild) + len(calm))
        expected = share * 20.0 + (1 - share) * source
        assert found.raw_mu_bps == pytest.approx(expected, abs=1.5)
        assert (found.raw_mu_bps > 15.0) == bool(own)


def test_without_markouts_the_half_life_is_the_horizon() -> None:
    assert half_life_of({300: 4.0}, 300) == 300.0
    assert half_life_of({30: 0.0, 300: 0.0}, 300) == 300.0


@given(
    st.lists(st.tuples(st.integers(0, 99), st.floats(-100, 100)), min_size=1, max_size=60, unique_by=lambda row: row[0])
)
def test_the_curve_is_that_of_scikit_learn_when_no_two_scores_share_a_bin(rows: list[tuple[int, float]]) -> None:
    x, y = np.array([a / 99 for a, _ in rows]), np.array([b for _, b in rows])
    weights = 0.25 + x
    order = np.argsort(x)
    knots, level = isotonic(x[order], y[order], weights[order], np.ones(len(x), dtype=np.int64), len(x))
    wanted = IsotonicRegression().fit(x, y, weights).predict(np.sort(x))
    assert knots == pytest.approx(np.sort(x), abs=1e-12)
    assert level == pytest.approx(wanted, abs=1e-9)


def test_one_outcome_more_is_another_version() -> None:
    rows = past("det:flow@1", 10, 20, lambda x: x)
    more = Paid("det:flow@1", 300, "all", 0.5, 3.0, FIRST_DAY, 300.0)
    assert fit([*rows, more]).version != fit(rows).version
