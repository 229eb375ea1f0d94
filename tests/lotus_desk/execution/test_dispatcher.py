"""What is repeated until it is answered is not sent a third time while two are under way; orders never wait for it."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from lotus.trading.execution.events import Ask, Cancel, Modify, Place
from lotus.trading.execution.orders import NewOrder, OrderState, OrderUpdate, Side, VenueFill
from lotus_desk.execution.dispatcher import CommandDispatcher
from lotus_desk.execution.plan_run import DeskCounts
from lotus_desk.execution.questions import LANES, MOST
from lotus_desk.safety.kill_switch import KillSwitch

FILL = VenueFill("f1", "0x2", 1, "BTC", Side.BUY, Decimal(1), Decimal(100), Decimal(0), True, 7)
ORDER = NewOrder("0x" + "1" * 32, "BTC", Side.BUY, Decimal("0.1"), Decimal(100))


class HangingVenue:
    """Answers nothing until it is let go; counts what it was asked for."""

    def __init__(self) -> None:
        self.free, self.asked = asyncio.Event(), dict.fromkeys(("cancel", "modify", "order_of", "place"), 0)

    async def _answer(self, what: str) -> OrderUpdate:
        self.asked[what] += 1
        await self.free.wait()
        return OrderUpdate(ORDER.client_id, OrderState.CANCELED, 0)

    async def cancel(self, _coin: str, _names: Sequence[str]) -> list[OrderUpdate]:
        return [await self._answer("cancel")]

    async def modify(self, _order: NewOrder) -> OrderUpdate:
        return await self._answer("modify")

    async def order_of(self, _name: str) -> OrderUpdate:
        return await self._answer("order_of")

    async def place(self, orders: Sequence[NewOrder], _grouping: Any) -> list[OrderUpdate]:
        self.asked["place"] += 1
        return [OrderUpdate(order.client_id, OrderState.RESTING, 0) for order in orders]


def test_repeats_wait_for_those_under_way_and_orders_do_not_wait(tmp_path: Path) -> None:
    async def run() -> None:
        venue: Any = HangingVenue()
        dispatcher = CommandDispatcher(venue, lambda: 0, KillSwitch(tmp_path).prepare(), DeskCounts(), lambda _: None)
        repeated = [Cancel("BTC", (ORDER.client_id,)), Modify(ORDER), Ask((ORDER.client_id,), None)]
        tasks = [asyncio.create_task(dispatcher.dispatch(command)) for command in repeated for _ in range(5)]
        others = [asyncio.create_task(dispatcher.dispatch(Cancel("BTC", (f"other {k}",)))) for k in range(2 * LANES)]
        await asyncio.sleep(0.05)
        assert venue.asked == {"cancel": LANES - MOST, "modify": MOST, "order_of": MOST, "place": 0}
        placed = await asyncio.wait_for(dispatcher.dispatch(Place((ORDER,))), 1.0)
        assert [update.state for update in placed if isinstance(update, OrderUpdate)] == [OrderState.RESTING]
        venue.free.set()
        answers = await asyncio.gather(*tasks)
        assert [len(answer) for answer in answers] == ([1] * MOST + [0] * (5 - MOST)) * 3
        await asyncio.gather(*others)
        assert venue.asked["cancel"] == MOST + 2 * LANES

    asyncio.run(run())


def test_fills_are_asked_for_once_for_all_plans_that_want_some(tmp_path: Path) -> None:
    since: list[int] = []
    told: list[VenueFill] = []

    async def run() -> None:
        venue: Any = HangingVenue()

        async def fills_since(time_ms: int) -> list[VenueFill]:
            since.append(time_ms)
            await venue.free.wait()
            return [FILL]

        venue.fills_since = fills_since
        dispatcher = CommandDispatcher(venue, lambda: 0, KillSwitch(tmp_path).prepare(), DeskCounts(), told.append)
        blocked = [asyncio.create_task(dispatcher.dispatch(Ask((f"o{k}",), None))) for k in range(LANES - 1)]
        asked = [asyncio.create_task(dispatcher.dispatch(Ask((), from_ms))) for from_ms in (50, 40, 60, 30, 70)]
        await asyncio.sleep(0.05)
        assert since == [50], "the others wait in one"
        venue.free.set()
        await asyncio.gather(*blocked, *asked)

    asyncio.run(run())
    assert since == [50, 30]
    assert told == [FILL, FILL]
