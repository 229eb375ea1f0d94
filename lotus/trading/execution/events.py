"""What can happen to an execution and what it may ask of the outside: the events and commands of the engine.

Value types only, beside those of the venue port. The rules are `executor`'s. (Literature: sans-io.)
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import FundingPayment, NewOrder, OpenOrder, OrderGrouping, OrderUpdate, VenueFill


class TriggerStatus(StrEnum):
    """What the trigger language says of the plan's trigger."""

    ARMED = "armed"
    FIRED = "fired"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing may open any more; with `flatten` the position is left too."""

    flatten: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """Leave the position: an order of the decision-maker or of a person."""


@dataclass(frozen=True, slots=True)
class Steer:
    """Hold at most `ceiling` of the plan from now on, and leave it at `exit_at_ms`; None changes nothing.

    A ceiling only ever falls and an exit time only ever moves on, so repeats and any order of them end the same.
    """

    ceiling: Decimal | None = None
    exit_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TriggerTold:
    """An evaluation of the plan's trigger."""

    status: TriggerStatus


@dataclass(frozen=True, slots=True)
class ModifyAnswer:
    """What the venue answered to a `Modify`; a refusal carries its reason in a live state."""

    update: OrderUpdate


@dataclass(frozen=True, slots=True)
class OpenOrdersSeen:
    """All orders that the venue holds, asked for at `taken_ms` (own clock)."""

    orders: tuple[OpenOrder, ...]
    taken_ms: int


@dataclass(frozen=True, slots=True)
class ForeignFill:
    """A fill on the plan's position by no order of it (a liquidation, a hand on the venue's pages)."""

    fill: VenueFill


Event = (
    OrderUpdate
    | VenueFill
    | FundingPayment
    | MarketView
    | Tick
    | Halt
    | Close
    | Steer
    | TriggerTold
    | ModifyAnswer
    | OpenOrdersSeen
    | ForeignFill
)


@dataclass(frozen=True, slots=True)
class Place:
    """Send orders in one request. When nothing can have been sent, answer with `NEVER_PLACED` for each."""

    orders: tuple[NewOrder, ...]
    grouping: OrderGrouping = OrderGrouping.NONE


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel orders of a coin by name."""

    coin: str
    client_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Modify:
    """Replace size and price of a resting order; answer with `ModifyAnswer`."""

    order: NewOrder


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask where orders stand, and for all fills from `fills_from_ms` on (None: fills are not in doubt)."""

    client_ids: tuple[str, ...]
    fills_from_ms: int | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A fault that is reported to people, once a kind and execution."""

    kind: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Everything is final and the position is closed: write the report. `revision` counts from 0."""

    revision: int


Command = Place | Cancel | Modify | Ask | Alarm | Finished
