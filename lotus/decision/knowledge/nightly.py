"""The nightly run of the decision-maker: from a day's outcomes to sums, and from sums of days to estimates.

What is known after day d comes from outcomes that had matured by its end and is in force on later days; how far
promises were kept is measured on windows that the calibration of their own day had promised without having seen them.
Values in, values out; the parts are explained in their own files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.decision.allocation.covariance import RISK_DAYS, Covariance, bar_returns, covariance_of
from lotus.decision.fusion import Correlations
from lotus.decision.knowledge.calibration import Floats, ScoreCalibration, calibrate
from lotus.decision.knowledge.claims import ClaimSlope, Slopes, claim_sums, slopes_of, with_claims
from lotus.decision.knowledge.evidence import Columns, Table, joined, outcome_sums, outcomes_of
from lotus.decision.knowledge.likeness import correlations, likeness_sums
from lotus.decision.knowledge.promises import promise_sums, promised
from lotus.decision.knowledge.reliability import ForecastQuality, SourceReliability, forecast_quality, updated
from lotus.decision.policy.policy import Policy
from lotus.timebase import day_start_ms, next_day

ALL_SOURCES = ("", 0)  # key of the quality of all promises together
Mids = Mapping[str, tuple[NDArray[np.int64], Floats]]


@dataclass(frozen=True, slots=True)
class DaySums:
    """A day's sums: of outcomes, of promises, of what pairs of sources said, returns of its bars, of claims."""

    outcomes: Table
    promises: Table
    likeness: Table
    returns: Table
    claims: Table


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """How the promises of one source at one horizon were kept; `ALL_SOURCES` for all together."""

    source: str
    horizon_s: int
    found: ForecastQuality


@dataclass(frozen=True, slots=True)
class NightlyEstimates:
    """What is known after a day."""

    calibration: ScoreCalibration
    reliabilities: tuple[SourceReliability, ...]
    covariance: Covariance
    correlations: Correlations
    quality: tuple[SourceQuality, ...]
    claims: tuple[ClaimSlope, ...] = ()


def evidence_of(
    day: str, events: Columns, evaluated: Columns, horizons_s: Sequence[int], fitted: Mapping[str, ScoreCalibration],
    mids: Mids, slopes: Mapping[str, Slopes],
) -> DaySums:  # fmt: skip
    """Return the sums of what became known on `day`.

    `events`: SIGNAL_EVENTS of the day and of the one before it, `evaluated`: SIGNAL_EVAL of the day; `fitted`: the
    calibrations in force on both days, where there was one, `slopes`: of claims, likewise; `mids`: (end_ms, mid) of
    each coin's frames of the day.
    """
    start, end = day_start_ms(day), day_start_ms(next_day(day))
    outcomes = outcomes_of(events, evaluated, horizons_s)
    ends = events["window_end_ms"].astype(np.int64)
    own = (ends >= start) & (ends < end)
    mu, sigma = promised(outcomes, fitted)
    return DaySums(
        outcomes=outcome_sums(outcomes),
        promises=promise_sums(outcomes, with_claims(mu, outcomes, slopes), sigma),
        likeness=likeness_sums({name: values[own] for name, values in events.items()}),
        returns=bar_returns(day, mids),
        claims=claim_sums(outcomes, mu),
    )


def learn(
    day: str, evidence: Mapping[str, DaySums], previous: Sequence[SourceReliability], policy: Policy
) -> NightlyEstimates:
    """Return what is known after `day`, from the evidence of days up to it and the reliabilities of the day before.

    Days before the policy's history are left alone. Raises `LookAheadError` for evidence of a later day.
    """
    first = next_day(day, 1 - policy.calibration.history_days)
    days = {d: evidence[d] for d in sorted(evidence) if d >= first}
    later = next_day(day)
    bars = [one.returns for one in list(days.values())[-RISK_DAYS:]]
    return NightlyEstimates(
        calibration=calibrate({d: one.outcomes for d, one in days.items()}, later, policy.calibration),
        reliabilities=updated(previous, days[day].promises, day, policy.reliability),
        covariance=covariance_of(bars, day_start_ms(later)),
        correlations=correlations(one.likeness for one in days.values()),
        quality=quality_of([one.promises for one in days.values()]),
        claims=slopes_of({d: one.claims for d, one in days.items()}),
    )


def quality_of(promises: Sequence[Columns]) -> tuple[SourceQuality, ...]:
    """Return how promises were kept, all together first, then by source and horizon; empty without any."""
    rows = joined(promises)
    sources, horizons = rows["source"].tolist(), rows["horizon_s"].tolist()
    keys = np.array([f"{source} {horizon}" for source, horizon in zip(sources, horizons, strict=True)], dtype=object)
    qualities = [(ALL_SOURCES, forecast_quality(rows))]
    for source, horizon in sorted(set(zip(sources, horizons, strict=True))):
        own_rows = keys == f"{source} {horizon}"
        qualities.append(
            ((source, horizon), forecast_quality({name: values[own_rows] for name, values in rows.items()}))
        )
    return tuple(SourceQuality(*key, one) for key, one in qualities if one is not None)
