"""The trading desk against a small venue and books that can fail: writing before sending, outages, halts, restarts."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lotus.manifest import Asset
from lotus.trading.knob_choice import KnobChoice
from lotus.trading.order_machine import Purpose
from lotus.trading.orders import (
    Account,
    Grouping,
    NewOrder,
    OpenOrder,
    OrderState,
    OrderUpdate,
    Side,
    VenueFill,
    VenuePosition,
)
from lotus.trading.plan import Authority, Plan, ProbeTerms, probe_plan
from lotus.trading.reconcile import Difference
from lotus.trading.venue import VenueEvent
from lotus.trading.watch import MarketView
from lotus_live.trade import desk as desk_module
from lotus_live.trade.books import Moved
from lotus_live.trade.desk import TradingDesk
from lotus_live.trade.floor import FloorTerms, TradingFloor
from lotus_live.trade.kill_switch import FLATTENED, HALTED, LIFTED, KillSwitch
from lotus_live.trade.result import report_payload
from lotus_live.trade.stored import restored, stored
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.plans import PlanRow

BTC = Asset("BTC", 5)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Books:
    """Rows in memory; `is_down` refuses to write."""

    rows: dict[str, PlanRow] = field(default_factory=dict)
    is_down: bool = False
    finished: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    noted: list[VenueFill] = field(default_factory=list)

    def note(self, orders: Sequence[NewOrder], fills: Sequence[VenueFill], _now_ms: int) -> None:
        self.names |= {order.client_id for order in orders}
        self.noted += fills

    def write(self, moved: Sequence[Moved], _now_ms: int) -> None:
        if self.is_down:
            raise psycopg.OperationalError("the server is gone")
        for one in moved:
            stage = "done" if one.state.done else "working"
            self.rows[one.row.plan_id] = replace(self.rows[one.row.plan_id], stage=stage, execution=stored(one.state))
            self.names |= set(one.state.orders)
            self.finished += [one.row.plan_id] if one.finished else []

    def open_plans(self) -> list[PlanRow]:
        if self.is_down:
            raise psycopg.OperationalError("the server is gone")
        return [row for row in self.rows.values() if row.stage in ("accepted", "working")]

    def known(self, client_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(client_ids) & self.names

    def close(self) -> None:
        return

    def accept(self, plan: Plan, choice: KnobChoice | None = None) -> None:
        knobs = {} if choice is None else {"knobs": to_plain(choice)}
        row = PlanRow(
            plan.plan_id, "main", "d", "l", "probe", plan.coin, "local", "accepted", plan.created_ms, to_plain(plan),
            {"event_id": plan.signal_id} | knobs, {},
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
    told: "asyncio.Queue[VenueEvent]" = field(default_factory=asyncio.Queue)
    stray: Decimal = Decimal(0)
    name: str = "local"
    universe: Sequence[Asset] = (BTC,)

    async def connect(self) -> None:
        self.told = asyncio.Queue()

    async def close(self) -> None:
        return

    async def place(self, orders: Sequence[NewOrder], grouping: Grouping = Grouping.NONE) -> Sequence[OrderUpdate]:
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
        self.told.put_nowait(fill)
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

    async def account(self) -> Account:
        held = VenuePosition("BTC", self.held, Decimal(100_000), Decimal(0), Decimal(0), 5)
        return Account(Decimal(10_000), Decimal(0), Decimal(10_000), (held,) if self.held else (), now_ms())

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

    async def events(self) -> AsyncIterator[VenueEvent]:
        while True:
            yield await self.told.get()

    async def server_time_ms(self) -> int:
        return now_ms()

    async def best_prices(self, coin: str) -> tuple[Decimal, Decimal] | None:
        return Decimal(99_999), Decimal(100_001)

    @property
    def held(self) -> Decimal:
        return sum((int(f.side) * f.size for f in self.fills), self.stray)


class FreshFloor(TradingFloor):
    """A floor whose market was seen just now."""

    def view(self, coin: str) -> MarketView:
        return MarketView(coin, now_ms(), Decimal(99_999), Decimal(100_001), Decimal(100_000))


@dataclass
class Bed:
    """A desk over books and a venue, on a market that is always fresh."""

    books: Books
    venue: SmallVenue
    switch: KillSwitch

    def desk(self) -> TradingDesk:
        terms = FloorTerms(Decimal(1000), Decimal(300), Decimal(10**6), 5_000)
        venues: Any = {"a": self.venue}
        books: Any = self.books
        return TradingDesk(books, FreshFloor((BTC,), "local", terms, now_ms), venues, self.switch)

    def accept(self, name: str, hold_ms: int, choice: KnobChoice | None = None, kind: str = "probe") -> str:
        terms = ProbeTerms(Decimal(1000), Decimal(300), Authority("a", Decimal(10**6), ("tr",)), ("local",))
        plan = probe_plan(name, "l", BTC, Side.BUY, Decimal(100_000), now_ms(), hold_ms, terms)
        self.books.accept(plan, choice)
        self.books.rows[plan.plan_id] = replace(self.books.rows[plan.plan_id], kind=kind)
        return plan.plan_id


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    books = Books()
    return Bed(books, SmallVenue(books), KillSwitch(tmp_path))


async def until(holds: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.01)


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_plan_is_written_before_it_is_sent_and_reported_when_it_is_closed(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        plan = bed.accept("one", 600)
        await asyncio.sleep(0.05)
        desk.woken()
        await until(lambda: bed.books.finished == [plan])
        assert bed.venue.unwritten == bed.venue.repeated == []
        assert bed.venue.held == 0
        assert {state for _, state in bed.venue.orders.values()} == {OrderState.FILLED, OrderState.CANCELED}
        await until(lambda: desk.counts.finished == 1)
        await ended(task)

    asyncio.run(go())


def test_a_plan_is_executed_with_the_knobs_chosen_for_it_and_its_report_names_them(bed: Bed) -> None:
    choice = KnobChoice("f" * 32, 12 * "0", {"execution:exit_slippage": 1.05})

    async def go() -> None:
        task = asyncio.create_task(bed.desk().run())
        plain, moved = bed.accept("plain", 300), bed.accept("moved", 300, choice)
        await until(lambda: len(bed.books.finished) == 2)
        await ended(task)
        states = {name: restored(bed.books.rows[name].execution) for name in (plain, moved)}
        assert {name: state.knobs.exit_slippage for name, state in states.items()} == {plain: 100.0, moved: 105.0}
        older = {k: v for k, v in bed.books.rows[plain].execution.items() if k != "leaving_px"}
        assert restored(older) == replace(states[plain], leaving_px=None), "a row of an older release is read"
        exits = {name: next(state.of(Purpose.EXIT)).order.limit_px for name, state in states.items()}
        assert exits == {plain: Decimal(99_000), moved: Decimal(98_950)}
        stated = {"priors_ver": "f" * 32, "context": 12 * "0", "moved": choice.moved, "trial": None}
        told = {name: report_payload(bed.books.rows[name], states[name], 0)["report"]["knobs"] for name in states}
        assert told == {plain: None, moved: stated}

    asyncio.run(go())


def test_a_plan_is_lowered_and_held_on_as_its_row_says_over_a_restart_too(bed: Bed) -> None:
    def stops() -> Decimal:
        resting = [o for o, state in bed.venue.orders.values() if o.trigger and state is OrderState.WAITING]
        return sum((order.size for order in resting), Decimal(0))

    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        plan = bed.accept("one", 1_500, kind="book")
        await until(lambda: bed.venue.held == Decimal("0.01"))
        row = bed.books.rows[plan]
        bed.books.rows[plan] = replace(row, ceiling=Decimal("0.004"), exit_at_ms=now_ms() + 60_000)
        desk.woken()
        await until(lambda: bed.venue.held == stops() == Decimal("0.004"))
        assert desk.floor.held == {"a": {"BTC": Decimal("0.004")}}
        await ended(task)
        bed.books.rows[plan] = replace(bed.books.rows[plan], ceiling=Decimal("0.002"))
        again = bed.desk()
        task = asyncio.create_task(again.run())
        await until(lambda: bed.venue.held == stops() == Decimal("0.002"))
        await asyncio.sleep(1.0)
        assert bed.books.finished == [], "its first exit time is over, and it was moved on"
        bed.books.rows[plan] = replace(bed.books.rows[plan], ceiling=Decimal(0))
        again.woken()
        await until(lambda: bed.books.finished == [plan])
        assert (bed.venue.held, stops(), bed.venue.repeated) == (0, 0, [])
        await ended(task)

    asyncio.run(go())


def test_without_books_nothing_is_opened_and_what_is_open_is_closed(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("one", 900)
        bed.accept("two", 60_000)
        await asyncio.sleep(0.05)
        desk.woken()
        await until(lambda: bed.venue.held == 2 * Decimal("0.01"))
        bed.books.is_down = True
        await until(lambda: bed.venue.held == Decimal("0.01"))
        assert desk.counts.write_failures > 0
        bed.books.is_down = False
        await until(lambda: len(bed.books.finished) == 1)
        assert bed.venue.repeated == []
        await ended(task)

    asyncio.run(go())


def test_an_entry_that_could_not_be_written_is_never_sent(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        await asyncio.sleep(0.05)
        plan = bed.accept("one", 60_000)
        real = bed.books.write

        def down_after_reading(moved: Sequence[Moved], at_ms: int) -> None:
            raise psycopg.OperationalError("the server is gone")

        bed.books.write = down_after_reading  # type: ignore[method-assign]
        desk.woken()
        await until(lambda: desk.counts.write_failures > 0)
        bed.books.write = real  # type: ignore[method-assign]
        await until(lambda: bed.books.finished == [plan])
        assert bed.venue.orders == {}
        await ended(task)

    asyncio.run(go())


@pytest.mark.parametrize("books_down", [False, True])
def test_the_switch_ends_opening_and_leaves_every_position_within_two_seconds(bed: Bed, books_down: bool) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("one", 60_000)
        await asyncio.sleep(0.05)
        desk.woken()
        await until(lambda: bed.venue.held > 0)
        bed.books.is_down = books_down
        bed.switch.throw(flatten=True)
        await until(lambda: bed.venue.held == 0, limit_s=2.0)
        assert desk.floor.halted
        bed.books.is_down = False
        bed.accept("late", 60_000)
        desk.woken()
        sent = len(bed.venue.orders)
        await asyncio.sleep(0.5)
        assert len(bed.venue.orders) == sent
        await ended(task)

    asyncio.run(go())


def test_a_killed_desk_goes_on_with_what_it_left(bed: Bed) -> None:
    async def go() -> None:
        first = asyncio.create_task(bed.desk().run())
        plan = bed.accept("one", 2_500)
        await until(lambda: bed.venue.held > 0 or first.done())
        await ended(first)
        assert bed.venue.held == Decimal("0.01")
        desk = bed.desk()
        second = asyncio.create_task(desk.run())
        await until(lambda: bed.books.finished == [plan])
        assert bed.venue.held == 0
        assert bed.venue.repeated == []
        await ended(second)

    asyncio.run(go())


def test_what_nobody_here_knows_is_taken_away_and_what_is_missing_is_asked_for(bed: Bed) -> None:
    stray = NewOrder("0x" + "9" * 32, "BTC", Side.BUY, Decimal("0.5"), Decimal(90_000))
    bed.venue.orders[stray.client_id] = stray, OrderState.WAITING
    bed.venue.stray = Decimal("0.03")

    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        await asyncio.sleep(0.2)
        assert bed.venue.orders[stray.client_id][1] is OrderState.CANCELED
        assert bed.venue.held == Decimal("0.03"), "a position is closed only when it is seen twice"
        (reconciler,) = desk.reconcilers
        await reconciler.compare()
        assert bed.venue.held == 0
        assert await reconciler.compare() == ()
        (closing,) = bed.venue.fills
        assert closing.client_id in bed.books.names, "written down before it was sent"
        assert bed.books.noted == [closing]
        assert reconciler.differences == {Difference.ORPHAN: 1, Difference.POSITION_UNTRACKED: 2}
        await ended(task)

    asyncio.run(go())


def test_fills_of_plans_that_are_over_are_nobody_elses(bed: Bed) -> None:
    async def go() -> None:
        first = asyncio.create_task(bed.desk().run())
        bed.accept("one", 300)
        await until(lambda: len(bed.books.finished) == 1)
        await ended(first)
        desk = bed.desk()
        second = asyncio.create_task(desk.run())
        bed.accept("two", 60_000)
        await until(lambda: bed.venue.held > 0)
        (reconciler,) = desk.reconcilers
        await reconciler.compare()
        assert await reconciler.compare() == ()
        assert all(not state.foreign for state in desk.states_of(bed.venue))
        await ended(second)

    asyncio.run(go())


def test_the_switch_is_a_file_that_stays_thrown(tmp_path: Path) -> None:
    switch = KillSwitch(tmp_path)
    assert switch.state() == LIFTED
    switch.throw()
    assert KillSwitch(tmp_path).state() == HALTED
    switch.throw(flatten=True)
    switch.throw()
    assert switch.state() == FLATTENED, "a later halt does not weaken it"
    switch.path.write_text("\x00garbage")
    assert switch.state() == HALTED
    switch.lift()
    switch.lift()
    assert switch.state() == LIFTED


def test_a_command_that_breaks_is_told_and_compared_at_once(bed: Bed, capsys: pytest.CaptureFixture[str]) -> None:
    async def place(orders: Sequence[NewOrder], grouping: Grouping = Grouping.NONE) -> Sequence[OrderUpdate]:
        real_place(orders, grouping)
        raise KeyError("statuses")

    def real_place(orders: Sequence[NewOrder], grouping: Grouping) -> None:
        for order in orders:
            bed.venue._take(order)

    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        await until(lambda: desk.recovered)
        compared: list[float] = []
        real = bed.venue.open_orders

        async def open_orders() -> Sequence[OpenOrder]:
            compared.append(time.monotonic())
            return await real()

        bed.venue.open_orders = open_orders  # type: ignore[method-assign]
        bed.venue.place = place  # type: ignore[method-assign]
        bed.accept("one", 60_000)
        desk.woken()
        await until(lambda: desk.counts.broken > 0)
        await until(lambda: bool(compared), limit_s=1.0)
        assert "place of plan" in desk.counts.last_broken
        assert "statuses" in desk.counts.last_broken
        assert bed.venue.held > 0
        assert bed.venue.repeated == []
        await ended(task)

    asyncio.run(go())
    assert "desk: place of plan" in capsys.readouterr().err


def test_a_listener_that_breaks_is_heard_and_begun_again(bed: Bed) -> None:
    lives: list[int] = []

    async def events() -> AsyncIterator[VenueEvent]:
        lives.append(len(lives))
        if len(lives) == 1:
            raise ValueError("no stream")
        if len(lives) == 2:
            return
        while True:
            yield await bed.venue.told.get()

    async def go() -> None:
        bed.venue.events = events  # type: ignore[method-assign]
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        await until(lambda: len(lives) == 3)
        assert desk.counts.broken == 2
        assert "listening to a" in desk.counts.last_broken
        assert "ended by itself" in desk.counts.last_broken
        plan = bed.accept("one", 600)
        await until(lambda: bed.books.finished == [plan])
        await ended(task)

    asyncio.run(go())


def test_the_clock_of_the_desk_goes_on_after_a_fault_and_still_sees_the_switch(
    bed: Bed, capsys: pytest.CaptureFixture[str]
) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("one", 60_000)
        await until(lambda: bed.venue.held > 0)
        real, whole_s = desk.floor.view, time.monotonic() + 0.3

        def view(coin: str) -> MarketView | None:
            if time.monotonic() < whole_s:
                raise RuntimeError("no market")
            return real(coin)

        desk.floor.view = view  # type: ignore[method-assign]
        await until(lambda: time.monotonic() > whole_s)
        bed.switch.throw(flatten=True)
        await until(lambda: bed.venue.held == 0, limit_s=2.0)
        await ended(task)

    asyncio.run(go())
    assert "the clock of the desk broke" in capsys.readouterr().err


def test_a_plan_at_fault_does_not_end_the_others(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    real = desk_module.step

    def step(state: Any, event: Any, at_ms: int) -> Any:
        if state.plan.signal_id == "bad":
            raise ZeroDivisionError
        return real(state, event, at_ms)

    async def go() -> None:
        monkeypatch.setattr(desk_module, "step", step)
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("bad", 60_000)
        good = bed.accept("good", 600)
        await until(lambda: bed.books.finished == [good])
        assert desk.counts.broken > 0
        await ended(task)

    asyncio.run(go())
