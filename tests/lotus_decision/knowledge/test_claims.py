"""Claims that are kept raise promises, claims that are not do nothing, and what is promised live is judged in batch."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from past_outcomes import FIRST_DAY, Paid, columns, past
from states import desk, fitted, view

from lotus.decision.decide import calibrated
from lotus.decision.knowledge.claims import (
    MIN_DAYS,
    ClaimSlope,
    claim_sums,
    heard,
    in_force,
    no_claims,
    slopes_of,
    with_claims,
)
from lotus.decision.knowledge.promises import promised
from lotus.timebase import day_of, day_start_ms, next_day

SOURCE = "det:flow@1"


def claimed(days: int, kept: float, *, seed: int = 0, claim: float = 4.0, drift: float = 0.0) -> list[Paid]:
    """Outcomes of which every second has a claim, kept by a share; a whole day pays `drift` noise alike."""
    rng = np.random.default_rng(seed)
    daily = {next_day(FIRST_DAY, k): drift * rng.normal() for k in range(days)}
    return [
        row._replace(
            claim_bps=claim * (k % 2), claim_level=0 if k % 2 else -1,
            paid_bps=row.paid_bps + daily[row.day] + kept * claim * (k % 2),
        )
        for k, row in enumerate(past(SOURCE, days, 200, lambda x: 2.0, noise=10.0, seed=seed))
    ]  # fmt: skip


def slope_of(rows: Sequence[Paid]) -> ClaimSlope:
    """The slope after these outcomes, each of which its score had promised 1 bps."""
    days = sorted({row.day for row in rows})
    outcomes = {day: columns([row for row in rows if row.day == day]) for day in days}
    (slope,) = slopes_of({day: claim_sums(x, np.ones(len(x))) for day, x in outcomes.items()})
    return slope


def test_a_kept_claim_is_found_and_shrunk() -> None:
    slope = slope_of(claimed(40, 0.8, drift=30.0))
    assert slope.found == pytest.approx(0.8, abs=4 * slope.se)
    assert 0.5 < slope.value < slope.found
    assert (slope.days, slope.windows) == (40, 4000)


@pytest.mark.parametrize("kept", [0.0, -1.0])
def test_a_claim_that_is_not_kept_stays_unheard(kept: float) -> None:
    values = [slope_of(claimed(20, kept, seed=seed)).value for seed in range(20)]
    assert np.mean(values) < 0.06
    assert kept == 0.0 or max(values) == 0.0


def test_nothing_is_in_force_before_enough_days() -> None:
    assert slope_of(claimed(MIN_DAYS - 1, 1.0)).value == 0.0
    assert slope_of(claimed(MIN_DAYS, 1.0)).value > 0.0


def test_days_without_contrast_teach_nothing() -> None:
    every = [row._replace(claim_bps=4.0, claim_level=0) for row in claimed(20, 1.0)]
    assert (slope_of(every).days, slope_of(every).value) == (0, 0.0)


def test_without_a_claim_there_are_no_sums() -> None:
    outcomes = columns(past(SOURCE, 1, 10, lambda x: x))
    assert {n: x.dtype for n, x in claim_sums(outcomes, np.ones(10)).items()} == {
        n: x.dtype for n, x in no_claims().items()
    }
    assert slopes_of({FIRST_DAY: no_claims()}) == ()


def test_without_a_slope_every_bit_is_as_before() -> None:
    one = replace(view("BTC"), claim_bps=5.0, claim_level=0)
    before, _ = calibrated(desk(), [view("BTC")])
    assert calibrated(desk(), [one])[0] == before
    assert calibrated(desk(slopes={(SOURCE, 300, 0): 0.5}), [one])[0] == before


@pytest.mark.parametrize("claim", [3.0, -500.0])
def test_what_is_promised_live_is_what_is_judged(claim: float) -> None:
    slopes, day = {(SOURCE, 300, 1): 0.4}, next_day(FIRST_DAY, 30)
    row = Paid(SOURCE, 300, "all", 0.7, 0.0, day, 300.0, claim_bps=claim, claim_level=1)
    mu, _ = promised(columns([row]), {day: fitted()})
    (judged,) = with_claims(mu, columns([row]), {day_of(day_start_ms(day)): slopes}).tolist()
    for sign in (1, -1):
        end = day_start_ms(day)
        one = replace(
            view("BTC", sign, 0.7, horizon_s=300), claim_bps=claim, claim_level=1, window_end_ms=end,
            valid_until_ms=end + 300_000,
        )  # fmt: skip
        alpha = fitted().alpha(one, 0.5, end)
        assert alpha is not None
        told = heard(alpha, one, slopes, end)
        assert told.mu_bps == sign * judged
        assert told.claim_added_bps == told.mu_bps - alpha.mu_bps


def test_only_slopes_above_zero_are_in_force() -> None:
    slopes = (ClaimSlope(SOURCE, 300, 0, 0.0, -0.1, 0.1, 20, 9), ClaimSlope(SOURCE, 300, 1, 0.3, 0.4, 0.1, 20, 9))
    assert in_force(slopes) == {(SOURCE, 300, 1): 0.3}
