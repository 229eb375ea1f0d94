"""What the venue's own dead-man switch (`scheduleCancel`) leaves standing: tried at an exchange of its own on loopback.

An account with a resting entry, a position and its stop arms the switch; the exchange's clock is moved past it; what
rests is compared. No home, key or venue of anybody is touched. Why the answer keeps it off: ADR 20.
"""

import secrets
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from lotus.manifest import Asset
from lotus.trading.execution.orders import NewOrder, OpenOrder, OrderTrigger, Side, TimeInForce, TriggerKind
from lotus_desk.accounts.accounts import VenueAccess, venue_account
from lotus_venues.local_exchange.frames import book_frame, context_frame
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

BTC, LOT = Asset("BTC", 5), Decimal("0.01")
LEAD_MS = 6_000  # the venue takes no time less than 5 s ahead


@dataclass(frozen=True, slots=True)
class ScheduleProbe:
    """How many entries and stops rested before the switch fell, and how many after; `armed`: the venue took it."""

    armed: bool
    entries: int
    stops: int
    entries_left: int
    stops_left: int

    @property
    def removes_stops(self) -> bool:
        """Tell whether a position may be without its stop afterwards; unknown counts as yes."""
        return not self.armed or self.stops_left < self.stops

    def __str__(self) -> str:
        """Return it in one line."""
        left = f"left {self.entries_left} of {self.entries} entries and {self.stops_left} of {self.stops} stops"
        return left if self.armed else "the venue did not take it"


async def probe_schedule_cancel() -> ScheduleProbe:
    """Try it; raises `VenueError` when the exchange cannot be reached."""
    ahead_ms = 0

    def now_ms() -> int:
        return time.time_ns() // 1_000_000 + ahead_ms

    options = Options(clock=TimeSource.WALL, wall_ms=now_ms, client_ms=now_ms, limit_scale=0, schedule_volume_usd=0)
    with tempfile.TemporaryDirectory(prefix="lotus-probe-") as place:
        async with LocalExchange((BTC,), options=options) as exchange:
            exchange.feed(book_frame("BTC", now_ms(), [("100000.0", "50.0")], [("100001.0", "50.0")]))
            exchange.feed(context_frame("BTC", "100000.0", "100000.0", "0.0"))
            await exchange.flush()
            folder, most = Path(place), Decimal(100_000)
            venue = venue_account(
                "probe",
                VenueAccess(
                    url=exchange.url,
                    keys=folder,
                    journals=folder / "signer",
                    universe=(BTC,),
                    clock_ms=now_ms,
                    expires_ms=LEAD_MS,
                ),
                most,
            )
            await venue.connect()
            try:
                stop = OrderTrigger(Decimal(90_000), TriggerKind.STOP_LOSS, True)
                await venue.place([_order(Side.BUY, Decimal(101_000), TimeInForce.IOC)])
                await venue.place([_order(Side.BUY, Decimal(95_000))])
                await venue.place([_order(Side.SELL, Decimal(81_000), trigger=stop)])
                before = await venue.open_orders()
                armed = await venue.exchange.schedule_cancel(now_ms() + LEAD_MS)
                ahead_ms = 2 * LEAD_MS
                await exchange.advance(now_ms())
                after = await venue.open_orders()
            finally:
                await venue.close()
                venue.exchange.signer.journal.close()
    return ScheduleProbe(armed, *_counted(before), *_counted(after))


def _order(
    side: Side, px: Decimal, tif: TimeInForce = TimeInForce.GTC, trigger: OrderTrigger | None = None
) -> NewOrder:
    return NewOrder(
        client_id="0x" + secrets.token_hex(16),
        coin="BTC",
        side=side,
        size=LOT,
        limit_px=px,
        tif=tif,
        reduce_only=trigger is not None,
        trigger=trigger,
    )


def _counted(orders: Sequence[OpenOrder]) -> tuple[int, int]:
    stops = sum(order.trigger is not None for order in orders)
    return len(orders) - stops, stops
