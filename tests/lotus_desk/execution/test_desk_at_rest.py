"""The desk with orders at rest, against the local exchange over its sockets with signed requests: the exchange judges.

Books are in memory; the market is what the exchange shows. What the engine does is tested in `lotus_trading`.
"""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from desk_bed import now_ms, until
from exchange_bed import JOIN, place

from lotus.detectors.entry_style import EntryStyle, Fallback
from lotus.trading.execution.orders import Side
from lotus.trading.plan.styles import Styles
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_venues.local_exchange.frames import book_frame, trade_frame

pytestmark = pytest.mark.clock("orders rest for seconds of wall time")
D = Decimal


def test_both_ways_at_rest_pay_the_makers_fee(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 2_000, 4_000)
            await until(at.resting(100_000))
            at.trade(Side.SELL, 99_999)
            await until(lambda: len(at.fills) == 1)
            await until(at.resting(100_010))
            at.trade(Side.BUY, 100_011)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert [(f.crossed, f.px) for f in at.fills] == [(False, 1_000_000), (False, 1_000_100)]

    asyncio.run(go())


def test_an_order_follows_the_best_and_crosses_when_its_wait_is_over(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 4_000, 2_000, Styles(EntryStyle.IMPROVE))
            await until(at.resting(100_001))
            at.show(100_050)
            await until(at.resting(100_051))
            await until(lambda: bool(at.fills))
            assert [o.px for o in at.orders[:2]] == [1_000_010, 1_000_510]
            assert (at.fills[0].crossed, at.fills[0].px) == (True, 1_000_600)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)

    asyncio.run(go())


def test_a_post_only_order_that_comes_too_late_is_priced_anew(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            at.show(99_900, desk_sees=False)
            plan = at.accept("one", 3_000, 2_000, replace(JOIN, fallback=Fallback.SKIP))
            await until(lambda: bool(at.orders))
            at.show(99_900)
            await until(at.resting(99_900))
            assert [o.status for o in at.orders] == ["badAloPxRejected", "open"]
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert not at.fills

    asyncio.run(go())


def test_a_part_filled_at_rest_is_kept_and_the_rest_crosses(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 3_000, 1_500, Styles(EntryStyle.JOIN))
            await until(at.resting(100_000))
            (order,) = [o for o in at.orders if o.is_open]
            at.tid += 1
            at.exchange.feed(trade_frame("BTC", now_ms(), "A", "100000.0", "5.004", at.tid))  # 5 are ahead
            await until(lambda: len(at.fills) == 1)
            assert at.fills[0].lots == 400
            at.show(100_000)  # new bids stand where the trade took all
            await until(lambda: len(at.fills) == 2)
            assert [f.crossed for f in at.fills] == [False, True]
            assert sum(f.lots for f in at.fills) == order.lots
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)

    asyncio.run(go())


def test_an_order_that_meets_one_of_another_plan_is_priced_anew(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            crossing = at.accept("crossing", 3_500, 0, Styles())
            await until(lambda: len(at.fills) == 1)
            improving = at.accept("improving", 9_000, 4_500, Styles(EntryStyle.IMPROVE, Fallback.SKIP))
            await until(at.resting(100_001))
            await until(lambda: at.books.finished == [crossing])
            await until(at.resting(100_001))
            words = [o.status for o in at.orders if o.px == 1_000_010]
            assert words == ["selfTradeCanceled", "open"]
            await until(lambda: at.books.finished == [crossing, improving])
            assert [f.crossed for f in at.fills] == [True, True]

    asyncio.run(go())


def test_a_take_profit_rests_and_earns_the_makers_fee(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 20_000, 2_000, Styles(exit=EntryStyle.JOIN), take_profit_px=D(100_200))
            await until(at.resting(100_200))
            assert at.orders[-1].reduce_only
            at.trade(Side.BUY, 100_201)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert [(f.crossed, f.px) for f in at.fills] == [(True, 1_000_100), (False, 1_002_000)]

    asyncio.run(go())


@pytest.mark.parametrize("flatten", [False, True])
def test_the_kill_switch_cancels_what_rests(tmp_path: Path, flatten: bool) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 20_000, 10_000)
            await until(at.resting(100_000))
            KillSwitch(at.home).throw(flatten=flatten)
            await until(lambda: not any(o.is_open for o in at.orders), 2.0)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert not at.fills

    asyncio.run(go())


def test_a_desk_that_died_goes_on_with_the_order_that_rests(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 9_000, 6_000)
            await until(at.resting(100_000))
            await at.die()
            at.bid = 100_040
            at.exchange.feed(book_frame("BTC", now_ms(), [("100040.0", "5.0")], [("100050.0", "5.0")]))
            await at.start()
            await until(at.resting(100_040))
            at.trade(Side.SELL, 100_039)
            await until(lambda: len(at.fills) == 1)
            await at.die()
            await at.start()
            await until(at.resting(100_050), 10.0)
            at.trade(Side.BUY, 100_051)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert [f.crossed for f in at.fills] == [False, False]

    asyncio.run(go())
