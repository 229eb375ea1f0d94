"""A small model venue that knows the truth, and a desk that carries commands to it through faults.

Independent of the order machine: orders match, triggers fire, children live and die with their entry as the venue's
documentation says (armed when the entry is filled whole, cancelled when it ends before that).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.events import (
    Alarm,
    Ask,
    Cancel,
    Command,
    Event,
    Finished,
    Modify,
    ModifyAnswer,
    OpenOrdersSeen,
    Place,
    Tick,
)
from lotus.trading.execution.executor import step
from lotus.trading.execution.orders import (
    NewOrder,
    OpenOrder,
    OrderGrouping,
    OrderState,
    OrderUpdate,
    TimeInForce,
    TriggerKind,
    VenueFill,
)
from lotus.trading.execution.state import ExecutionState

S = OrderState
LOT = Decimal("0.00001")


@dataclass
class Truth:
    """One order as it really stands."""

    order: NewOrder
    oid: int
    state: OrderState
    armed: bool = True
    parent: str = ""
    filled: Decimal = Decimal(0)
    reason: str = ""


@dataclass
class ModelVenue:
    """`share` of an order that finds a match at once, whether children are dropped when armed, and refusals to come."""

    mark: Decimal = Decimal(100_000)
    share: Decimal = Decimal(1)
    drop_children: bool = False
    refuse_stops: bool = False
    refuse_entries: bool = False
    now_ms: int = 0
    orders: dict[str, Truth] = field(default_factory=dict)
    fills: list[VenueFill] = field(default_factory=list)
    mail: list[OrderUpdate | VenueFill] = field(default_factory=list)

    @property
    def position(self) -> Decimal:
        """Signed position."""
        return sum((f.size * int(f.side) for f in self.fills), Decimal(0))

    @property
    def protected(self) -> Decimal:
        """Size of the armed stops."""
        stops = (t for t in self.orders.values() if t.order.trigger and t.order.trigger.kind is TriggerKind.STOP_LOSS)
        return sum((t.order.size - t.filled for t in stops if t.armed and not t.state.is_final), Decimal(0))

    def place(self, orders: tuple[NewOrder, ...], grouping: OrderGrouping) -> list[OrderUpdate]:
        """Take a request and return one update an order."""
        parent = ""
        for order in orders:
            assert order.client_id not in self.orders, f"{order.client_id} was sent twice"
            child = bool(parent) and grouping is OrderGrouping.ENTRY_WITH_EXITS
            truth = Truth(order, len(self.orders) + 1, S.WAITING if order.trigger else S.RESTING, not child, parent)
            self.orders[order.client_id] = truth
            self._admit(truth)
            parent = parent or order.client_id
        self._children(self.orders[parent])
        return [self.update(o.client_id) for o in orders]

    def _admit(self, truth: Truth) -> None:
        opens, order = not truth.order.reduce_only, truth.order
        if (opens and self.refuse_entries) or (order.trigger and not truth.parent and self.refuse_stops):
            truth.state, truth.reason = S.REJECTED, "Insufficient margin to place order."
        elif order.tif is TimeInForce.ALO and (order.limit_px - self.mark - int(order.side)) * int(order.side) >= 0:
            truth.state, truth.reason = S.REJECTED, "Post only order would have immediately matched"
        elif order.trigger is None and order.tif is TimeInForce.IOC:
            self._match(truth, self.share)
            if not truth.state.is_final:
                truth.state = S.CANCELED

    def _match(self, truth: Truth, share: Decimal) -> None:
        order = truth.order
        if (order.limit_px - self.mark) * int(order.side) < 0:
            return
        left = order.size - truth.filled
        size = min(left, max(LOT, (left * share).quantize(LOT))) if share else Decimal(0)
        if order.reduce_only:
            size = min(size, max(Decimal(0), -self.position * int(order.side)))
        if not size:
            return
        truth.filled += size
        number = f"f{len(self.fills)}"
        fill = VenueFill(
            number, order.client_id, truth.oid, order.coin, order.side, size, self.mark, Decimal(0), True, self.now_ms
        )
        self.fills.append(fill)
        self.mail.append(fill)
        if truth.filled == order.size:
            self._end(truth, S.FILLED)

    def _end(self, truth: Truth, state: OrderState) -> None:
        truth.state = state
        self.mail.append(self.update(truth.order.client_id))
        self._children(truth)

    def _children(self, parent: Truth) -> None:
        for child in [t for t in self.orders.values() if t.parent == parent.order.client_id and not t.state.is_final]:
            if parent.state is S.FILLED and not child.armed:
                child.armed = True
                if self.drop_children:
                    child.state = S.CANCELED  # and nobody is told
            elif parent.state.is_final and parent.state is not S.FILLED:
                child.state = S.CANCELED
                self.mail.append(self.update(child.order.client_id))

    def move(self, mark: Decimal) -> None:
        """Move the market: triggers fire, resting entries match."""
        self.mark = mark
        for truth in list(self.orders.values()):
            trigger = truth.order.trigger
            if truth.state.is_final or not truth.armed:
                continue
            if trigger is None:
                self._match(truth, self.share)
                continue
            way = int(truth.order.side) * (1 if trigger.kind is TriggerKind.STOP_LOSS else -1)
            if (mark - trigger.px) * way >= 0:
                self._match(truth, Decimal(1))
                if not truth.state.is_final:
                    self._end(truth, S.CANCELED)
        for truth in self.orders.values():
            if truth.order.reduce_only and truth.armed and not truth.state.is_final and self.position == 0:
                self._end(truth, S.CANCELED)

    def cancel(self, client_id: str) -> OrderUpdate:
        """Cancel an order; one that is final stays so, an unknown one was never placed."""
        truth = self.orders.get(client_id)
        if truth is not None and not truth.state.is_final:
            self._end(truth, S.CANCELED)
        return self.update(client_id)

    def modify(self, order: NewOrder) -> OrderUpdate:
        """Change a live order."""
        truth = self.orders[order.client_id]
        if not truth.state.is_final:
            truth.order = order
        return self.update(order.client_id)

    def update(self, client_id: str) -> OrderUpdate:
        """Return where an order stands."""
        truth = self.orders.get(client_id)
        if truth is None:
            return OrderUpdate(client_id, S.NEVER_PLACED, self.now_ms)
        crosses = truth.reason.startswith("Post only")
        return OrderUpdate(client_id, truth.state, self.now_ms, truth.oid, truth.filled, None, truth.reason, crosses)

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return the orders that rest."""
        return tuple(
            OpenOrder(
                t.order.client_id,
                t.oid,
                t.order.coin,
                t.order.side,
                t.order.size,
                t.order.size - t.filled,
                t.order.limit_px,
                0,
                t.order.reduce_only,
                t.order.trigger,
            )
            for t in self.orders.values()
            if not t.state.is_final and t.armed
        )


