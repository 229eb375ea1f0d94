"""A checked trigger: conditions with every default filled in and every unit resolved. Only values belong here.

Prices are USD, shares bps, durations milliseconds. `text` is the canonical text of the part, by which events name it.
"""

from dataclasses import dataclass
from enum import StrEnum


class LevelKind(StrEnum):
    """Where a level comes from."""

    PREV_HIGH = "prev_high"
    PREV_LOW = "prev_low"
    VWAP = "vwap"
    ENTRY = "entry"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class TriggerLevel:
    """A level: of the last `lookback` bars of `bar_ms`, the entry, or the price `px`."""

    kind: LevelKind
    lookback: int
    bar_ms: int
    px: float = 0.0


@dataclass(frozen=True, slots=True)
class Breakout:
    """The mid passes the extreme of the bars by more than `band` (of `band_unit`: sigma or bps)."""

    text: str
    level: TriggerLevel
    band: float
    band_unit: str
    direction: int


@dataclass(frozen=True, slots=True)
class Touch:
    """The mid is within `tol_bps` of the level or passes it."""

    text: str
    level: TriggerLevel
    tol_bps: float


@dataclass(frozen=True, slots=True)
class Cross:
    """The mid changes sides; `direction` 1 up, -1 down, 0 either."""

    text: str
    level: TriggerLevel
    direction: int


@dataclass(frozen=True, slots=True)
class Retest:
    """The mid comes back to the level; `direction` 1 from above, -1 from below, 0 from either."""

    text: str
    level: TriggerLevel
    tol_bps: float
    direction: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """A quantity beside a number; false while the quantity is unknown."""

    text: str
    quantity: str
    op: str
    value: float


@dataclass(frozen=True, slots=True)
class Denied:
    """NOT."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class All:
    """AND."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """OR."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """WITHIN: `part` over what has happened since the first of its operators, for at most `limit_ms`."""

    text: str
    part: "Condition"
    limit_ms: int


Leaf = Breakout | Touch | Cross | Retest
Condition = Leaf | Threshold | Denied | All | AnyOf | Scope


@dataclass(frozen=True, slots=True)
class Trigger:
    """A checked trigger: its whole canonical text, what it watches, and what must hold at the frame at which it fires.

    The preconditions stand in the text after IF, and alone in `precondition_texts`.
    """

    text: str
    condition: Condition
    preconditions: tuple[Condition, ...] = ()
    precondition_texts: tuple[str, ...] = ()


def leaves_of(condition: Condition) -> tuple[Leaf, ...]:
    """Return the operators of a condition in the order of its text, those of inner scopes included."""
    return tuple(part for part in walked(condition) if isinstance(part, Leaf))


def warm_up_ms(trigger: Trigger) -> int:
    """Return how long before its start a watch needs frames: the bars it counts, a part of one, and one to tell sides.

    >>> level = TriggerLevel(LevelKind.PREV_HIGH, 20, 60_000)
    >>> warm_up_ms(Trigger("", Breakout("", level, 0.0, "bps", 1)))
    1320000
    """
    return max((leaf.level.bar_ms * (leaf.level.lookback + 2) for leaf in leaves_of(trigger.condition)), default=0)


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """Return the parts that a condition joins, denies or bounds."""
    match condition:
        case Denied(part) | Scope(_, part):
            return (part,)
        case All(parts) | AnyOf(parts):
            return parts
    return ()


def walked(condition: Condition) -> tuple[Condition, ...]:
    """Return a condition and all its parts, each before its own parts."""
    return condition, *(inner for part in parts_of(condition) for inner in walked(part))


def arming(condition: Condition) -> tuple[Leaf | Scope, ...]:
    """Return the parts of a scope's condition that can arm it: what happens, but no retest and nothing denied."""
    match condition:
        case All(parts) | AnyOf(parts):
            return tuple(leaf for part in parts for leaf in arming(part))
        case Breakout() | Touch() | Cross() | Scope():
            return (condition,)
    return ()
