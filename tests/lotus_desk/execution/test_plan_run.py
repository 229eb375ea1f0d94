"""A plan under way: one at fault does not end the others, a command is taken once, and at rest nothing is done."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk_bed import Bed, Books, SmallVenue, ended, until

from lotus.manifest import Asset
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.events import Ask, Event, Place, Steer, Tick
from lotus.trading.execution.executor import begin
from lotus.trading.execution.orders import NewOrder, OrderGrouping, OrderState, OrderUpdate, Side, VenueFill
from lotus.trading.plan.plan import Authority, Limits, Plan, PlanId, PlanKind
from lotus_desk.execution import plan_run as work_module
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.execution.plan_run import PlanRun
from lotus_desk.safety.kill_switch import KillSwitch

pytestmark = pytest.mark.clock("a desk turns over wall time")


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    books = Books()
    return Bed(books, SmallVenue(books), KillSwitch(tmp_path).prepare())


def test_what_is_told_while_a_command_is_under_way_is_taken_once(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Event] = []
    real = TradingDesk._step

    def step(desk: TradingDesk, work: PlanRun, event: Event) -> None:
        taken.append(event)
        real(desk, work, event)

    async def go() -> None:
        may_answer, place = asyncio.Event(), bed.venue.place

        async def slow(
            orders: Sequence[NewOrder], grouping: OrderGrouping = OrderGrouping.NONE
        ) -> Sequence[OrderUpdate]:
            answers = await place(orders, grouping)
            await may_answer.wait()
            return answers

        bed.venue.place = slow  # type: ignore[method-assign]
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        plan = bed.accept("one", 60_000)
        await until(lambda: bed.venue.held > 0)
        first, second = Steer(Decimal(7), None), Steer(Decimal(6), None)
        desk.post(plan, first)
        await until(lambda: first in taken)
        desk.post(plan, second)
        may_answer.set()
        await until(lambda: second in taken)
        await asyncio.sleep(0.3)
        assert (taken.count(first), taken.count(second)) == (1, 1)
        await ended(task)

    monkeypatch.setattr(TradingDesk, "_step", step)
    asyncio.run(go())


def test_a_plan_at_fault_does_not_end_the_others(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    real = work_module.step

    def step(state: Any, event: Any, at_ms: int) -> Any:
        if state.plan.signal_id == "bad":
            raise ZeroDivisionError
        return real(state, event, at_ms)

    async def go() -> None:
        monkeypatch.setattr(work_module, "step", step)
        desk = bed.desk()
        task = asyncio.create_task(desk.run())
        bed.accept("bad", 60_000)
        good = bed.accept("good", 600)
        await until(lambda: bed.books.finished == [good])
        assert desk.counts.broken > 0
        await ended(task)

    asyncio.run(go())


PX = Decimal(100_000)
PLAN = Plan(
    plan_id=PlanId("p"),
    signal_id="s",
    decision_id="d",
    lifecycle_id="l",
    kind=PlanKind.PROBE,
    coin="BTC",
    side=Side.BUY,
    size=Decimal("0.01"),
    created_ms=0,
    valid_until_ms=60_000,
    stop_px=Decimal(99_000),
    exit_at_ms=50_000,
    limits=Limits(Decimal(1), Decimal(200_000), 5),
    authority=Authority("main", Decimal(50_000), ("tr",)),
    venues=("local",),
)


def view(time_ms: int, mark: Decimal = PX) -> MarketView:
    return MarketView("BTC", time_ms, mark - 1, mark + 1, mark)


def entered() -> PlanRun:
    """Return a plan whose entry is filled and whose stop the venue named last at 1,100 ms, all of it written."""
    row: Any = None
    venue: Any = None
    run = PlanRun(row, begin(PLAN, Asset("BTC", 5), "local", 1_000), venue)
    run.take(view(1_000), 1_000)
    (place,) = (command for command in run.commands if isinstance(command, Place))
    entry, stop = place.orders
    fill = VenueFill("f", entry.client_id, 1, "BTC", Side.BUY, entry.size, PX, Decimal(0), True, 1_050)
    run.take(fill, 1_050)
    run.take(OrderUpdate(entry.client_id, OrderState.FILLED, 1_050, 1, entry.size, PX), 1_050)
    run.take(OrderUpdate(stop.client_id, OrderState.WAITING, 1_100, 2), 1_100)
    run.commands, run.is_changed = [], False
    return run


def test_questions_and_their_answers_are_nothing_to_be_written() -> None:
    run = entered()
    (stop,) = (order for order in run.state.orders.values() if not order.state.is_final)
    run.take(Tick(), 9_000)
    assert [type(command) for command in run.commands] == [Ask]
    run.take(OrderUpdate(stop.client_id, OrderState.WAITING, 9_001, 2), 9_001)
    assert run.state.orders[stop.client_id].seen_ms == 9_001
    assert not run.is_changed
    run.take(OrderUpdate(stop.client_id, OrderState.CANCELED, 9_002, 2), 9_002)
    assert run.is_changed


def test_a_market_at_rest_is_kept_for_the_next_event() -> None:
    run = entered()
    before = run.state
    assert run.rests(view(1_200), 1_200)
    assert run.state is before
    assert not run.rests(view(1_300, Decimal(98_999)), 1_300), "its stop is passed"
    assert not run.rests(view(2_601), 2_601), "its stop is to be asked for"
    run.take(Tick(), 1_300)
    assert run.state == replace(before, view=view(1_200))


def test_an_older_market_takes_no_newer_one_s_place() -> None:
    run = entered()
    assert run.rests(view(1_300), 1_300)
    assert run.rests(view(1_200), 1_300)
    run.take(Tick(), 1_300)
    assert run.state.view == view(1_300)
