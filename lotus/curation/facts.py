"""What the curators know at the end of a night: every number that one of them judges by, as plain values.

Who gathers them is a stage; who judges, `lotus.curation.sig`. A fact that nobody could know is empty or None, and no
curator acts on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lotus.curation.feed_health import FeedDay
from lotus.curation.likeness import Likeness


@dataclass(frozen=True, slots=True)
class JudgedDetector:
    """One scored detector after a day.

    `reads`: frame columns that decide its signal; `stage`: of its card; `sq_score`: None while neutral; `fragilities`:
    of its audited days, the newest last; `missing`: proofs that its card lacks.
    """

    detector_id: str
    version: int
    horizon_s: int
    reads: frozenset[str]
    stage: str
    sq_score: float | None
    matured_days: int
    fragilities: Sequence[float]
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class NightFacts:
    """Everything after learning day `day` of a branch.

    `feed`: the day's health, `feed_before`: of the 28 learning days before, oldest first. `likenesses`: of payoffs over
    20 learning days. `broken_hbar`, `broken_entrain`: shares of windows where the number is null or stands still
    although it could be known, None where none could. `alarmed`: the newest day of an alarm of the monitors by series
    (a frame column). `forbidden`: targets, or horizons such as `3600s`, that compliance rules out.
    """

    branch: str
    day: str
    assets: tuple[str, ...]
    detectors: Sequence[JudgedDetector]
    feed: FeedDay
    feed_before: Sequence[FeedDay] = ()
    likenesses: Sequence[Likeness] = ()
    broken_hbar: float | None = None
    broken_entrain: float | None = None
    alarmed: Mapping[str, str] = field(default_factory=dict)
    forbidden: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a curator would do: `value` is a log nudge, 0 for a veto."""

    kind: str
    target: str
    value: float
    reason: str
