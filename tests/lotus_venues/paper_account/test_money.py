"""What a paper account is worth: marks, funding, liquidation."""

import asyncio
from decimal import Decimal

from paper_market import BUY, PX, SELL, T0, market

from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.execution.orders import (
    FundingPayment,
    TimeInForce,
)
from lotus_venues.paper_account.venue import PaperAccountVenue


def test_below_maintenance_everything_is_closed() -> None:
    made = market(default_leverage=20)
    made.book([(PX, 5000)], [(PX + 1, 200_000)])
    made.place(BUY, PX + 1, 150_000)
    resting = made.place(SELL, PX + 500, 10_000)
    made.book([(PX - 60_000, 100_000), (PX - 61_000, 100_000)], [(PX - 59_000, 50_000)])
    assert made.account.state.positions[0].lots == 150_000
    made.mark(PX - 60_000)
    assert made.account.state.positions[0].lots == 0
    assert made.account.state.orders[resting].reason == "liquidatedCanceled"
    forced = [fill for fill in made.account.state.fills if not fill.client_id]
    assert [(fill.lots, fill.px, fill.side) for fill in forced] == [
        (100_000, PX - 60_000, SELL),
        (50_000, PX - 61_000, SELL),
    ]


def test_each_full_hour_pays_once() -> None:
    made = market()
    made.place(BUY, PX + 1, 1000)
    made.mark(PX, 10**8)  # 0.0001 an hour on 0.01 BTC at 100,000 USD: 0.1 USD
    made.account.take_events()
    made.now_ms = (T0 // HOUR_MS + 3) * HOUR_MS
    made.mark(PX)
    made.mark(PX)
    paid = [e for e in made.account.take_events() if isinstance(e, FundingPayment)]
    assert [(p.usd, p.time_ms % HOUR_MS) for p in paid] == [(Decimal("0.1"), 0)] * 3
    assert made.account.state.funding_micro == 300_000


def test_the_pessimistic_mark_is_what_closing_now_would_bring() -> None:
    made = market()
    made.place(BUY, PX + 11, 7000)
    marks = made.account.marks()
    before = marks.far_micro
    assert marks.far_micro < marks.mid_micro
    made.place(SELL, PX - 100, 7000, tif=TimeInForce.IOC)
    after = made.account.marks()
    assert after.far_micro == after.mid_micro == made.account.state.cash_micro
    assert abs(after.far_micro - before) <= 2  # the fee of each level is rounded up


def test_liquidation_price_is_where_equity_meets_maintenance() -> None:
    async def run() -> None:
        made = market(default_leverage=20)
        made.book([(PX, 200_000)], [(PX + 1, 200_000)])
        venue = PaperAccountVenue(made.account, lambda: made.now_ms * NS_PER_MS)
        await venue.connect()
        made.place(BUY, PX + 1, 150_000)
        (held,) = (await venue.account()).positions
        assert held.liquidation_px is not None
        px = int(held.liquidation_px * 10)
        assert PX // 2 < px < PX
        made.mark(px + 2)
        assert made.account.state.positions[0].lots == 150_000
        made.mark(px - 2)
        assert made.account.state.positions[0].lots == 0

    asyncio.run(run())
