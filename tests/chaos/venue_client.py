"""A minimal reconciling client of a venue: places, cancels, modifies, and believes nothing that it was not told.

It keeps what any trader must: a state by name, every fill once, what a name may still fill. It asks again for what is
unknown. The referee compares it with the exchange's own books.
"""

import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

from check_venue import BID, COIN, Bed

from lotus.errors import VenueError
from lotus.trading.execution.orders import (
    NewOrder,
    OrderGrouping,
    OrderState,
    OrderUpdate,
    Side,
    TimeInForce,
    VenueFill,
)
from lotus.trading.venue import Venue

LOT = Decimal("0.001")
REFUSED = frozenset({OrderState.REJECTED, OrderState.NEVER_PLACED})


@dataclass(slots=True)
class Tracked:
    """One order of the client: what it asked for, where it believes it stands, how often it asked for a change."""

    order: NewOrder
    state: OrderState = OrderState.UNKNOWN
    modifies: int = 0
    allowed: Decimal = Decimal(0)


@dataclass(slots=True)
class Client:
    """Acts at random through the port of a bed; `venue` is replaced when it restarts."""

    bed: Bed
    dice: random.Random
    orders: dict[str, Tracked] = field(default_factory=dict)
    fills: dict[str, VenueFill] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    read: int = 0
    filled_ms: int = 0
    asked: int = 0

    @property
    def venue(self) -> Venue:
        """The venue as it is now."""
        return self.bed.venue

    async def act(self) -> None:
        """Do one thing; `VenueError` promises that nothing happened."""
        kinds = {"gtc": 5, "ioc": 4, "alo": 1, "group": 3, "again": 1, "cancel": 5, "modify": 2}
        kind = self.dice.choices(list(kinds), list(kinds.values()))[0]
        self.done[kind] += 1
        with contextlib.suppress(VenueError):
            match kind:
                case "group":
                    await self._group()
                case "again":
                    await self._again()
                case "cancel":
                    await self._cancel()
                case "modify":
                    await self._modify()
                case _:
                    await self._place([self._order(kind)])
        self.listen()

    def listen(self) -> None:
        """Take the events told since the last call."""
        events, self.read = self.bed.told[self.read :], len(self.bed.told)
        for event in events:
            if isinstance(event, VenueFill):
                self.fills[event.fill_id] = event
            elif isinstance(event, OrderUpdate):
                self._take(event)

    async def reconcile(self, patient: bool = False) -> int:
        """Ask for everything unknown, for missed fills and what should be open; return how many stay unknown."""
        self.listen()
        with contextlib.suppress(VenueError):
            began_ms = await self.venue.server_time_ms()
            for fill in await self.venue.fills_since(0 if patient else self.filled_ms - 5_000):
                self.fills[fill.fill_id] = fill
            self.filled_ms = began_ms
            shown = {order.client_id for order in await self.venue.open_orders()}
            for name, tracked in self.orders.items():
                is_doubtful = tracked.state is OrderState.UNKNOWN or (name in shown) == tracked.state.is_final
                if is_doubtful or (patient and not tracked.state.is_final):
                    self.asked += 1
                    self._take(await self.venue.order_of(name), is_answer=True)
        return sum(tracked.state is OrderState.UNKNOWN for tracked in self.orders.values())

    async def _place(self, orders: list[NewOrder], grouping: OrderGrouping = OrderGrouping.NONE) -> None:
        for order in orders:
            self.orders[order.client_id] = Tracked(order, allowed=order.size)
        try:
            for update in await self.venue.place(orders, grouping):
                self._take(update)
        except VenueError:
            for order in orders:
                del self.orders[order.client_id]
            self.done["refused"] += 1

    async def _group(self) -> None:
        entry = self._order(self.dice.choice(["ioc", "gtc"]))
        side, distance = entry.side.opposite, Decimal(self.dice.randint(50, 300))
        stop = self.bed.stop(side, BID + side * distance, size=entry.size)
        await self._place([entry, stop], OrderGrouping.ENTRY_WITH_EXITS)

    async def _again(self) -> None:
        if self.orders:
            tracked = self.orders[self.dice.choice(list(self.orders))]
            for update in await self.venue.place([tracked.order]):
                self._take(update)

    async def _cancel(self) -> None:
        names = [name for name, tracked in self.orders.items() if not tracked.state.is_final]
        if names:
            chosen = self.dice.sample(names, min(len(names), self.dice.randint(1, 3)))
            for update in await self.venue.cancel(COIN, chosen):
                self._take(update)

    async def _modify(self) -> None:
        resting = [t for t in self.orders.values() if t.state is OrderState.RESTING and t.order.trigger is None]
        if not resting:
            return
        tracked = self.dice.choice(resting)
        changed = replace(tracked.order, limit_px=self._px(tracked.order.side), size=self._size())
        tracked.modifies += 1
        tracked.allowed += changed.size
        self._take(await self.venue.modify(changed))

    def _order(self, kind: str) -> NewOrder:
        side = self.dice.choice(list(Side))
        if kind == "ioc":
            return self.bed.order(side, BID + side * 500, self._size(), TimeInForce.IOC)
        tif = TimeInForce.ALO if kind == "alo" else TimeInForce.GTC
        return self.bed.order(side, self._px(side), self._size(), tif)

    def _px(self, side: Side) -> Decimal:
        return BID - side * self.dice.randint(0, 60)

    def _size(self) -> Decimal:
        return LOT * self.dice.randint(1, 9)

    def _take(self, update: OrderUpdate, is_answer: bool = False) -> None:
        """Believe an update: a final state stands, and `UNKNOWN` never replaces something known."""
        tracked = self.orders.get(update.client_id)
        if tracked is None or tracked.state.is_final:
            return
        if update.state is not OrderState.UNKNOWN or tracked.state is OrderState.UNKNOWN or is_answer:
            tracked.state = update.state
