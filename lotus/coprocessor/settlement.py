"""When a candidate that was shown on days to come may be put in force, and when one that is in force leaves.

What it adds is followed day by day, against the detectors in force without it. It leaves when the delayed-start
e-process of its claim, .85 of what it gave until it was settled, says that it died (20); when all its forward days
together, a rare loss among them, give nothing any more; and after 90 days in which hardly one matured. Rare losses
that no day has shown are in no evidence: what is settled is therefore drawn at the exploration floor until its cards
promote it, as any version is. Nothing is stored here. (Literature: e-detectors, staged roll-out.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np

from lotus.coprocessor.scoring import correlation, rounded
from lotus.learning.monitor import REVERT_AT, RHO, Blocks, Monitor, observe
from lotus.timebase import next_day

MOST_IN_FORCE: Final[int] = 32
CLAIM: Final[float] = 0.85  # of the forward edge
TERM_DAYS: Final[int] = 90
LEAST_OF_TERM: Final[int] = 10  # matured days of a term, without which it is not renewed
WAIT_DAYS: Final[int] = 365
ALIKE: Final[float] = 0.9
LEAST_SHARED: Final[int] = 10

IN_FORCE: Final = ("settled", "renewed")  # newest steps of a candidate in force
StepKind = Literal["settled", "refused", "renewed", "archived", "vetoed"]


class Paid(Protocol):
    """A forward day: S in bps and H."""

    @property
    def day(self) -> str:
        """The day."""

    @property
    def gain_bps(self) -> float:
        """S."""

    @property
    def weight(self) -> float:
        """H."""


@dataclass(frozen=True, slots=True)
class CandidateStep:
    """A change in the life of a candidate, judged with what was known with a day, and the number that decided."""

    candidate_id: str
    day: str
    step: StepKind
    check: str
    value: float
    bound: float
    reason: str


def edge_of(days: Sequence[Paid]) -> float:
    """Return what a candidate gave per unit of its weight over some days, bps; 0 without weight."""
    weight = float(sum(one.weight for one in days))
    return rounded(float(sum(one.gain_bps for one in days)) / weight) if weight > 0.0 else 0.0


def ended(
    candidate: str, days: Sequence[Paid], variance: float, settled: str, since: str, today: str
) -> CandidateStep | None:
    """Return why a candidate in force leaves or goes on for another term; None while neither is due.

    `days` are all its forward days in order, `variance` v of its gate, `settled` the day with which it was settled,
    `since` that with which its term began.
    """
    before = [one for one in days if one.day <= settled]
    after = [one for one in days if one.day > settled]
    claim = CLAIM / RHO * edge_of(before)  # the monitor takes RHO of it
    watched = Monitor(1, rounded(claim), variance, TERM_DAYS, last_day=settled)
    gains, weights = (np.array([getattr(one, name) for one in after]) for name in ("gain_bps", "weight"))
    peak = observe(watched, Blocks(tuple(one.day for one in after), gains, weights)).peak
    if peak >= REVERT_AT:
        return CandidateStep(candidate, today, "archived", "claim", rounded(peak), REVERT_AT, "its edge died")
    total = rounded(float(sum(one.gain_bps for one in days)))
    if total <= 0.0:
        return CandidateStep(
            candidate, today, "archived", "total", total, 0.0, "its forward days give nothing together"
        )
    if today < next_day(since, TERM_DAYS):
        return None
    many = sum(one.day > since for one in days)
    if many < LEAST_OF_TERM:
        why = f"{many} days matured in {TERM_DAYS}"
        return CandidateStep(candidate, today, "archived", "term", float(many), float(LEAST_OF_TERM), why)
    return CandidateStep(candidate, today, "renewed", "term", float(many), float(LEAST_OF_TERM), "its edge did not die")


def alike(days: Sequence[Paid], span: Sequence[str], daily: Sequence[float]) -> float:
    """Return the correlation of forward days with the daily sums of another candidate over its span; 0 for too few."""
    gains = {one.day: one.gain_bps for one in days}
    pairs = [(gains[day], value) for day, value in zip(span, daily, strict=True) if day in gains]
    if len(pairs) < LEAST_SHARED:
        return 0.0
    left, right = zip(*pairs, strict=True)
    return correlation(left, right)
