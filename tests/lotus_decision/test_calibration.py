"""Calibration: the truth is found, the future is refused, thin cells lean on coarser ones, losers are silent."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from past_outcomes import FIRST_DAY, past
from sklearn.isotonic import IsotonicRegression

from lotus.decision.alphas import AlphaInput
from lotus.decision.calibration import Outcome, calibrate, half_life_of, isotonic, with_promises
from lotus.decision.policy import shipped_policy
from lotus.errors import LookAheadError
from lotus.timebase import next_day

RULE = shipped_policy().calibration
LATER = next_day(FIRST_DAY, 30)


def view(score: float, source: str = "det:flow@1", sign: int = 1, regime: str = "all", end_ms: int = 0) -> AlphaInput:
    """An input of a source."""
    return AlphaInput(source, "BTC", 300, sign, score, "e", "t", end_ms, end_ms + 300_000, regime)


def test_a_planted_edge_is_found_and_shrunk_by_its_support() -> None:
    fitted = calibrate(past("det:flow@1", 30, 200, lambda x: 10.0 * x), LATER, RULE)
    for score in (0.2, 0.5, 0.8):
        alpha = fitted.alpha(view(score), 0.5, 0)
        assert alpha is not None
        assert alpha.raw_mu_bps == pytest.approx(10.0 * score, abs=1.5)
        assert alpha.shrinkage == pytest.approx(6000 / 6200)
        assert alpha.mu_bps == pytest.approx(alpha.raw_mu_bps * alpha.shrinkage)
        assert alpha.sigma_bps == pytest.approx(20.0, abs=1.0)


def test_an_outcome_that_could_not_have_been_known_is_refused() -> None:
    rows = past("det:flow@1", 30, 5, lambda x: x)
    with pytest.raises(LookAheadError, match="5 outcomes from 2025-06-30 on"):
        calibrate(rows, "2025-06-30", RULE)
    assert calibrate([o for o in rows if o.matured_day < "2025-06-30"], "2025-06-30", RULE).cells


def test_old_outcomes_are_forgotten() -> None:
    rows = past("det:flow@1", 30, 5, lambda x: x)
    assert not calibrate(rows, next_day(FIRST_DAY, 30 + RULE.history_days), RULE).cells


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_outcomes_does_not_matter(seed: int) -> None:
    rows = past("det:flow@1", 10, 20, lambda x: 5.0 * x, regime="EU") + past("human:ada", 10, 20, lambda x: x)
    mixed = random.Random(seed).sample(rows, len(rows))
    assert calibrate(mixed, LATER, RULE) == calibrate(rows, LATER, RULE)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["all", "EU"]))
def test_a_higher_score_never_promises_less_and_signs_mirror(seed: int, regime: str) -> None:
    rows = past("det:flow@1", 10, 10, lambda x: 0.0, seed=seed, regime="EU") + past("det:b@1", 10, 9, lambda x: x)
    fitted = calibrate(rows, LATER, RULE)
    long = [fitted.alpha(view(x, regime=regime), 0.5, 0) for x in np.linspace(0.0, 1.0, 21)]
    short = [fitted.alpha(view(x, regime=regime, sign=-1), 0.5, 0) for x in np.linspace(0.0, 1.0, 21)]
    promised = [a.mu_bps for a in long if a]
    assert len(promised) == 21
    assert promised == sorted(promised)
    assert [-a.mu_bps for a in short if a] == promised


def test_a_source_that_loses_is_silent_and_not_turned_round() -> None:
    fitted = calibrate(past("det:flow@1", 30, 200, lambda x: -10.0), LATER, RULE)
    alpha = fitted.alpha(view(0.9), 0.5, 0)
    assert alpha is not None
    assert alpha.mu_bps == 0.0


def test_a_thin_regime_leans_on_its_source_and_a_rich_one_speaks_for_itself() -> None:
    calm = past("det:flow@1", 30, 100, lambda x: 0.0, regime="CALM", noise=1.0)
    for per_day, own in ((1, 0.0), (100, 1.0)):
        wild = past("det:flow@1", 30, per_day, lambda x: 20.0, regime="WILD", noise=1.0, seed=1)
        found = calibrate(calm + wild, LATER, RULE).alpha(view(0.5, regime="WILD"), 0.5, 0)
        assert found is not None
        share = 30 * per_day / (30 * per_day + RULE.pool_support)
        source = 20.0 * len(wild) / (len(wild) + len(calm))
        expected = share * 20.0 + (1 - share) * source
        assert found.raw_mu_bps == pytest.approx(expected, abs=1.5)
        assert (found.raw_mu_bps > 15.0) == bool(own)


def test_a_source_without_a_past_promises_nothing() -> None:
    fitted = calibrate(past("det:flow@1", 30, 50, lambda x: 10.0), LATER, RULE)
    assert fitted.alpha(view(0.5, source="det:new@1"), 0.5, 0) is None
    assert fitted.alpha(view(0.5, source="human:ada"), 0.5, 0) is None


def test_a_promise_halves_every_half_life() -> None:
    fitted = calibrate(past("det:flow@1", 30, 50, lambda x: 10.0, half_life_s=75.0), LATER, RULE)
    fresh, later = fitted.alpha(view(0.5), 0.5, 0), fitted.alpha(view(0.5), 0.5, 75_000)
    assert fresh is not None
    assert later is not None
    assert fresh.half_life_s == 75.0
    assert later.mu_bps == pytest.approx(fresh.mu_bps / 2)


def test_without_markouts_the_half_life_is_the_horizon() -> None:
    assert half_life_of(past("det:flow@1", 3, 10, lambda x: x), 300) == 300.0


@given(
    st.lists(st.tuples(st.integers(0, 99), st.floats(-100, 100)), min_size=1, max_size=60, unique_by=lambda row: row[0])
)
def test_the_curve_is_that_of_scikit_learn_when_no_two_scores_share_a_bin(rows: list[tuple[int, float]]) -> None:
    x, y = np.array([a / 99 for a, _ in rows]), np.array([b for _, b in rows])
    weights = 0.25 + x
    knots, level = isotonic(x, y, weights, len(x))
    wanted = IsotonicRegression().fit(x, y, weights).predict(np.sort(x))
    assert knots == pytest.approx(np.sort(x), abs=1e-12)
    assert level == pytest.approx(wanted, abs=1e-9)


def test_promises_of_a_day_come_from_the_calibration_of_that_day() -> None:
    rows = past("det:flow@1", 40, 50, lambda x: 10.0)
    known = [o for o in rows if o.matured_day < LATER]
    fitted = {LATER: calibrate(known, LATER, RULE)}
    promised = with_promises(rows, fitted)
    assert all((o.promised_bps is not None) == (o.issued_day == LATER) for o in promised)
    assert [replace(o, promised_bps=None, sigma_bps=None) for o in promised] == rows


def test_one_outcome_more_is_another_version() -> None:
    rows = past("det:flow@1", 10, 20, lambda x: x)
    more = Outcome("extra", "det:flow@1", 300, "all", 0.5, 3.0, FIRST_DAY, FIRST_DAY)
    assert calibrate([*rows, more], LATER, RULE).version != calibrate(rows, LATER, RULE).version
