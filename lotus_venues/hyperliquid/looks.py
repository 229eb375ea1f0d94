"""An account's looks at the venue: fills and funding of an outage, orders believed alive, what is open, the limits.

The owner of the adapter asks much of the same. Where the venue's weight is scarce (`Pacing`), what the owner was just
told is not asked again here, and the owner is refused a list of orders that it had a moment ago. No order is sent here.
In the literature: request coalescing, anti-entropy repair.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lotus.errors import VenueError
from lotus.timebase import HOUR_MS
from lotus.trading.execution.orders import OpenOrder, OrderUpdate
from lotus_venues.event_queue import EventQueue
from lotus_venues.hyperliquid.exchange import Exchange
from lotus_venues.hyperliquid.known_orders import KnownOrders
from lotus_venues.hyperliquid.order_wire import open_order_of
from lotus_venues.hyperliquid.user_stream import ODD_ANSWERS

_OVERLAP_MS = 60_000
_REMEMBERED_MS = 86_400_000  # payments
_ENDED_MS = 600_000  # orders after their end: what a stream repeats comes sooner, and a fill is news but once
_FUNDING_HOURS = 24  # looked back at after a start
_FUNDING_LAG_MS = 30_000  # an hour's funding is there by then
_NEVER_MS = -(10**15)


@dataclass(frozen=True, slots=True)
class Pacing:
    """Seconds for which an answer is good enough; with zeros everything is asked whenever it is wanted.

    `kept_s`: what the owner asked so recently is not asked again by the adapter's own looks, and the clock not at all.
    `orders_s`: the owner is given a list of orders that often at most. `limit_s`: between two looks at the account's
    own count of actions, which is counted here as well.
    """

    kept_s: float = 0.0
    orders_s: float = 0.0
    limit_s: float = 0.0


class AccountLooks:
    """The looks of one adapter. `order_of` asks for one order; news goes to `queue`."""

    def __init__(
        self,
        exchange: Exchange,
        orders: KnownOrders,
        queue: EventQueue,
        order_of: Callable[[str], Awaitable[OrderUpdate]],
        pacing: Pacing,
    ) -> None:
        """Ask nothing yet."""
        self.exchange, self.known, self.queue, self.pacing = exchange, orders, queue, pacing
        self._order_of = order_of
        self._filled_ms = 0  # fills from before are known, by the venue's clock
        self._funded_hour = 0
        self._orders_ms = self._compared_ms = self._limit_ms = _NEVER_MS  # when the owner asked, by our clock

    async def begin(self) -> None:
        """Learn clock, undecided modifies and what is open; raises `VenueError`."""
        self._orders_ms = self._compared_ms = self._limit_ms = _NEVER_MS
        self._filled_ms = await self.exchange.time_ms()
        for name, till_ms in self.exchange.signer.journal.modifies_alive(self._filled_ms):
            self.known.modifying(name, till_ms)
        await self.exchange.look_at_exposure()

    def learn(self, fills: Sequence[dict[str, Any]]) -> None:
        """Queue the fills that are news, oldest first."""
        ordered = sorted(fills, key=lambda payload: int(payload["time"]))
        self.queue.put(fill for payload in ordered if (fill := self.known.told_fill(payload)) is not None)

    async def orders(self) -> Sequence[OpenOrder]:
        """Return all orders that the venue holds, triggers too."""
        return self._numbered(await self.exchange.info("frontendOpenOrders", user=self.exchange.user))

    async def orders_for_owner(self) -> Sequence[OpenOrder]:
        """Return all orders that the venue holds. Raises `VenueError` when they were asked for a moment ago.

        With a pacing the signer learns what is open from the same answer.
        """
        least_s, age_s = self.pacing.orders_s, self._age_s(self._orders_ms)
        if not least_s:
            return await self.orders()
        if age_s < least_s:
            text = f"open orders were asked for {age_s:.1f} s ago"
            raise VenueError(text, f"{least_s:g} s between two looks", "weight a minute is shared by all accounts")
        self._orders_ms = self.exchange.clock_ms()
        return self._numbered(await self.exchange.look_at_exposure())

    async def fills_for_owner(self, time_ms: int) -> list[dict[str, Any]]:
        """Return all fills from a time on; with a pacing they are news too, for the next look passes them."""
        began_ms = self.exchange.now_ms
        rows = await self.exchange.fills(time_ms)
        if self.pacing.kept_s and time_ms <= self._filled_ms:
            self.learn(rows)
            self._filled_ms, self._compared_ms = began_ms, self._orders_ms
        return rows

    async def state_for_owner(self) -> dict[str, Any]:
        """Return money and positions; with a pacing the same answer gives the venue's clock."""
        if self.pacing.kept_s:
            return await self.exchange.state()
        return await self.exchange.money()

    async def time_for_owner(self) -> int:
        """Return the venue's clock: asked for, or with a pacing from the last answer."""
        if self._age_s(self.exchange.heard_ms) < self.pacing.kept_s:
            return self.exchange.now_ms
        return await self.exchange.time_ms()

    async def resync(self) -> None:
        """Find what the stream did not tell: fills and funding of the outage, and how orders believed alive stand."""
        began_ms = self.exchange.now_ms
        self.learn(await self.exchange.fills(self._filled_ms - _OVERLAP_MS))
        self._filled_ms = began_ms
        await self._look_at_funding()
        standing = {order.client_id for order in await self.orders()}
        for name in self.known.unfinished():
            before = self.known.of(name).last
            if name not in standing or before is None:
                update = await self._order_of(name)
                if before is None or update.state is not before.state:
                    self.queue.put([update])

    async def once(self) -> None:
        """Look at everything that the owner did not get within `kept_s`."""
        now_ms = await self.time_for_owner()
        is_compared = self._age_s(self._compared_ms) < self.pacing.kept_s
        if not is_compared:
            await self.exchange.look_at_exposure()
        if self._age_s(self._limit_ms) >= self.pacing.limit_s:
            self._limit_ms = self.exchange.clock_ms()
            await self.exchange.look_at_limit()
        await (self._look_at_funding() if is_compared else self.resync())
        self.known.prune(now_ms - _ENDED_MS, now_ms - _REMEMBERED_MS)

    async def run(self, every_s: float) -> None:
        """Look every so many seconds until cancelled; what fails is asked again the next time."""
        while True:
            await asyncio.sleep(every_s)
            with contextlib.suppress(*ODD_ANSWERS):
                await self.once()

    async def _look_at_funding(self) -> None:
        hour = (self.exchange.now_ms - _FUNDING_LAG_MS) // HOUR_MS
        if hour > self._funded_hour:
            paid = await self.exchange.fundings((self._funded_hour or hour - _FUNDING_HOURS) * HOUR_MS)
            self.queue.put(self.known.told_funding(paid))
            self._funded_hour = hour

    def _numbered(self, rows: Sequence[dict[str, Any]]) -> Sequence[OpenOrder]:
        orders = [open_order_of(row) for row in rows]
        for order in orders:
            if order.client_id:
                self.known.number(order.client_id, order.oid)
        return orders

    def _age_s(self, asked_ms: int) -> float:
        return (self.exchange.clock_ms() - asked_ms) / 1000.0
