"""The execution of one plan as a value: what is known of it, and the few moves that every rule is made of.

What happens and what is asked for are `events`; the rules are `entries`, `protection`, `exits`; all together
are `executor`. No clock: every step gets the time. In the literature: functional core, imperative shell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from lotus.detectors.entry_style import EntryStyle
from lotus.manifest import Asset
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.events import Alarm, Ask, Cancel, Command, Place
from lotus.trading.execution.order_machine import ZERO, Purpose, TrackedOrder
from lotus.trading.execution.orders import (
    FundingPayment,
    NewOrder,
    OrderGrouping,
    OrderState,
    OrderTrigger,
    TimeInForce,
    VenueFill,
    client_order_id,
)
from lotus.trading.execution.slicing import Slice
from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import Plan

CLOCK_MARGIN_MS = 2_000  # own clock may be ahead of the venue's by less (beyond 500 ms nothing trades)


class Entering(StrEnum):
    """How far the entry is: its conditions are awaited, slices are being sent, or nothing more will be opened."""

    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"


class Phase(StrEnum):
    """Where an execution stands, for people and reports."""

    WATCHING = "watching"
    ENTERING = "entering"
    HOLDING = "holding"
    LEAVING = "leaving"
    DONE = "done"


class Ending(StrEnum):
    """Why the entry was closed before its size was filled, or why the position was left."""

    NONE = ""
    EXPIRED = "expired"
    TRIGGER_ENDED = "trigger_ended"
    REFUSED_BY_VENUE = "refused_by_venue"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    CONDITION = "condition"
    TIME = "time"
    ORDERED = "ordered"
    HALTED = "halted"
    UNPROTECTED = "unprotected"
    LATE_FILL = "late_fill"
    FLIPPED = "flipped"


@dataclass(frozen=True, slots=True)
class Safety:
    """Rules that no lesson moves, in ms: the venue has `stop_grace_ms` to show a grouped stop before a guard is sent.

    A position uncovered for `close_after_ms` is closed, early enough to be flat within 5 s. The venue is asked for a
    stop that it did not name for `confirm_ms`. Without a view younger than `view_age_ms` nothing is opened. A stop
    whose price the mark passed for `stop_grace_ms` is executed by hand.
    """

    stop_grace_ms: int = 1_000
    close_after_ms: int = 2_500
    confirm_ms: int = 1_500
    view_age_ms: int = 3_000


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """Everything known of one plan's execution. `orders` by client id, in the order in which they were sent.

    `arrival_px` is the mid when the entry opened, `leaving_px` that when the engine decided to leave, `accepted_ms` and
    `opened_ms` own clock. `ceiling` and `exit_at_ms` are what the plan was steered to since, None: as it was approved.
    `out` holds the commands of the step under way and is empty between steps.
    """

    plan: Plan
    asset: Asset
    venue: str
    accepted_ms: int
    knobs: ExecutionKnobs = field(default_factory=ExecutionKnobs)
    safety: Safety = field(default_factory=Safety)
    slices: tuple[Slice, ...] = ()
    next_slice: int = 0
    entering: Entering = Entering.WAITING
    entry_ending: Ending = Ending.NONE
    ending: Ending = Ending.NONE
    triggered: bool = False
    orders: Mapping[str, TrackedOrder] = field(default_factory=dict)
    foreign: Mapping[str, VenueFill] = field(default_factory=dict)
    funding: Mapping[tuple[str, int], FundingPayment] = field(default_factory=dict)
    view: MarketView | None = None
    arrival_px: Decimal | None = None
    opened_ms: int | None = None
    bare_since_ms: int | None = None
    bare_ms_max: int = 0
    stop_passed_ms: int | None = None
    halted: bool = False
    ceiling: Decimal | None = None
    exit_at_ms: int | None = None
    done: bool = False
    revision: int = 0
    leaving_px: Decimal | None = None
    alarms: frozenset[str] = frozenset()
    out: tuple[Command, ...] = ()

    def of(self, *purposes: Purpose) -> Iterator[TrackedOrder]:
        """Yield the orders of some purposes."""
        return (o for o in self.orders.values() if o.purpose in purposes)

    @property
    def entered(self) -> Decimal:
        """Size filled by entries."""
        return sum((o.filled for o in self.of(Purpose.ENTRY)), ZERO)

    @property
    def held(self) -> Decimal:
        """Size of the position in the plan's direction, from unique fills; negative would be a flip."""
        side = self.plan.side
        own = (o.filled if o.order.side is side else -o.filled for o in self.orders.values())
        return sum(own, self._foreign_size)

    @property
    def exposure(self) -> Decimal:
        """`held`, with what the venue reports as filled beyond the fills seen: what has to be protected and closed."""
        side = self.plan.side
        own = (o.taken if o.order.side is side else -o.taken for o in self.orders.values())
        return sum(own, self._foreign_size)

    @property
    def committed(self) -> Decimal:
        """Size that entries sent so far opened or may still open."""
        return sum((o.committed for o in self.of(Purpose.ENTRY)), ZERO)

    @property
    def will_hold(self) -> Decimal:
        """Size that it holds once everything under way is over: what is opened yet, no more than its ceiling."""
        if self.done or self.ending is not Ending.NONE:
            return ZERO
        coming = self.committed - sum((o.taken for o in self.of(Purpose.ENTRY)), ZERO)
        size = max(ZERO, self.exposure) + coming if self.entering is Entering.CLOSED else self.plan.size
        return size if self.ceiling is None else min(size, self.ceiling)

    @property
    def _foreign_size(self) -> Decimal:
        side = self.plan.side
        return sum((f.size if f.side is side else -f.size for f in self.foreign.values()), ZERO)

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        if self.done:
            return Phase.DONE
        if self.entering is Entering.WAITING:
            return Phase.WATCHING
        if self.ending is not Ending.NONE:
            return Phase.LEAVING
        return Phase.ENTERING if self.entering is Entering.OPEN else Phase.HOLDING

    @property
    def fills(self) -> list[VenueFill]:
        """All fills, oldest first."""
        own = [f for o in self.orders.values() for f in o.fills.values()]
        return sorted([*own, *self.foreign.values()], key=lambda f: (f.time_ms, f.fill_id))


