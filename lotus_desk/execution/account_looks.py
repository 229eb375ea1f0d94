"""Looking at the accounts of a desk: money and positions every two seconds, all of them compared every ten.

What a comparison does is `reconciling`'s. A venue that does not answer is asked again at the next round. Of several
venues one that does not answer is away: no new plan goes there, and what plans hold there is told as untracked after
`UNTRACKED_MS`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.errors import VenueError
from lotus.trading.execution.orders import AccountSnapshot
from lotus.trading.venue import Venue
from lotus_desk.execution.reconciling import Reconciler
from lotus_desk.execution.run_table import Sizes
from lotus_desk.market.snapshot import MarketSnapshot

logger = logging.getLogger(__name__)

LOOK_S = 2.0
COMPARE_ROUNDS = 5
ANSWER_S = 5.0  # of several venues one that takes longer is away
UNTRACKED_MS = 60_000


@dataclass(slots=True)
class Accounts:
    """The looks of one desk; `used` returns the value of the plans of each account (USD), for its budgets.

    `held` returns what plans hold by account and coin, `untracked` is that of accounts that are away for long.

    Set `doubted` when something broke: what is believed is compared with the venues at once. In step money is looked at
    by the barriers alone (`look`), so that what is decided does not hang on the wall's clock.
    """

    market: MarketSnapshot
    venues: Mapping[str, Venue]
    reconcilers: Sequence[Reconciler]
    used: Callable[[], dict[str, Decimal]]
    in_step: bool = False
    doubted: asyncio.Event = field(default_factory=asyncio.Event)
    held: Callable[[], Sizes] = dict
    untracked: Sizes = field(default_factory=dict)

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
        if self.market.others:
            await self._look_at_several()
            return
        for name, venue in self.venues.items():
            self.market.accounts[name] = await venue.account()
            if self.market.is_wall:
                self.market.clock_skew_ms = await venue.server_time_ms() - self.market.now_ms()
        self.market.use(self.used())

    async def _look_at_several(self) -> None:
        """Look at all accounts at once; one whose venue does not answer is away from now on, until it does."""
        answers = await asyncio.gather(*(self._asked(venue) for venue in self.venues.values()))
        now_ms, away, skews = self.market.now_ms(), dict(self.market.away), [0]
        for name, answer in zip(self.venues, answers, strict=True):
            if answer is None:
                away.setdefault(name, now_ms)
                continue
            self.market.accounts[name], skew_ms = answer
            skews.append(skew_ms)
            if away.pop(name, None) is not None:
                logger.warning("%s answers again", name)
                self.doubted.set()
        self.market.away, self.market.clock_skew_ms = away, max(skews, key=abs)
        self.market.use(self.used())
        self._tell_untracked(now_ms)

    async def _asked(self, venue: Venue) -> tuple[AccountSnapshot, int] | None:
        """Return money, positions and the distance of a venue's clock in ms, None without an answer."""
        with suppress(VenueError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                account = await venue.account()
                skew_ms = await venue.server_time_ms() - self.market.now_ms() if self.market.is_wall else 0
                return account, skew_ms
        return None

    def _tell_untracked(self, now_ms: int) -> None:
        """Tell once what plans hold where nobody has answered for `UNTRACKED_MS`."""
        gone = {name for name, since_ms in self.market.away.items() if now_ms - since_ms >= UNTRACKED_MS}
        held = self.held() if gone else {}
        for name in sorted(gone - self.untracked.keys()):
            text = "%s has not answered for %d s: %s held there is not tracked until it does"
            sizes = ", ".join(f"{size} {coin}" for coin, size in held.get(name, {}).items()) or "nothing"
            logger.error(text, name, (now_ms - self.market.away[name]) // 1000, sizes)
        self.untracked = {name: held.get(name, {}) for name in gone}
