"""The trading desk against a small venue and books that can fail: writing before sending, outages, halts, restarts."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from desk_bed import Bed, Books, SmallVenue, ended, until

from lotus.modules.intents import Module
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import (
    NewOrder,
    OpenOrder,
    OrderGrouping,
    OrderState,
    OrderUpdate,
)
from lotus.trading.venue import VenueEvent
from lotus_desk.execution import desk as desk_module
from lotus_desk.execution.books import PlanDelta
from lotus_desk.safety.kill_switch import FLATTENED, HALTED, LIFTED, KillSwitch

pytestmark = pytest.mark.clock("a desk turns over wall time")


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    books = Books()
    return Bed(books, SmallVenue(books), KillSwitch(tmp_path).prepare())


def test_a_plan_is_written_before_it_is_sent_and_reported_when_it_is_closed(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        plan = bed.accept("one", 600)
        await asyncio.sleep(0.05)
        desk.applied(Module.TR)
        await until(lambda: bed.books.finished == [plan])
        assert bed.venue.unwritten == bed.venue.repeated == []
        assert bed.venue.held == 0
        assert {state for _, state in bed.venue.orders.values()} == {OrderState.FILLED, OrderState.CANCELED}
        await until(lambda: desk.counts.finished == 1)
        await ended(task)

    asyncio.run(go())


def test_without_books_nothing_is_opened_and_what_is_open_is_closed(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("one", 900)
        bed.accept("two", 60_000)
        await asyncio.sleep(0.05)
        desk.applied(Module.TR)
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

        def down_after_reading(moved: Sequence[PlanDelta], at_ms: int) -> None:
            raise psycopg.OperationalError("the server is gone")

        bed.books.write = down_after_reading  # type: ignore[method-assign]
        desk.applied(Module.TR)
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
        desk.applied(Module.TR)
        await until(lambda: bed.venue.held > 0)
        bed.books.is_down = books_down
        bed.switch.throw(flatten=True)
        await until(lambda: bed.venue.held == 0, limit_s=2.0)
        assert desk.market.halted
        bed.books.is_down = False
        bed.accept("late", 60_000)
        desk.applied(Module.TR)
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


def test_books_that_are_late_every_time_still_take_a_plan_to_its_end_once(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "BOOKS_S", 0.05)

    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        plan = bed.accept("one", 700)
        await until(lambda: bed.venue.held > 0)
        bed.books.takes_s = 0.15
        await until(lambda: desk.counts.finished == 1)
        assert (bed.venue.held, bed.books.finished) == (0, [plan])
        assert desk.counts.write_failures > 0, "it was late"
        writes = bed.books.writes
        await asyncio.sleep(0.6)
        assert bed.books.writes <= writes + 1, "what is written is not written again and again"
        await ended(task)

    asyncio.run(go())


def test_a_desk_that_ends_lets_its_books_end_first_and_notes_what_it_was_told_last(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("one", 60_000)
        await until(lambda: bed.venue.held > 0)
        await until(lambda: not any(work.is_changed for work in desk._table.runs.values()))
        (first,) = bed.venue.fills
        last = replace(first, fill_id="last")
        bed.venue.told_at_end.append(last)
        bed.books.takes_s = 0.2
        bed.switch.throw(flatten=True)
        await until(lambda: bed.books.at_work)
        await ended(task)
        assert not bed.books.at_work
        assert bed.books.closed_at_work == 0
        assert bed.books.noted == [last], "the first was written with its plan"

    asyncio.run(go())


def test_the_switch_is_a_file_that_stays_thrown(tmp_path: Path) -> None:
    switch = KillSwitch(tmp_path).prepare()
    assert switch.state() == LIFTED
    switch.throw()
    assert KillSwitch(tmp_path).state() == HALTED
    switch.throw(flatten=True)
    switch.throw()
    assert switch.state() == FLATTENED, "a later halt does not weaken it"
    switch.lift()
    switch.lift()
    assert switch.state() == LIFTED
    switch.path.write_text("\x00garbage")
    assert switch.state() == HALTED


def test_a_command_that_breaks_is_told_and_compared_at_once(bed: Bed, caplog: pytest.LogCaptureFixture) -> None:
    async def place(orders: Sequence[NewOrder], grouping: OrderGrouping = OrderGrouping.NONE) -> Sequence[OrderUpdate]:
        real_place(orders, grouping)
        raise KeyError("statuses")

    def real_place(orders: Sequence[NewOrder], grouping: OrderGrouping) -> None:
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
        desk.applied(Module.TR)
        await until(lambda: desk.counts.broken > 0)
        await until(lambda: bool(compared), limit_s=1.0)
        assert "place of plan" in desk.counts.last_broken
        assert "statuses" in desk.counts.last_broken
        assert bed.venue.held > 0
        assert bed.venue.repeated == []
        await ended(task)

    asyncio.run(go())
    assert "place of plan" in caplog.text


def test_a_listener_that_breaks_is_heard_and_begun_again(bed: Bed) -> None:
    lives: list[int] = []

    async def events() -> AsyncIterator[VenueEvent]:
        lives.append(len(lives))
        if len(lives) == 1:
            raise ValueError("no stream")
        if len(lives) == 2:
            return
        async for event in bed.venue.told.read():
            yield event

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
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("one", 60_000)
        await until(lambda: bed.venue.held > 0)
        real, whole_s = desk.market.view, time.monotonic() + 0.3

        def view(coin: str) -> MarketView | None:
            if time.monotonic() < whole_s:
                raise RuntimeError("no market")
            return real(coin)

        desk.market.view = view  # type: ignore[method-assign]
        await until(lambda: time.monotonic() > whole_s)
        bed.switch.throw(flatten=True)
        await until(lambda: bed.venue.held == 0, limit_s=2.0)
        await ended(task)

    asyncio.run(go())
    assert "the clock of the desk broke" in caplog.text
