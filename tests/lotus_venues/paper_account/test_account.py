"""Laws of the paper account: requests and their latency, outages, scheduled cancels, against an independent ledger."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from paper_market import BUY, LOTS, PX, SELL, STEP, market, play

from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import (
    FundingPayment,
    NewOrder,
    OrderState,
    OrderUpdate,
    Side,
    TimeInForce,
    VenueFill,
    client_order_id,
)
from lotus_venues.paper_account.venue import PaperAccountVenue


def test_requests_wait_for_their_latency_and_lose_races() -> None:
    made = market(latency_ms=50)
    name = made.place(BUY, PX + 1, tif=TimeInForce.IOC)
    assert made.state(name) is OrderState.UNKNOWN
    made.now_ms += 48
    made.book([(PX, 5000)], [(PX + 1, 5000)])
    assert made.state(name) is OrderState.UNKNOWN
    made.book([(PX, 5000)], [(PX + 1, 400)])
    assert (made.state(name), made.filled(name)) == (OrderState.CANCELED, 400)
    resting = made.place(BUY, PX)
    made.now_ms += 50
    made.mark(PX)
    made.account.cancel(made.now_ms * NS_PER_MS, [resting])
    made.now_ms += 48
    made.trade(SELL, PX - 10, LOTS)
    assert made.state(resting) is OrderState.FILLED


@dataclass
class Ledger:
    """An independent account of the events, in fractions."""

    cash: Fraction = Fraction(10_000)
    lots: Fraction = Fraction(0)
    filled: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def take(self, event: object) -> None:
        """Book an event."""
        if isinstance(event, VenueFill):
            self.cash -= Fraction(event.px) * Fraction(event.size) * int(event.side) + Fraction(event.fee_usd)
            self.lots += Fraction(event.size) * int(event.side)
            self.filled[event.client_id] += event.size
        elif isinstance(event, FundingPayment):
            self.cash -= Fraction(event.usd)


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(STEP, max_size=50))
def test_money_orders_and_positions_agree_with_an_independent_ledger(steps: list[Any]) -> None:
    made, ledger = market(), Ledger()
    finals: dict[str, OrderState] = {}
    for step in steps:
        play(made, step)
        state = made.account.state
        for event in made.account.take_events():
            ledger.take(event)
            if isinstance(event, VenueFill) and not event.is_taker:
                order = state.orders[event.client_id]
                assert (event.px * 10 - order.limit) == 0 or step[0] == "modify"
            if isinstance(event, OrderUpdate) and event.state.is_final:
                assert event.client_id not in finals
                finals[event.client_id] = event.state
        mark = state.quotes[0].mark
        worth = ledger.cash + ledger.lots * Fraction(mark, 10)
        assert Fraction(made.account.execution.equity_micro(), 10**6) == worth
        assert Fraction(state.positions[0].lots, 10**5) == ledger.lots
        open_names = set(state.open_ids[0])
        assert open_names == {n for n, o in state.orders.items() if not o.state.is_final}
        for name, order in state.orders.items():
            assert 0 <= order.left <= order.lots
            assert order.done + order.left == order.lots
            assert order.done == 0 or ledger.filled[name] * 10**5 >= order.done


def test_a_tape_that_stops_leaves_a_request_unknown() -> None:
    async def run() -> None:
        made = market(latency_ms=20)
        venue = PaperAccountVenue(made.account, lambda: made.now_ms * NS_PER_MS, timeout_s=0.1)
        await venue.connect()
        order = NewOrder(client_order_id("a", "entry"), "BTC", Side.BUY, Decimal("0.01"), Decimal(99_000))
        (update,) = await venue.place([order])
        assert update.state is OrderState.UNKNOWN
        made.now_ms += 20
        assert (await venue.order_of(order.client_id)).state is OrderState.RESTING

    asyncio.run(run())


def test_an_order_waits_for_its_latency_behind_the_port() -> None:
    async def run() -> None:
        made = market(latency_ms=20)
        loop = asyncio.get_running_loop()
        began, base = loop.time(), made.now_ms
        clock: Callable[[], int] = lambda: base * NS_PER_MS + int((loop.time() - began) * 1e9)  # noqa: E731
        venue = PaperAccountVenue(made.account, clock)
        await venue.connect()
        order = NewOrder(client_order_id("a", "x"), "BTC", Side.BUY, Decimal("0.01"), Decimal(100_100))
        (update,) = await venue.place([order])
        assert update.state is OrderState.FILLED
        assert loop.time() - began >= 0.019

    asyncio.run(run())


def test_after_an_outage_orders_queue_at_the_back_again() -> None:
    made = market()
    name = made.place(BUY, PX)
    made.trade(SELL, PX, 4999)
    stored = json.loads(json.dumps(made.account.stored()))
    made.account.restore(stored)
    made.trade(SELL, PX, 900)
    assert made.filled(name) == 0
    made.book([(PX, 200)], [(PX + 1, 10)])
    made.trade(SELL, PX, 300)
    assert made.filled(name) == 100


def test_the_scheduled_cancel_falls_and_a_stop_disarms_it() -> None:
    async def run() -> None:
        made = market()
        venue = PaperAccountVenue(made.account, lambda: made.now_ms * NS_PER_MS)
        await venue.connect()
        first = made.place(BUY, PX - 100)
        assert not await venue.schedule_cancel(made.now_ms + 4_000)
        assert await venue.schedule_cancel(made.now_ms + 5_000)
        made.now_ms += 5_000
        made.mark(PX)
        assert made.account.state.orders[first].reason == "scheduledCancel"
        assert await venue.schedule_cancel(made.now_ms + 5_000)
        made.place(BUY, PX + 1)
        stop = made.place(SELL, PX - 900, reduce_only=True, trigger=PX - 500)
        made.now_ms += 6_000
        made.mark(PX)
        assert made.state(stop) is OrderState.WAITING

    asyncio.run(run())


def test_forgotten_orders_are_final_and_old() -> None:
    made = market()
    old, open_still = made.place(BUY, PX + 1), made.place(BUY, PX - 100)
    made.now_ms += 1_000
    new = made.place(BUY, PX + 1)
    made.account.forget(made.now_ms)
    assert set(made.account.state.orders) == {open_still, new}
    assert [fill.client_id for fill in made.account.state.fills] == [new]
    assert made.state(old) is OrderState.NEVER_PLACED


def test_a_limit_trigger_rests_at_its_limit() -> None:
    made = market()
    made.place(BUY, PX + 1)
    stop = made.place(SELL, PX + 300, reduce_only=True, trigger=PX - 500, trigger_market=False)
    made.book([(PX - 510, 5000)], [(PX - 505, 5000)])
    made.mark(PX - 500)
    assert made.state(stop) is OrderState.RESTING
    made.trade(BUY, PX + 301, LOTS)
    assert made.state(stop) is OrderState.FILLED
    assert made.account.state.fills[-1].px == PX + 300
