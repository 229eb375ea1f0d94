"""A plan as it is stored: its knobs, its lowering and holding, over a restart."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from desk_bed import Bed, Books, SmallVenue, ended, now_ms, until

from lotus.modules.intents import Module
from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import (
    OrderState,
)
from lotus.trading.plan.knob_choice import KnobChoice
from lotus_desk.execution.result import report_payload
from lotus_desk.execution.stored import restored
from lotus_desk.safety.kill_switch import KillSwitch

pytestmark = pytest.mark.clock("a desk turns over wall time")


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    books = Books()
    return Bed(books, SmallVenue(books), KillSwitch(tmp_path).prepare())


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
        told = {name: report_payload(bed.books.rows[name], states[name], 0).report["knobs"] for name in states}
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
        desk.applied(Module.TR)
        await until(lambda: bed.venue.held == stops() == Decimal("0.004"))
        assert desk.market.held == desk.market.will_hold == {"a": {"BTC": Decimal("0.004")}}
        await ended(task)
        bed.books.rows[plan] = replace(bed.books.rows[plan], ceiling=Decimal("0.002"))
        again = bed.desk()
        task = asyncio.create_task(again.run())
        await until(lambda: bed.venue.held == stops() == Decimal("0.002"))
        await asyncio.sleep(1.0)
        assert bed.books.finished == [], "its first exit time is over, and it was moved on"
        bed.books.rows[plan] = replace(bed.books.rows[plan], ceiling=Decimal(0))
        again.applied(Module.TR)
        await until(lambda: bed.books.finished == [plan])
        assert (bed.venue.held, stops(), bed.venue.repeated) == (0, 0, [])
        await ended(task)

    asyncio.run(go())
