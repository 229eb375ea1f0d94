"""What a watched trigger says: armed, fired, expired, rejected, each with what happened, when and at which level.

Only values belong here. Prices are USD; None is what is not known. The order of events is the order of `seq`: frames
as they came; inside a frame the end of the validity, gaps, limits that passed, what armed, then what fired or was
rejected, each in the order of the text, inner parts before outer ones.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final


class EvaluationStatus(StrEnum):
    """The four words of an evaluation."""

    ARMED = "armed"
    FIRED = "fired"
    EXPIRED = "expired"
    REJECTED = "rejected"


class Cause(StrEnum):
    """Why."""

    BEGAN = "began"  # armed: the first operator of a WITHIN happened
    HOLDS = "holds"  # fired: the trigger and its preconditions hold
    LIMIT = "limit"  # expired: the limit of a WITHIN passed
    VALID_UNTIL = "valid_until"  # expired: the whole trigger is over
    PRECONDITION = "precondition"  # rejected: the trigger holds, a precondition does not
    GAP = "gap"  # rejected: frames are missing after a WITHIN was armed, nobody knows what happened in them
    REST = "rest"  # rejected: a WITHIN held at a frame at which the trigger around it did not begin to hold

    @property
    def status(self) -> EvaluationStatus:
        """What an event of this cause says of the trigger."""
        return _STATUS.get(self, EvaluationStatus.REJECTED)


_STATUS: Final = {
    Cause.BEGAN: EvaluationStatus.ARMED,
    Cause.HOLDS: EvaluationStatus.FIRED,
    Cause.LIMIT: EvaluationStatus.EXPIRED,
    Cause.VALID_UNTIL: EvaluationStatus.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Happening:
    """An operator or WITHIN that happened: the end of the frame, the mid, and the level it was measured at."""

    part: str
    time_ms: int
    mid: float | None
    level: float | None

    @property
    def depth_bps(self) -> float | None:
        """How far the mid stood from the level, in bps of the level: above is positive."""
        if self.mid is None or self.level is None:
            return None
        return 1e4 * (self.mid - self.level) / self.level


@dataclass(frozen=True, slots=True)
class Reading:
    """A comparison as it was judged."""

    part: str
    value: float | None
    holds: bool


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """One event: `part` is the canonical text of the WITHIN, or of the whole trigger.

    `levels` are those that stand still from an arming on; `deadline_ms` is the last frame end that counts.
    """

    seq: int
    status: EvaluationStatus
    cause: Cause
    time_ms: int
    frame_idx: int
    part: str
    mid: float | None
    happenings: tuple[Happening, ...] = ()
    readings: tuple[Reading, ...] = ()
    levels: tuple[tuple[str, float | None], ...] = ()
    deadline_ms: int | None = None

    def details(self) -> dict[str, object]:
        """Return what a message about the event tells beside its status and time, as plain values for JSON."""
        return {
            "seq": self.seq,
            "cause": self.cause.value,
            "part": self.part,
            "frame_idx": self.frame_idx,
            "mid": self.mid,
            "happenings": [asdict(h) | {"depth_bps": h.depth_bps} for h in self.happenings],
            "readings": [asdict(r) for r in self.readings],
            "levels": [{"part": part, "level": level} for part, level in self.levels],
            "deadline_ms": self.deadline_ms,
        }
