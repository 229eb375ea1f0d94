"""A plan under way at the desk, what of it is to be carried out and written down, and the desk's running counts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.trading.execution.events import Command, Event, Finished
from lotus.trading.execution.executor import step
from lotus.trading.execution.orders import NewOrder, OrderState, OrderUpdate
from lotus.trading.execution.state import ExecutionState
from lotus.trading.venue import Venue
from lotus_desk.execution.books import PlanDelta
from lotus_store.ledger.trading.plans import PlanRow


@dataclass(slots=True)
class PlanRun:
    """A plan under way, and what of it changed since it was written down.

    `amended` are the ceiling and the exit time that it took last.
    """

    row: PlanRow
    state: ExecutionState
    venue: Venue
    commands: list[Command] = field(default_factory=list)
    is_changed: bool = False
    finished: bool = False
    written: ExecutionState | None = None
    done_ms: int | None = None
    amended: tuple[Decimal | None, int | None] = (None, None)

    @property
    def account(self) -> str:
        """The account of its orders."""
        return self.state.plan.authority.account

    def take(self, event: Event, now_ms: int) -> None:
        """Take in an event; what follows waits in `commands`.

        Raises `VenueError`, and changes nothing, when it contradicts the plan's own orders.
        """
        before = self.state
        self.state, commands = step(before, event, now_ms)
        self.finished |= any(isinstance(command, Finished) for command in commands)
        self.finished &= self.state.done
        self.commands += [command for command in commands if not isinstance(command, Finished)]
        self.is_changed |= bool(commands) or _brings_news(before, self.state)
        self.done_ms = self.done_ms if self.state.done else None

    def delta(self) -> PlanDelta:
        """Return what the books have to write of it."""
        written = self.written.orders if self.written is not None else {}
        orders = [o for name, o in self.state.orders.items() if written.get(name) is not o]
        seen = {name for o in written.values() for name in o.fills}
        fills = [f for f in self.state.fills if f.fill_id not in seen]
        return PlanDelta(self.row, self.state, self.finished, orders, fills)

    def was_written(self, line: PlanDelta, now_ms: int) -> None:
        """Take in that the books hold `line`, which is older than the state where it changed meanwhile."""
        self.written = line.state
        if line.finished and self.finished and self.state.revision == line.state.revision:
            self.finished, self.done_ms = False, now_ms


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


def _brings_news(before: ExecutionState, after: ExecutionState) -> bool:
    """Tell whether an event brought something that the books have to know."""
    orders = after.orders is not before.orders or after.foreign is not before.foreign
    stage = after.entering is not before.entering or after.ending is not before.ending
    return orders or stage or after.funding is not before.funding


def never_placed(orders: Iterable[NewOrder], now_ms: int, why: str) -> list[OrderUpdate]:
    """Return the updates of orders that were not sent."""
    return [OrderUpdate(o.client_id, OrderState.NEVER_PLACED, now_ms, reason=why) for o in orders]