@dataclass
class Desk:
    """The shell of one execution: carries commands to the venue and brings answers back, or loses either."""

    state: ExecutionState
    venue: ModelVenue
    now_ms: int = 0
    lose_request: bool = False
    lose_answer: bool = False
    deaf: bool = False  # questions find no answer
    alarms: list[Alarm] = field(default_factory=list)
    finished: int = 0
    on_command: Callable[[Command], None] = lambda _: None
    stored: ExecutionState | None = None
    dies_in: int | None = None  # commands until the process is killed

    def feed(self, event: Event) -> None:
        """Take one step and carry out what follows, until nothing follows."""
        waiting: list[Event] = [event]
        while waiting:
            self.state, commands = step(self.state, waiting.pop(0), self.now_ms)
            assert not self.state.out
            self.stored = self.state
            for command in commands:
                if self.dies_in == 0:
                    return
                self.dies_in = None if self.dies_in is None else self.dies_in - 1
                self.on_command(command)
                waiting += self._carry(command)

    def _carry(self, command: Command) -> list[Event]:
        match command:
            case Place():
                return self._place(command)
            case Cancel():
                if self.lose_request:
                    return []
                updates = [self.venue.cancel(name) for name in command.client_ids]
                return [] if self.lose_answer else list(updates)
            case Modify():
                unknown = OrderUpdate(command.order.client_id, S.UNKNOWN, self.now_ms)
                update = unknown if self.lose_request else self.venue.modify(command.order)
                return [ModifyAnswer(unknown if self.lose_answer else update)]
            case Ask():
                return [] if self.deaf else self._answers(command)
            case Alarm():
                self.alarms.append(command)
            case Finished():
                self.finished += 1
        return []

    def _place(self, command: Place) -> list[Event]:
        unknown: list[Event] = [OrderUpdate(o.client_id, S.UNKNOWN, self.now_ms) for o in command.orders]
        if self.lose_request:
            return unknown
        updates = self.venue.place(command.orders, command.grouping)
        return unknown if self.lose_answer else list(updates)

    def _answers(self, asked: Ask) -> list[Event]:
        answers: list[Event] = [self.venue.update(name) for name in asked.client_ids]
        if asked.fills_from_ms is not None:
            answers += [f for f in self.venue.fills if f.time_ms >= asked.fills_from_ms]
        return answers

    def restart(self) -> None:
        """Go on after a kill: what was stored is all that is known; then the venue is asked for everything."""
        self.dies_in = None
        self.venue.mail.clear()
        self.state = self.stored or self.state
        self.feed(self.snapshot())
        for fill in self.venue.fills:
            self.feed(fill)

    def snapshot(self) -> OpenOrdersSeen:
        """Return what the venue holds now."""
        return OpenOrdersSeen(self.venue.open_orders(), self.now_ms)

    def look(self) -> MarketView:
        """Return the market now."""
        mark = self.venue.mark
        return MarketView("BTC", self.now_ms, mark - 1, mark + 1, mark)

    def wait(self, ms: int) -> None:
        """Let time pass and show the market."""
        self.now_ms += ms
        self.venue.now_ms = self.now_ms
        self.feed(self.look())
        self.feed(Tick())

    def deliver_all(self) -> None:
        """Bring everything that the venue said."""
        while self.venue.mail:
            self.feed(self.venue.mail.pop(0))

    def calm(self, ms: int) -> None:
        """Let the venue be at its best for a while."""
        self.lose_request = self.lose_answer = self.deaf = False
        self.venue.share = Decimal(1)
        self.venue.drop_children = self.venue.refuse_stops = self.venue.refuse_entries = False
        for _ in range(ms // 100):
            self.wait(100)
            self.deliver_all()
            if self.state.done:
                return
