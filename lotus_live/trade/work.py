"""A plan under way at the desk, and the desk's running counts. Values only; what moves them is `desk`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.trading.execution import ExecutionState
from lotus.trading.execution_events import Command
from lotus.trading.orders import NewOrder, OrderState, OrderUpdate
from lotus.trading.venue import Venue
from lotus_store.ledger.plans import PlanRow


@dataclass(slots=True)
class Work:
    """A plan under way, and what of it changed since it was written down.

    `steered` are ceiling and exit time as last told to it.
    """

    row: PlanRow
    state: ExecutionState
    venue: Venue
    commands: list[Command] = field(default_factory=list)
    is_changed: bool = False
    finished: bool = False
    written: ExecutionState | None = None
    done_ms: int | None = None
    steered: tuple[Decimal | None, int | None] = (None, None)


@dataclass(slots=True)
class DeskCounts:
    """Running counts of one life of the desk."""

    plans: int = 0
    finished: int = 0
    orders: int = 0
    fills: int = 0
    alarms: int = 0
    write_failures: int = 0
    last_failure: str = ""
    broken: int = 0  # tasks that ended with an error
    last_broken: str = ""


def never_placed(orders: Iterable[NewOrder], now_ms: int, why: str) -> list[OrderUpdate]:
    """Return what is told of orders that were not sent."""
    return [OrderUpdate(o.client_id, OrderState.NEVER_PLACED, now_ms, reason=why) for o in orders]
