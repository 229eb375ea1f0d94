"""The paper account passes the conformance suite, with and without latency, in memory and behind a store."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from check_venue import ASK, BID, CHECKS, Bed

from lotus.manifest import Asset
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.execution.orders import Side
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.money import PaperTerms
from lotus_venues.paper_account.state import Stored
from lotus_venues.paper_account.venue import PaperAccountVenue

UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4))
START_MS = 1_760_000_400_000


@dataclass(slots=True)
class JsonStore:
    """A store that keeps what a database would: through JSON text, head replaced, orders by name, fills by number."""

    head: str = ""
    orders: dict[str, str] = field(default_factory=dict)
    fills: dict[int, str] = field(default_factory=dict)

    def load(self) -> Stored | None:
        """Return what was saved."""
        if not self.head:
            return None
        orders = [json.loads(text) for text in self.orders.values()]
        return {
            "head": json.loads(self.head),
            "orders": orders,
            "fills": [json.loads(text) for text in self.fills.values()],
        }

    def save(self, change: Stored) -> None:
        """Keep a change."""
        self.head = json.dumps(change["head"])
        self.orders |= {order["client_id"]: json.dumps(order) for order in change["orders"]}
        self.fills |= {fill["number"]: json.dumps(fill) for fill in change["fills"]}


@dataclass(slots=True)
class PaperHands:
    """Moves the paper market; each message is a millisecond after the last, at the venue and here."""

    venue: PaperAccountVenue
    now_ms: int = START_MS
    px: Decimal = BID
    tid: int = 0
    runs: bool = False
    began_ns: int = field(default_factory=time.monotonic_ns)

    def clock_ns(self) -> int:
        """Time of the bed: it stands still between messages, or `runs`."""
        return self.now_ms * NS_PER_MS + (time.monotonic_ns() - self.began_ns) * self.runs

    async def quote(self, bid: Decimal, ask: Decimal, size: Decimal) -> None:
        """Show a book."""
        lots = int(size.scaleb(5))
        market, stamp = self.venue.market, self._tick()
        market.on_book(0, stamp, stamp // NS_PER_MS, [(int(bid * 10), lots)], [(int(ask * 10), lots)])
        await self._told()

    async def trade(self, aggressor: Side, px: Decimal, size: Decimal) -> None:
        """Show a trade."""
        self.tid += 1
        market, stamp = self.venue.market, self._tick()
        market.on_trade(0, stamp, stamp // NS_PER_MS, self.tid, int(px * 10), int(size.scaleb(5)), aggressor)
        await self._told()

    async def mark(self, px: Decimal) -> None:
        """Tell mark and oracle price."""
        self.px = px
        self.venue.market.on_context(0, self._tick(), int(px * 10), int(px * 10), 0)
        await self._told()

    async def next_hour(self, rate: Decimal) -> None:
        """Let a full hour pass."""
        px = int(self.px * 10)
        self.venue.market.on_context(0, self._tick(), px, px, int(rate.scaleb(12)))
        self.now_ms += HOUR_MS - self.clock_ns() // NS_PER_MS % HOUR_MS
        self.venue.market.on_context(0, self._tick(), px, px, 0)
        await self._told()

    def _tick(self) -> int:
        self.now_ms += 1
        return self.clock_ns()

    async def _told(self) -> None:
        self.venue.ahead.note()
        await asyncio.sleep(0)


async def paper_bed(latency_ms: int, store: JsonStore | None) -> Bed:
    """Return a bed of a fresh paper account of 100,000 USD; with a latency its clock runs."""
    market = PaperAccount(UNIVERSE, PaperTerms(Decimal(100_000), latency_ms=latency_ms))
    hands: Any = None
    venue = PaperAccountVenue(market, lambda: hands.clock_ns(), store)
    hands = PaperHands(venue, runs=latency_ms > 0)
    await venue.connect()
    bed = Bed(venue, hands)
    await bed.listen()
    await hands.quote(BID, ASK, Decimal(1))
    await hands.mark(BID)
    return bed


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("latency_ms", "stored"), [(0, False), (0, True), (4, True)], ids=["memory", "stored", "late"])
def test_paper_conforms(check: Callable[[Bed], Awaitable[None]], latency_ms: int, stored: bool) -> None:
    async def run() -> None:
        bed = await paper_bed(latency_ms, JsonStore() if stored else None)
        await check(bed)
        await bed.close()

    asyncio.run(run())