def close_entry(state: ExecutionState, ending: Ending) -> ExecutionState:
    """Return the state in which nothing more is opened; the first reason stands."""
    if state.entering is Entering.CLOSED:
        return state
    return replace(state, entering=Entering.CLOSED, entry_ending=ending)


def end(state: ExecutionState, ending: Ending) -> ExecutionState:
    """Return the state with a reason to leave; the first one stands, unless it is that of an exit at rest."""
    return replace(state, ending=ending) if state.ending is Ending.NONE or leaves_at_rest(state) else state


def leaves_at_rest(state: ExecutionState) -> bool:
    """Return whether the position is left because its time is over, in a style that rests first."""
    return state.ending is Ending.TIME and state.plan.styles.exit is not EntryStyle.CROSS


def fresh_view(state: ExecutionState, now_ms: int) -> MarketView | None:
    """Return the market where it was seen lately enough to send an order by it."""
    view = state.view
    return view if view is not None and now_ms - view.time_ms <= state.safety.view_age_ms else None


def emit(state: ExecutionState, command: Command) -> ExecutionState:
    """Return the state with one more command to hand out."""
    return replace(state, out=(*state.out, command))


def alarm(state: ExecutionState, kind: str, found: str, expected: str) -> ExecutionState:
    """Return the state with an alarm, unless that kind was raised before."""
    if kind in state.alarms:
        return state
    return emit(replace(state, alarms=state.alarms | {kind}), Alarm(kind, found, expected))


def put(state: ExecutionState, *tracked: TrackedOrder) -> ExecutionState:
    """Return the state with orders added or replaced; the same state where it has them all."""
    if all(state.orders.get(o.client_id) is o for o in tracked):
        return state
    return replace(state, orders={**state.orders, **{o.client_id: o for o in tracked}})


