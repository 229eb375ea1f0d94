"""The sessions of a desk at its venues: begun together, and at a venue that does not answer again and again.

A desk of one venue does not start without it. A desk of several trades at those that answer and takes up, with what it
left there, the one that comes later. Nothing is decided here. In the literature: partial failure, rejoin.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from lotus.errors import LotusError, VenueError
from lotus.trading.execution.orders import VenueFill
from lotus.trading.venue import Venue
from lotus_desk.execution.reconciling import Reconciler
from lotus_desk.market.snapshot import MarketSnapshot

AGAIN_S = 2.0


@dataclass(slots=True)
class VenueLinks:
    """Sessions by account. `since_ms` tells when the oldest order that is remembered was sent, `tell` takes fills.

    `late` are the accounts whose venue did not answer at the start.
    """

    market: MarketSnapshot
    venues: Mapping[str, Venue]
    reconcilers: Mapping[str, Reconciler]
    since_ms: Callable[[], int | None]
    tell: Callable[[VenueFill], None]
    late: set[str] = field(default_factory=set)

    async def open(self) -> None:
        """Connect to every venue. Raises `VenueError` when the only one, or none of several, answers."""
        self.late.clear()
        for account in self.venues:
            await self._tried(account, self._connect)

    async def catch_up(self) -> None:
        """Take in what was filled meanwhile, and compare; raises as `open` does."""
        for account in self.venues:
            if account not in self.late:
                await self._tried(account, self._compare)

    async def join(self, account: str) -> None:
        """Connect to a venue that was late, and compare, until both are done."""
        while account in self.late:
            await asyncio.sleep(AGAIN_S)
            with suppress(VenueError):
                await self._connect(account)
                await self._compare(account)
                self.late.discard(account)

    async def close(self) -> None:
        """End all sessions; positions and resting orders stay."""
        for venue in self.venues.values():
            with suppress(LotusError, OSError):
                await venue.close()

    async def _tried(self, account: str, act: Callable[[str], Awaitable[None]]) -> None:
        try:
            await act(account)
        except VenueError:
            self.late.add(account)
            if not self.market.others or len(self.late) == len(self.venues):
                raise
            self.market.away = {account: self.market.now_ms(), **self.market.away}

    async def _connect(self, account: str) -> None:
        venue = self.venues[account]
        await venue.connect()
        for asset in self.market.universe:
            await venue.set_leverage(asset.name, self.market.common.leverage)

    async def _compare(self, account: str) -> None:
        since_ms = self.since_ms()
        for fill in await self.venues[account].fills_since(since_ms) if since_ms is not None else ():
            self.tell(fill)
        await self.reconcilers[account].compare()
