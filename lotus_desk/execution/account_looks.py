"""Looking at the accounts of a desk: money and positions every two seconds, all of them compared every ten.

What a comparison does is `reconciling`'s. A venue that does not answer is asked again at the next round.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.errors import VenueError
from lotus.trading.venue import Venue
from lotus_desk.execution.reconciling import Reconciler
from lotus_desk.market.snapshot import MarketSnapshot

LOOK_S = 2.0
COMPARE_ROUNDS = 5


@dataclass(slots=True)
class Accounts:
    """The looks of one desk; `used` returns the value of the plans of each account (USD), for its budgets.

    Set `doubted` when something broke: what is believed is compared with the venues at once. In step money is looked at
    by the barriers alone (`look`), so that what is decided does not hang on the wall's clock.
    """

    market: MarketSnapshot
    venues: Mapping[str, Venue]
    reconcilers: Sequence[Reconciler]
    used: Callable[[], dict[str, Decimal]]
    in_step: bool = False
    doubted: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Look until cancelled; doubts are followed at once, but not more often than a look is due."""
        rounds, again_s = 0, 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self.doubted.wait()
            rounds += 1
            is_due = rounds % COMPARE_ROUNDS == 0
            if self.doubted.is_set():
                await asyncio.sleep(again_s - time.monotonic())
                is_due, again_s = True, time.monotonic() + LOOK_S
                self.doubted.clear()
            with suppress(VenueError):
                if not self.in_step:
                    await self.look()
            for reconciler in self.reconcilers if is_due else ():
                with suppress(VenueError):
                    await reconciler.compare()

    async def look(self) -> None:
        """Note money, positions and the venue's clock in the market snapshot. Raises `VenueError`."""
        for name, venue in self.venues.items():
            self.market.accounts[name] = await venue.account()
            if self.market.is_wall:
                self.market.clock_skew_ms = await venue.server_time_ms() - self.market.now_ms()
        self.market.use(self.used())
