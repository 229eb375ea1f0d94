"""A small venue, books that can fail and a market that is always seen, for tests of the trading desk."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import psycopg
from msgspec import UNSET

from lotus.manifest import Asset
from lotus.modules.messages.trading import PlanReference
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import (
    AccountSnapshot,
    NewOrder,
    OpenOrder,
    OrderGrouping,
    OrderState,
    OrderUpdate,
    Side,
    VenueFill,
    VenuePosition,
)
from lotus.trading.plan.knob_choice import KnobChoice
from lotus.trading.plan.plan import Authority, Plan, ProbeTerms, probe_plan
from lotus.trading.venue import VenueEvent
from lotus_desk.execution.books import PlanDelta
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.execution.stored import stored
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.trading.plans import PlanRow
from lotus_venues.event_queue import EventQueue

BTC = Asset("BTC", 5)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Books:
    """Rows in memory; `is_down` refuses to write, `takes_s` is how long a write takes before it is done."""

    rows: dict[str, PlanRow] = field(default_factory=dict)
    is_down: bool = False
    takes_s: float = 0.0
    writes: int = 0
    at_work: bool = False
    closed_at_work: int = 0
    finished: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    noted: list[VenueFill] = field(default_factory=list)

    def note(self, _venue: str, orders: Sequence[NewOrder], fills: Sequence[VenueFill], _now_ms: int) -> None:
        self.names |= {order.client_id for order in orders}
        self.noted += fills

    def write(self, moved: Sequence[PlanDelta], _now_ms: int) -> None:
        if self.is_down:
            raise psycopg.OperationalError("the server is gone")
        self.at_work, self.writes = True, self.writes + 1
        time.sleep(self.takes_s)
        self.at_work = False
        for one in moved:
            stage = "done" if one.state.done else "working"
            self.rows[one.row.plan_id] = replace(self.rows[one.row.plan_id], stage=stage, execution=stored(one.state))
            self.names |= set(one.state.orders)
            self.finished += [one.row.plan_id] if one.finished else []

    def open_plans(self) -> list[PlanRow]:
        if self.is_down:
            raise psycopg.OperationalError("the server is gone")
        return [row for row in self.rows.values() if row.stage in ("accepted", "working")]

    def recorded(self, client_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(client_ids) & self.names

    def close(self) -> None:
        self.closed_at_work += self.at_work

    def accept(self, plan: Plan, choice: KnobChoice | None = None) -> None:
        knobs = UNSET if choice is None else to_plain(choice)
        row = PlanRow(
            plan.plan_id, "main", "d", "l", "probe", plan.coin, "local", "accepted", plan.created_ms, to_plain(plan),
            PlanReference(event_id=plan.signal_id, knobs=knobs), {},
        )  # fmt: skip
        self.rows[plan.plan_id] = row


@dataclass
class SmallVenue:
    """Fills every immediate order whole at its side of the book; keeps stops; remembers everything it was sent."""

    books: Books
    orders: dict[str, tuple[NewOrder, OrderState]] = field(default_factory=dict)
    fills: list[VenueFill] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    told: EventQueue = field(default_factory=EventQueue)
    told_at_end: list[VenueFill] = field(default_factory=list)
    stray: Decimal = Decimal(0)
    name: str = "local"
    universe: Sequence[Asset] = (BTC,)

    async def connect(self) -> None:
        self.told = EventQueue()

    async def close(self) -> None:
        self.told.put(self.told_at_end)
        self.told.close()

    async def place(
        self, orders: Sequence[NewOrder], grouping: OrderGrouping = OrderGrouping.NONE
    ) -> Sequence[OrderUpdate]:
        return [self._take(order) for order in orders]

    def _take(self, order: NewOrder) -> OrderUpdate:
        self.unwritten += [] if order.client_id in self.books.names or order.reduce_only else [order.client_id]
        self.repeated += [order.client_id] if order.client_id in self.orders else []
        if order.trigger is not None:
            self.orders[order.client_id] = order, OrderState.WAITING
            return OrderUpdate(order.client_id, OrderState.WAITING, now_ms(), len(self.orders))
        px = Decimal(100_001) if order.side is Side.BUY else Decimal(99_999)
        number = len(self.fills)
        fill = VenueFill(
            f"f{number}", order.client_id, number, "BTC", order.side, order.size, px, Decimal("0.1"), True, now_ms()
        )
        self.orders[order.client_id] = order, OrderState.FILLED
        self.fills.append(fill)
        self.told.put([fill])
        return OrderUpdate(order.client_id, OrderState.FILLED, now_ms(), number, order.size, px)

    async def cancel(self, coin: str, client_ids: Sequence[str]) -> Sequence[OrderUpdate]:
        for name in client_ids:
            self.orders[name] = self.orders[name][0], OrderState.CANCELED
        return [OrderUpdate(name, OrderState.CANCELED, now_ms()) for name in client_ids]

    async def modify(self, order: NewOrder) -> OrderUpdate:
        self.orders[order.client_id] = order, OrderState.WAITING
        return OrderUpdate(order.client_id, OrderState.WAITING, now_ms(), 1)

    async def set_leverage(self, coin: str, leverage: int, is_cross: bool = True) -> None:
        return

    async def account(self) -> AccountSnapshot:
        held = VenuePosition("BTC", self.held, Decimal(100_000), Decimal(0), Decimal(0), 5)
        return AccountSnapshot(Decimal(10_000), Decimal(0), Decimal(10_000), (held,) if self.held else (), now_ms())

    async def open_orders(self) -> Sequence[OpenOrder]:
        return [
            OpenOrder(o.client_id, 1, o.coin, o.side, o.size, o.size, o.limit_px, 0, o.reduce_only, o.trigger)
            for o, state in self.orders.values()
            if state is OrderState.WAITING
        ]

    async def order_of(self, client_id: str) -> OrderUpdate:
        if client_id not in self.orders:
            return OrderUpdate(client_id, OrderState.NEVER_PLACED, now_ms())
        order, state = self.orders[client_id]
        filled = order.size if state is OrderState.FILLED else Decimal(0)
        return OrderUpdate(client_id, state, now_ms(), 1, filled)

    async def fills_since(self, time_ms: int) -> Sequence[VenueFill]:
        return [fill for fill in self.fills if fill.time_ms >= time_ms]

    async def schedule_cancel(self, time_ms: int | None) -> bool:
        return False

    def events(self) -> AsyncIterator[VenueEvent]:
        return self.told.read()

    async def server_time_ms(self) -> int:
        return now_ms()

    async def best_prices(self, coin: str) -> tuple[Decimal, Decimal] | None:
        return Decimal(99_999), Decimal(100_001)

    @property
    def held(self) -> Decimal:
        return sum((int(f.side) * f.size for f in self.fills), self.stray)


class FreshMarket(MarketSnapshot):
    """A market whose market was seen just now."""

    def view(self, coin: str) -> MarketView:
        return MarketView(coin, now_ms(), Decimal(99_999), Decimal(100_001), Decimal(100_000))


@dataclass
class Bed:
    """A desk over books and a venue, on a market that is always fresh."""

    books: Books
    venue: SmallVenue
    switch: KillSwitch

    def desk(self) -> TradingDesk:
        terms = DeskTerms(Decimal(1000), Decimal(300), Decimal(10**6), 5_000)
        venues: Any = {"a": self.venue}
        books: Any = self.books
        return TradingDesk(books, FreshMarket((BTC,), "local", terms, now_ms), venues, self.switch)

    def accept(self, name: str, hold_ms: int, choice: KnobChoice | None = None, kind: str = "probe") -> str:
        terms = ProbeTerms(Decimal(1000), Decimal(300), Authority("a", Decimal(10**6), ("tr",)), ("local",))
        plan = probe_plan(name, BTC, Side.BUY, Decimal(100_000), now_ms(), hold_ms, terms)
        self.books.accept(plan, choice)
        self.books.rows[plan.plan_id] = replace(self.books.rows[plan.plan_id], kind=kind)
        return plan.plan_id


async def until(holds: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.01)


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