def next_index(state: ExecutionState, purpose: Purpose) -> int:
    """Return the running number of the next order of a purpose."""
    return 1 + max((o.index for o in state.of(purpose)), default=-1)


def new_order(
    state: ExecutionState,
    purpose: Purpose,
    index: int,
    size: Decimal,
    limit_px: Decimal,
    tif: TimeInForce = TimeInForce.GTC,
    trigger: OrderTrigger | None = None,
) -> NewOrder:
    """Return an order of the plan under its own name; all but entries only reduce."""
    plan, entry = state.plan, purpose is Purpose.ENTRY
    side = plan.side if entry else plan.exit_side
    name = client_order_id(plan.plan_id, purpose.value, index)
    return NewOrder(
        client_id=name,
        coin=plan.coin,
        side=side,
        size=size,
        limit_px=limit_px,
        tif=tif,
        reduce_only=not entry,
        trigger=trigger,
    )


def send(
    state: ExecutionState,
    orders: tuple[tuple[Purpose, int, NewOrder], ...],
    now_ms: int,
    grouping: OrderGrouping = OrderGrouping.NONE,
) -> ExecutionState:
    """Return the state with orders under way: from now on they are known, of unknown fate, and never sent again."""
    tracked = {o.client_id: TrackedOrder(o, purpose, index, now_ms) for purpose, index, o in orders}
    place = Place(tuple(order for _, _, order in orders), grouping)
    return replace(state, orders={**state.orders, **tracked}, out=(*state.out, place))


def cancel(state: ExecutionState, orders: list[TrackedOrder], now_ms: int) -> ExecutionState:
    """Return the state with cancels sent for orders that are not final and were not asked to within the retry time."""
    due = [o for o in orders if not o.state.is_final and _due(o.cancel_ms, now_ms, state.knobs.retry)]
    if not due:
        return state
    state = put(state, *(replace(o, cancel_ms=now_ms) for o in due))
    return emit(state, Cancel(state.plan.coin, tuple(o.client_id for o in due)))


def ask(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Return the state with questions for orders of which only the venue can say more, each at its retry time."""
    if all(o.state.is_final and not o.fills_missing for o in state.orders.values()):
        return state
    stale = unconfirmed(state, now_ms)
    due = [
        o
        for o in state.orders.values()
        if (o.must_ask or o.client_id in stale) and _due(o.asked_ms or o.sent_ms, now_ms, state.knobs.retry)
    ]
    if not due:
        return state
    since = min((o.sent_ms for o in due if o.fills_missing or o.state is OrderState.UNKNOWN), default=None)
    state = put(state, *(replace(o, asked_ms=now_ms) for o in due))
    return emit(state, Ask(tuple(o.client_id for o in due), None if since is None else since - CLOCK_MARGIN_MS))


def whole_since(state: ExecutionState) -> dict[int, int]:
    """Return, by index, since when (own clock) each entry is known to be filled whole."""
    return {o.index: o.ended_ms or o.sent_ms for o in state.of(Purpose.ENTRY) if o.state is OrderState.FILLED}


def unconfirmed(state: ExecutionState, now_ms: int) -> set[str]:
    """Return the names of live orders that the venue did not name lately, or not since something should have changed.

    An immediate order cannot rest, a stop must be there once its entry is filled whole, and what rests may have been
    filled unheard.
    """
    whole, oldest = whole_since(state), now_ms - state.safety.confirm_ms
    return {
        o.client_id
        for o in state.orders.values()
        if (o.seen_ms or o.sent_ms) < _must_be_seen_since(o, whole, oldest, now_ms) and not o.state.is_final
    }


def _must_be_seen_since(order: TrackedOrder, whole: Mapping[int, int], oldest: int, now_ms: int) -> int:
    if order.is_grouped:
        armed = whole.get(order.index, 0)
        return max(oldest, armed) if armed and order.purpose is Purpose.STOP else armed
    return now_ms if order.order.tif is TimeInForce.IOC else oldest


def _due(last_ms: int | None, now_ms: int, retry_ms: float) -> bool:
    return last_ms is None or now_ms - last_ms >= retry_ms
