"""What a calibration promises: never less for a higher score, and from its own day."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from past_outcomes import FIRST_DAY, Paid, columns, days_of, known, past

from lotus.decision.alphas import AlphaInput
from lotus.decision.knowledge.calibration import ScoreCalibration, calibrate
from lotus.decision.knowledge.promises import promised
from lotus.decision.policy.policy import shipped_policy
from lotus.timebase import next_day

RULE = shipped_policy().calibration
LATER = next_day(FIRST_DAY, 30)


def view(score: float, source: str = "det:flow@1", sign: int = 1, regime: str = "all", end_ms: int = 0) -> AlphaInput:
    """An input of a source."""
    return AlphaInput(source, "BTC", 300, sign, score, "e", "t", end_ms, end_ms + 300_000, regime)


def fit(rows: list[Paid], times_s: tuple[int, ...] = (), day: str = LATER) -> ScoreCalibration:
    """The calibration of rows."""
    return calibrate(known(rows, times_s), day, RULE)


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["all", "calm"]))
def test_a_higher_score_never_promises_less_and_signs_mirror(seed: int, regime: str) -> None:
    rows = past("det:flow@1", 10, 10, lambda x: 0.0, seed=seed, regime="calm") + past("det:b@1", 10, 9, lambda x: x)
    fitted = fit(rows)
    long = [fitted.alpha(view(x, regime=regime), 0.5, 0) for x in np.linspace(0.0, 1.0, 21)]
    short = [fitted.alpha(view(x, regime=regime, sign=-1), 0.5, 0) for x in np.linspace(0.0, 1.0, 21)]
    promised = [a.mu_bps for a in long if a]
    assert len(promised) == 21
    assert promised == sorted(promised)
    assert [-a.mu_bps for a in short if a] == promised


def test_a_source_without_a_past_promises_nothing() -> None:
    fitted = fit(past("det:flow@1", 30, 50, lambda x: 10.0))
    assert fitted.alpha(view(0.5, source="det:new@1"), 0.5, 0) is None
    assert fitted.alpha(view(0.5, source="human:ada"), 0.5, 0) is None


def test_a_promise_halves_every_half_life() -> None:
    fitted = fit(past("det:flow@1", 30, 50, lambda x: 10.0, half_life_s=75.0), (30, 150))
    fresh, later = fitted.alpha(view(0.5), 0.5, 0), fitted.alpha(view(0.5), 0.5, 75_000)
    assert fresh is not None
    assert later is not None
    assert fresh.half_life_s == 75.0
    assert later.mu_bps == pytest.approx(fresh.mu_bps / 2)


def test_promises_of_a_day_come_from_the_calibration_of_that_day() -> None:
    rows = past("det:flow@1", 40, 50, lambda x: 10.0)
    fitted = fit([row for row in rows if row.day < LATER])
    outcomes = columns([*rows, Paid("det:new@1", 300, "wild", 0.5, 1.0, LATER, 300.0)])
    mu, sigma = promised(outcomes, {LATER: fitted})
    for k, (row, day) in enumerate(zip(rows, days_of(outcomes), strict=False)):
        alpha = fitted.alpha(view(row.score), 0.5, 0) if day == LATER else None
        assert (mu[k], sigma[k]) == pytest.approx(
            (alpha.mu_bps, alpha.sigma_bps) if alpha else (np.nan,) * 2, nan_ok=True
        )
    assert np.isnan(mu[-1])
