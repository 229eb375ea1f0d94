"""Outcomes of sources whose edge is known: what a score of x truly pays, plus noise; and their daily sums."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lotus.decision.knowledge.evidence import REGIME_NAMES, Outcomes, Table, coded, outcome_sums
from lotus.priors.claims import NO_LEVEL
from lotus.timebase import day_of, day_start_ms, next_day

FIRST_DAY = "2025-06-01"


class Paid(NamedTuple):
    """One outcome: what it paid at its horizon, and by then at a share of the way where its half-life says so."""

    source: str
    horizon_s: int
    regime: str
    score: float
    paid_bps: float
    day: str
    half_life_s: float
    weight: float = 1.0
    claim_bps: float = 0.0
    claim_level: int = NO_LEVEL

    def move_bps(self, t: int) -> float:
        """What it had paid after t seconds; NaN beyond the horizon."""
        if t > self.horizon_s:
            return float("nan")
        share = [1.0 - 2.0 ** (-s / self.half_life_s) for s in (t, self.horizon_s)]
        return self.paid_bps * share[0] / share[1]


def past(
    source: str, days: int, per_day: int, edge: Callable[[float], float], *, noise: float = 20.0, seed: int = 0,
    regime: str = "all", horizon_s: int = 300, half_life_s: float = 0.0,
) -> list[Paid]:  # fmt: skip
    """Return `per_day` outcomes on each of `days` days; half-life 0 is that of the horizon."""
    rng = np.random.default_rng(seed)
    made: list[Paid] = []
    for k in range(days):
        for _ in range(per_day):
            score = float(rng.uniform())
            paid = edge(score) + float(rng.normal()) * noise
            made.append(Paid(source, horizon_s, regime, score, paid, next_day(FIRST_DAY, k), half_life_s or horizon_s))
    return made


def columns(rows: Sequence[Paid], times_s: Iterable[int] = ()) -> Outcomes:
    """Return outcomes in columns, with moves at the horizons of all and at `times_s`."""
    horizons = tuple(sorted({*times_s, *(row.horizon_s for row in rows)}))
    sources, source = coded(np.array([row.source for row in rows], dtype=object))
    return Outcomes(
        sources=sources,
        horizons_s=horizons,
        source=source,
        horizon_s=np.array([row.horizon_s for row in rows], dtype=np.int64),
        regime=np.array([REGIME_NAMES.index(row.regime) for row in rows], dtype=np.int64),
        end_ms=np.array([day_start_ms(row.day) for row in rows], dtype=np.int64),
        score=np.array([row.score for row in rows]),
        weight=np.array([row.weight for row in rows]),
        moves_bps=np.array([[row.move_bps(t) for t in horizons] for row in rows]).reshape(len(rows), len(horizons)),
        claim_bps=np.array([row.claim_bps for row in rows]),
        claim_level=np.array([row.claim_level for row in rows], dtype=np.int64),
    )


def known(rows: Sequence[Paid], times_s: Iterable[int] = ()) -> dict[str, Table]:
    """Return the sums of each day on which outcomes became known."""
    times = {*times_s, *(row.horizon_s for row in rows)}
    days = sorted({row.day for row in rows})
    return {day: outcome_sums(columns([row for row in rows if row.day == day], times)) for day in days}


def days_of(outcomes: Outcomes) -> list[str]:
    """Return the day of each outcome."""
    return [day_of(int(end)) for end in outcomes.end_ms]
