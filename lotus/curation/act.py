"""One act of governance: who does what to which detector or coin, from which day to which, and why.

An act is never changed: its name is the hash of all that it says. Who may do what is `law`, what acts do to the tables
of a day `in_force`. Times of the wall clock and costs stand beside an act, never in it. (Literature: event sourcing,
judgemental adjustment with limits.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final

from lotus.detectors.curators import CURATOR
from lotus.detectors.scoring.signal_spec import (
    ADVERSARIAL,
    COMPLIANCE,
    DATA,
    DIVERSITY,
    EXPLAINABILITY,
    PERSON,
)
from lotus.hashing import natural_id

AT: Final = "@"  # parts a detector from a coin in a target; no detector has it in its name
BIT_OF_ACTOR: Final[Mapping[str, int]] = {
    f"{CURATOR}data": DATA, f"{CURATOR}diversity": DIVERSITY, f"{CURATOR}compliance": COMPLIANCE,
    f"{CURATOR}adversarial": ADVERSARIAL, f"{CURATOR}explainability": EXPLAINABILITY,
}  # fmt: skip


class CurationKind(StrEnum):
    """What an act does."""

    NUDGE = "nudge"  # adds `value` to ln sigma of a detector
    VETO = "veto"  # no window of a detector, of a coin or of both is published
    EPSILON = "epsilon"  # floor of the propensity of a detector is `value`
    WEIGHT = "weight"  # sets how much a component of asymmetry counts; of the weekly refit alone
    SIGN_OFF = "sign_off"  # a person has read the card of a detector and stands for it; it moves nothing
    LIFT = "lift"  # an earlier act, named by `revokes`, holds no more
    OFF = "off"  # a micro-expert has no vote: the allocator's
    IDLE = "idle"  # one without a vote is not computed: the allocator's


ALLOCATOR: Final = "allocator"
OF_EXPERTS: Final = frozenset({CurationKind.OFF, CurationKind.IDLE})


@dataclass(frozen=True, slots=True)
class CurationAct:
    """An act on a branch, decided with day `day` known, in force on the UTC days from `from_day` on before `until_day`.

    `actor`: `curator:NAME`, or a person. `target`: `DETECTOR`, `DETECTOR@COIN` or `@COIN`, of a weight the component.
    `value`: the log nudge, the floor or the weight, else 0. `evidence_ref` names what it rests on. `revokes`: the act
    that a lift ends. `at_once`: a veto that also holds from the next window on until `from_day`
    (`lotus.curation.at_once`); it enters the name where it is so.
    """

    act_id: str
    branch: str
    day: str
    actor: str
    kind: str
    target: str
    value: float
    reason: str
    evidence_ref: str
    from_day: str
    until_day: str
    revokes: str = ""
    at_once: bool = False

    def named(self) -> "CurationAct":
        """Return the act under its name."""
        left_out = {"act_id"} if self.at_once else {"act_id", "at_once"}
        values = (getattr(self, f.name) for f in fields(self) if f.name not in left_out)
        words = [float(value) if isinstance(value, float | int) else str(value) for value in values]
        return replace(self, act_id=natural_id("governance_act", *words))

    @property
    def is_of_curator(self) -> bool:
        """Whether a curator of Lotus's own acts, not a person."""
        return self.actor.startswith(CURATOR)

    @property
    def veto_bit(self) -> int:
        """The bit that a veto sets in windows: one a curator, and one for all people."""
        return BIT_OF_ACTOR.get(self.actor, PERSON)


def parts_of(target: str) -> tuple[str, str]:
    """Return the detector and the coin that a target names, "" for each that it does not.

    >>> parts_of("momentum@BTC"), parts_of("momentum"), parts_of("@PURR/USDC")
    (('momentum', 'BTC'), ('momentum', ''), ('', 'PURR/USDC'))
    """
    detector, _, coin = target.partition(AT)
    return detector, coin
