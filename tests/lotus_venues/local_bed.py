"""A bed of the hyperliquid adapter against the local exchange, in one loop, with a clock that can be moved."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import eth_account
from check_venue import ASK, BID, COIN, Bed

from lotus.manifest import Asset
from lotus.timebase import HOUR_MS
from lotus.trading.execution.orders import Side
from lotus_venues.hyperliquid.caps import SignerCaps
from lotus_venues.hyperliquid.exchange import Exchange
from lotus_venues.hyperliquid.http import JsonPoster
from lotus_venues.hyperliquid.journal import SignerJournal
from lotus_venues.hyperliquid.rate_budget import AddressWeight, RateBudget
from lotus_venues.hyperliquid.signer import AgentSigner
from lotus_venues.hyperliquid.user_stream import StreamPolicy
from lotus_venues.hyperliquid.venue import HyperliquidVenue, VenuePolicy
from lotus_venues.local_exchange.frames import book_frame, context_frame, trade_frame
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

UNIVERSE = (Asset("ETH", 4), Asset(COIN, 5))
AGENT, MASTER = "0x" + "22" * 32, "0x" + "33" * 32
ACCOUNT = str(eth_account.Account.from_key(MASTER).address).lower()
CAPS = SignerCaps(Decimal(10**7), Decimal(10**9), Decimal(10**8), {COIN: Decimal(1000), "ETH": Decimal(10_000)})
QUICK = StreamPolicy(
    ping_s=0.1, silent_s=0.25, open_s=2.0, backoff_first_s=0.02, backoff_most_s=0.1, opens_a_minute=10**6
)


@dataclass(slots=True)
class MovableClock:
    """The machine's clock, set ahead by `ahead_ms`."""

    ahead_ms: int = 0

    def __call__(self) -> int:
        """Return the time in ms."""
        return time.time_ns() // 1_000_000 + self.ahead_ms


@dataclass(slots=True)
class LocalHands:
    """Feeds market frames to the exchange."""

    exchange: LocalExchange
    clock: MovableClock
    px: Decimal = BID
    tid: int = 0
    stamp: int = 0

    async def quote(self, bid: Decimal, ask: Decimal, size: Decimal) -> None:
        """Show a book."""
        await self._feed(book_frame(COIN, self._tick(), [(str(bid), str(size))], [(str(ask), str(size))]))

    async def trade(self, aggressor: Side, px: Decimal, size: Decimal) -> None:
        """Show a trade."""
        self.tid += 1
        side = "B" if aggressor is Side.BUY else "A"
        await self._feed(trade_frame(COIN, self._tick(), side, str(px), str(size), self.tid))

    async def mark(self, px: Decimal) -> None:
        """Tell mark and oracle price."""
        self.px = px
        await self._feed(context_frame(COIN, str(px), str(px), "0.0"))

    async def next_hour(self, rate: Decimal) -> None:
        """Let a full hour pass."""
        await self._feed(context_frame(COIN, str(self.px), str(self.px), str(rate)))
        self.clock.ahead_ms += HOUR_MS - self.clock() % HOUR_MS + 1
        await asyncio.sleep(0.15)

    async def _feed(self, frame: bytes) -> None:
        self.exchange.feed(frame)
        await self.exchange.flush()
        await asyncio.sleep(0.01)

    def _tick(self) -> int:
        self.stamp = max(self.stamp + 1, self.clock())
        return self.stamp


def local_venue(url: str, folder: Path, clock: MovableClock, **changes: Any) -> HyperliquidVenue:
    """Return an adapter for the exchange at an address, its journal in a folder."""
    signer = AgentSigner(AGENT, CAPS, SignerJournal(folder), url)
    kind: type[JsonPoster] = changes.pop("poster", JsonPoster)
    poster = kind(url, timeout_s=changes.pop("timeout_s", 2.0), connect_timeout_s=1.0)
    budget = RateBudget(AddressWeight(10**6, 100), actions_left=10**6)
    exchange = Exchange(poster, signer, ACCOUNT, clock, budget, expires_ms=changes.pop("expires_ms", 2_000))
    return HyperliquidVenue(exchange, ("BTC", "ETH"), VenuePolicy(stream=QUICK, **changes))


@dataclass(slots=True)
class LocalBed:
    """A bed with the exchange behind it."""

    bed: Bed
    exchange: LocalExchange
    venue: HyperliquidVenue
    hands: LocalHands
    folder: Path
    extra: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def local_bed(folder: Path, seed: int = 0, **changes: Any) -> AsyncIterator[LocalBed]:
    """Open an exchange with 100,000 USD for the account, and an adapter connected to it."""
    clock = MovableClock()
    agent = str(eth_account.Account.from_key(AGENT).address)
    options = Options(
        accounts={ACCOUNT: Decimal(100_000)},
        agents={agent: ACCOUNT},
        open_deposit_usd=None,
        clock=TimeSource.WALL,
        limit_scale=0,
        schedule_volume_usd=0,
        client_ms=clock,
        wall_ms=clock,
        seed=seed,
        isolated=frozenset(changes.pop("isolated", ())),
    )
    async with LocalExchange(UNIVERSE, options=options) as exchange:
        hands = LocalHands(exchange, clock)
        await hands.quote(BID, ASK, Decimal(1))
        await hands.mark(BID)
        venue = local_venue(exchange.url, folder, clock, **changes)
        await venue.connect()
        bed = Bed(venue, hands)
        await bed.listen()
        try:
            yield LocalBed(bed, exchange, venue, hands, folder)
        finally:
            await bed.close()
            venue.exchange.signer.journal.close()
