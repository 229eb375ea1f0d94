"""The trading desk compares itself with its venue: what is unknown goes, what is gone is written off, restarts too."""

import asyncio
import itertools
from decimal import Decimal
from pathlib import Path

import pytest
from desk_bed import Bed, Books, SmallVenue, ended, now_ms, until

from lotus.trading.accounts.reconcile import Difference
from lotus.trading.execution.orders import (
    AccountSnapshot,
    NewOrder,
    OrderState,
    Side,
    TimeInForce,
    VenueFill,
    client_order_id,
)
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.safety.kill_switch import KillSwitch


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    books = Books()
    return Bed(books, SmallVenue(books), KillSwitch(tmp_path).prepare())


def holds(desk: TradingDesk, bed: Bed) -> bool:
    """Return whether a plan knows of its fill; before that a comparison finds a difference."""
    return any(state.held for state in desk.states_of(bed.venue))


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


def test_what_the_venue_does_not_hold_any_more_is_written_off_its_plan_when_it_is_seen_twice(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("one", 60_000)
        await until(lambda: holds(desk, bed))
        (reconciler,) = desk.reconcilers
        assert await reconciler.compare() == ()
        bed.venue.stray = -bed.venue.held
        (gone,) = await reconciler.compare()
        assert gone.difference is Difference.POSITION_GONE
        await asyncio.sleep(0.2)
        assert not bed.books.finished, "a fill may be under way"
        await reconciler.compare()
        await until(lambda: len(bed.books.finished) == 1)
        (state,) = desk.states_of(bed.venue)
        assert [(f.side, f.px) for f in state.foreign.values()] == [(Side.SELL, Decimal(99_999))]
        await ended(task)

    asyncio.run(go())


def test_a_position_that_moves_while_it_is_looked_at_is_not_judged(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("one", 60_000)
        await until(lambda: holds(desk, bed))
        (reconciler,), sizes = desk.reconcilers, itertools.cycle((Decimal("0.5"), Decimal(0)))
        account = bed.venue.account

        async def moving() -> AccountSnapshot:
            bed.venue.stray = next(sizes)
            return await account()

        bed.venue.account = moving  # type: ignore[method-assign]
        bed.venue.stray = Decimal(0)
        for _ in range(3):
            assert await reconciler.compare() == ()
        await ended(task)

    asyncio.run(go())


def test_fills_of_an_exit_that_went_out_unwritten_are_its_plans_after_a_restart(bed: Bed) -> None:
    async def go() -> None:
        first = asyncio.create_task(bed.desk().run())
        name = bed.accept("one", 60_000)
        await until(lambda: bed.venue.held > 0)
        await ended(first)
        size = bed.venue.held / 2
        for k in range(2):
            fill = VenueFill(f"x{k}", client_order_id(name, "exit", 0), 9, "BTC", Side.SELL, size, Decimal(99_999),
                             Decimal("0.1"), True, now_ms())  # fmt: skip
            bed.venue.fills.append(fill)
        order = NewOrder(fill.client_id, "BTC", Side.SELL, 2 * size, Decimal(99_999), TimeInForce.IOC, True)
        bed.venue.orders[fill.client_id] = order, OrderState.FILLED
        desk = bed.desk()
        second = asyncio.create_task(desk.run())
        await until(lambda: len(bed.books.finished) == 1)
        (state,) = desk.states_of(bed.venue)
        assert not state.foreign
        assert not state.alarms
        assert not bed.venue.repeated
        await ended(second)

    asyncio.run(go())


def test_fills_of_a_plan_that_is_forgotten_while_it_is_looked_are_nobody_elses(bed: Bed) -> None:
    async def go() -> None:
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        over = bed.accept("one", 300)
        await until(lambda: len(bed.books.finished) == 1)
        bed.accept("two", 60_000)
        await until(lambda: holds(desk, bed))
        account, looks = bed.venue.account, itertools.count(1)

        async def forgetting() -> AccountSnapshot:
            if next(looks) == 2:
                del desk._table.runs[over]
            return await account()

        bed.venue.account = forgetting  # type: ignore[method-assign]
        (reconciler,) = desk.reconcilers
        assert await reconciler.compare() == ()
        assert over not in desk._table.runs
        assert all(not state.foreign for state in desk.states_of(bed.venue))
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
        await until(lambda: holds(desk, bed))
        (reconciler,) = desk.reconcilers
        await reconciler.compare()
        assert await reconciler.compare() == ()
        assert all(not state.foreign for state in desk.states_of(bed.venue))
        await ended(second)

    asyncio.run(go())
