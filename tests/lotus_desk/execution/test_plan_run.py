"""Work of a desk: a plan at fault does not end the others, a command is taken once."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk_bed import Bed, Books, SmallVenue, ended, until

from lotus.trading.execution.events import Event, Steer
from lotus.trading.execution.orders import (
    NewOrder,
    OrderGrouping,
    OrderUpdate,
)
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
