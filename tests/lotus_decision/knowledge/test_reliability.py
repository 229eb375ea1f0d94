"""Reliability: the slope is found slowly and in steps, people start low, scores are those of the textbook."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from past_outcomes import FIRST_DAY, Paid, columns
from sklearn.metrics import brier_score_loss, log_loss

from lotus.decision.knowledge.evidence import Table
from lotus.decision.knowledge.promises import promise_sums
from lotus.decision.knowledge.reliability import SourceReliability, added, forecast_quality, initial, stepped, updated
from lotus.decision.policy.policy import shipped_policy
from lotus.errors import LookAheadError
from lotus.timebase import next_day

RULE = shipped_policy().reliability


def told(
    pairs: Sequence[tuple[float, float]], source: str = "det:flow@1", sigma: float = 20.0, weight: float = 1.0
) -> Table:
    """The sums of a day's promises, from what was promised and what came."""
    rows = [Paid(source, 300, "all", 0.5, realised, FIRST_DAY, 300.0, weight) for _, realised in pairs]
    return promise_sums(columns(rows, (300,)), np.array([p for p, _ in pairs]), np.full(len(pairs), sigma))


def walked(slope: float, days: int, source: str = "det:flow@1") -> list[float]:
    """Reliability day by day of a source that keeps `slope` of its promises."""
    known: tuple[SourceReliability, ...] = ()
    values = []
    for k in range(days):
        day = next_day(FIRST_DAY, k)
        known = updated(known, told([(5.0, 5.0 * slope)] * 50, source), day, RULE)
        values.append(known[0].value)
    return values


@pytest.mark.parametrize("slope", [0.0, 0.4, 1.0])
def test_reliability_walks_to_the_slope(slope: float) -> None:
    assert walked(slope, 120)[-1] == pytest.approx(slope, abs=0.03)


def test_a_person_starts_low_and_earns_it() -> None:
    values = walked(1.0, 60, "human:ada")
    assert values[0] < 0.2
    assert values == sorted(values)
    assert values[-1] > 0.8


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-500, 500)), max_size=30), st.floats(0, 1))
def test_a_step_is_bounded_and_the_value_stays_a_share(pairs: list[tuple[float, float]], value: float) -> None:
    before = replace(initial("det:flow@1", 300, RULE), value=value)
    summed = added(before, pairs)
    after = stepped(summed, RULE)
    assert summed.value == before.value
    assert abs(after.value - before.value) <= RULE.max_step + 1e-9
    assert 0.0 <= after.value <= 1.0


@given(st.permutations([(1.0, 3.0), (2.0, -1.0), (4.0, 4.5), (0.5, 0.0)]))
def test_the_order_within_a_day_does_not_matter(pairs: list[tuple[float, float]]) -> None:
    before = initial("det:flow@1", 300, RULE)
    assert added(before, pairs) == added(before, sorted(pairs))


def test_a_day_is_absorbed_once_and_in_order() -> None:
    known = updated((), told([(5.0, 5.0)]), FIRST_DAY, RULE)
    for day in (FIRST_DAY, next_day(FIRST_DAY, -1)):
        with pytest.raises(LookAheadError, match="absorbed twice"):
            updated(known, told([(5.0, 5.0)]), day, RULE)


def test_the_sums_of_a_day_are_those_of_its_pairs() -> None:
    pairs = [(1.0, 3.0), (2.0, -1.0), (4.0, 4.5)]
    (known,) = updated((), told(pairs, weight=0.25), FIRST_DAY, RULE)
    wanted = stepped(added(initial("det:flow@1", 300, RULE), [(p / 2, r / 2) for p, r in pairs]), RULE)
    assert (known.sum_pr, known.sum_pp) == pytest.approx((wanted.sum_pr, wanted.sum_pp))
    assert known.value == wanted.value
    assert (known.promises, known.through) == (3, FIRST_DAY)


def test_a_quiet_day_fades_the_past() -> None:
    known = updated((), told([(5.0, 5.0)]), FIRST_DAY, RULE)
    quiet = updated(known, told([]), next_day(FIRST_DAY), RULE)
    assert quiet[0].sum_pp == pytest.approx(25.0 * 0.5 ** (1 / RULE.half_life_days))
    for k in range(2, 400):
        quiet = updated(quiet, told([]), next_day(FIRST_DAY, k), RULE)
    assert quiet[0].value == pytest.approx(RULE.detector_start, abs=1e-4)


def test_scores_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    mu = rng.normal(size=400) * 20.0
    realised = mu * 0.7 + rng.normal(size=400) * 20.0
    found = forecast_quality(told(list(zip(mu.tolist(), realised.tolist(), strict=True))), 8)
    assert found is not None
    from scipy.stats import norm

    p, hit = norm.cdf(mu / 20.0), realised > 0.0
    assert found.brier == pytest.approx(brier_score_loss(hit, p), rel=1e-7)
    assert found.log_score == pytest.approx(log_loss(hit, p), rel=1e-7)
    assert found.brier_base == pytest.approx(hit.mean() * (1 - hit.mean()), rel=1e-7)
    assert found.slope == pytest.approx(float(mu @ realised / (mu @ mu)), rel=1e-7)
    assert found.brier < found.brier_base


def test_the_curve_covers_every_forecast_once() -> None:
    found = forecast_quality(told([(float(k), float(k % 7) - 3.0) for k in range(103)]), 10)
    assert found is not None
    assert sum(b.count for b in found.curve) == found.count == 103
    assert [b.promised_p for b in found.curve] == sorted(b.promised_p for b in found.curve)
    assert all(b.hit_low <= b.hit_share <= b.hit_high for b in found.curve)
    assert forecast_quality(told([])) is None


def test_overlapping_forecasts_are_less_certain() -> None:
    pairs = [(5.0, float(k % 2) * 2.0 - 1.0) for k in range(100)]
    whole, part = forecast_quality(told(pairs), 1), forecast_quality(told(pairs, weight=0.1), 1)
    assert whole is not None
    assert part is not None
    assert (whole.brier, whole.curve[0].hit_share) == (part.brier, part.curve[0].hit_share)
    assert (whole.curve[0].effective, part.curve[0].effective) == (100.0, 10.0)
    assert part.curve[0].hit_high - part.curve[0].hit_low > 2.5 * (whole.curve[0].hit_high - whole.curve[0].hit_low)


def test_equal_promises_share_a_bin() -> None:
    """Otherwise ties would be ordered by what came of them, and the curve would tell losers from winners."""
    found = forecast_quality(told([(0.0, float(k) - 50.0) for k in range(101)] + [(9.0, 9.0)] * 20), 10)
    assert found is not None
    assert [(b.count, b.hit_share) for b in found.curve] == [(101, 0.5), (20, 1.0)]
