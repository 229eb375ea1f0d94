"""A plan under way at the desk, what of it is to be carried out and written down, and the desk's running counts."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from lotus.trading.execution.conditions import MarketView, passed
from lotus.trading.execution.events import Ask, Command, Event, Finished
from lotus.trading.execution.executor import step
from lotus.trading.execution.order_machine import TrackedOrder
from lotus.trading.execution.orders import NewOrder, OrderState, OrderUpdate
from lotus.trading.execution.resting import rests_until
from lotus.trading.execution.state import ExecutionState
from lotus.trading.venue import Venue
from lotus_desk.execution.books import PlanDelta
from lotus_store.ledger.trading.plans import PlanRow


@dataclass(slots=True)
class PlanRun:
    """A plan under way, and what of it changed since it was written down.

    `amended` are the ceiling and the exit time that it took last, `seen` a market that it took in at rest.
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
    seen: MarketView | None = None
    _judged: ExecutionState | None = None
    _rests_until_ms: int | None = None

    @property
    def account(self) -> str:
        """The account of its orders."""
        return self.state.plan.authority.account

    def take(self, event: Event, now_ms: int) -> None:
        """Take in an event; what follows waits in `commands`. Of a plan that did not change those are questions only.

        Raises `VenueError`, and changes nothing, when it contradicts the plan's own orders.
        """
        if self.seen is not None:
            self.state, self.seen = replace(self.state, view=self.seen), None
        before = self.state
        self.state, commands = step(before, event, now_ms)
        self.finished |= any(isinstance(command, Finished) for command in commands)
        self.finished &= self.state.done
        self.commands += [command for command in commands if not isinstance(command, Finished)]
        acts = any(not isinstance(command, Ask) for command in commands)
        self.is_changed |= acts or _brings_news(before, self.state)
        self.done_ms = self.done_ms if self.state.done else None

    def rests(self, view: MarketView, now_ms: int) -> bool:
        """Keep a market for later that changes nothing else now; False when the plan has to take it in."""
        if self._judged is not self.state:
            self._judged, self._rests_until_ms = self.state, rests_until(self.state)
        until_ms, plan = self._rests_until_ms, self.state.plan
        if until_ms is None or now_ms > until_ms:
            return False
        if plan.stop_px is not None and passed(plan.stop_px, plan.exit_side, view):
            return False
        last = self.seen or self.state.view
        if last is None or view.time_ms >= last.time_ms:
            self.seen = view
        return True

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
    moved: int = 0  # of them to another venue, for they never reached their own
    orders: int = 0
    fills: int = 0
    alarms: int = 0
    write_failures: int = 0
    last_failure: str = ""
    broken: int = 0  # tasks that ended with an error
    last_broken: str = ""


def _brings_news(before: ExecutionState, after: ExecutionState) -> bool:
    """Return whether an event brought something that the books have to know.

    When an order was asked for, and when it was last seen, a start asks anew; whether it protects is news.
    """
    if after is before:
        return False
    orders = after.orders is not before.orders and any(
        _differs(before.orders.get(name), order) for name, order in after.orders.items()
    )
    stage = after.entering is not before.entering or after.ending is not before.ending
    guarded = (after.bare_since_ms is None) is not (before.bare_since_ms is None)
    paid = after.funding is not before.funding or after.foreign is not before.foreign
    return orders or stage or guarded or paid


def _differs(before: TrackedOrder | None, after: TrackedOrder) -> bool:
    if before is None or before is after:
        return before is None
    return replace(after, asked_ms=before.asked_ms, seen_ms=before.seen_ms) != before


def never_placed(orders: Iterable[NewOrder], now_ms: int, why: str) -> list[OrderUpdate]:
    """Return the updates of orders that were not sent."""
    return [OrderUpdate(o.client_id, OrderState.NEVER_PLACED, now_ms, reason=why) for o in orders]
