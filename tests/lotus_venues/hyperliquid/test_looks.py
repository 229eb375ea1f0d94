"""Looks of an account: fills page by page, funding whole and once, what the stream never told."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from check_venue import BID, COIN
from faulty_venue import against
from local_bed import LocalBed, MovableClock, local_venue

from lotus.timebase import HOUR_MS
from lotus.trading.execution.orders import FundingPayment, Side, VenueFill
from lotus_venues.local_exchange.faults import Fault, FaultKind

pytestmark = pytest.mark.process("a local exchange over wall time")


def test_what_the_stream_never_told_is_found_on_the_timer(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        order = made.bed.order(Side.BUY, BID)
        await made.bed.one(order)
        await asyncio.sleep(0.05)
        made.exchange.faults.switch(
            [Fault(FaultKind.DROP, kind, 1.0) for kind in ("orderUpdates", "userFills", "userEvents")]
        )
        await made.hands.trade(Side.SELL, BID - 10, Decimal("0.5"))

        async def told() -> bool:
            return any(isinstance(e, VenueFill) and e.client_id == order.client_id for e in made.bed.told)

        await made.bed.until(told, "the fill")

    against(work, tmp_path, look_s=0.2)


def test_funding_that_the_stream_never_told_is_found(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        await made.bed.bought(Decimal("0.1"))
        made.exchange.faults.switch([Fault(FaultKind.DROP, "userEvents", 1.0)])
        await made.hands.next_hour(Decimal("0.0001"))
        made.hands.clock.ahead_ms += 31_000

        async def told() -> bool:
            return any(isinstance(e, FundingPayment) for e in made.bed.told)

        await made.bed.until(told, "the payment")
        await asyncio.sleep(0.5)
        (payment,) = [e for e in made.bed.told if isinstance(e, FundingPayment)]
        assert payment.usd == 1

    against(work, tmp_path, look_s=0.2)


def test_fills_come_page_by_page(tmp_path: Path) -> None:
    """The venue gives 2,000 fills a call; pages overlap in their last ms and are told once."""
    venue = local_venue("http://127.0.0.1:1", tmp_path, MovableClock())
    rows = [
        {
            "coin": COIN,
            "side": "B",
            "sz": "1",
            "px": "1",
            "fee": "0",
            "crossed": True,
            "oid": 1,
            "tid": n,
            "time": n // 3,
        }
        for n in range(4_500)
    ]

    async def answer(path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in rows if row["time"] >= body["startTime"]][:2_000]

    venue.exchange.poster.post = answer  # type: ignore[method-assign]
    found = asyncio.run(venue.exchange.fills(0))
    assert {row["tid"] for row in found} == set(range(4_500))


def test_funding_of_many_coins_and_hours_is_told_whole_and_once(tmp_path: Path) -> None:
    """The venue gives 500 rows a call: 25 coins over 24 h are 600."""
    venue = local_venue("http://127.0.0.1:1", tmp_path, MovableClock())
    rows = [
        {"time": hour * HOUR_MS, "delta": {"coin": f"C{coin}", "usdc": "-0.1", "szi": "1", "fundingRate": "0.0001"}}
        for hour in range(24)
        for coin in range(25)
    ]

    async def answer(path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in rows if row["time"] >= body["startTime"]][:500]

    venue.exchange.poster.post = answer  # type: ignore[method-assign]
    found = venue.known.told_funding(asyncio.run(venue.exchange.fundings(0)))
    assert len(found) == 600
    assert len({(payment.coin, payment.time_ms) for payment in found}) == 600
