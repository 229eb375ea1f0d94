"""A local exchange with one account that trades, and a watchdog over the same home, all in one loop."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from lotus.manifest import Asset, Manifest
from lotus.trading.execution.orders import NewOrder, OrderGrouping, OrderTrigger, Side, TimeInForce, TriggerKind
from lotus_desk.accounts.accounts import VenueAccess, venue_account
from lotus_desk.safety.heartbeat import Beat, Pulse
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_desk.watch.alerts import Alerts
from lotus_desk.watch.rules import WatchPolicy
from lotus_desk.watch.sessions import guard_session, make_known
from lotus_desk.watch.status import watchdog_status
from lotus_desk.watch.watchdog import Watchdog
from lotus_store.config import Settings
from lotus_store.processes import boot_id, born
from lotus_store.settings.sections import TradingSettings
from lotus_venues.hyperliquid.guard import GuardSession
from lotus_venues.hyperliquid.venue import HyperliquidVenue
from lotus_venues.local_exchange.frames import book_frame, context_frame
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

BTC = Asset("BTC", 5)
LOT = Decimal("0.01")
ACCOUNT = "book"


def stop_watchdog(home: Path) -> None:
    """Ask the watchdog of a home to end, and wait up to 5 s for it."""
    os.kill(int(watchdog_status(home)["pid"]), signal.SIGTERM)
    deadline_s = time.monotonic() + 5.0
    while watchdog_status(home)["alive"] and time.monotonic() < deadline_s:
        time.sleep(0.05)


def now_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


def name_of(number: int) -> str:
    """Return a client id."""
    return f"0x{number:032x}"


@dataclass
class WatchBed:
    """The exchange, the desk's own session, and what a watchdog needs."""

    exchange: LocalExchange
    venue: HyperliquidVenue
    settings: Settings

    @property
    def user(self) -> str:
        """Address of the account."""
        return self.venue.exchange.user

    async def hold(self, side: Side = Side.BUY, stopped: Decimal = LOT) -> None:
        """Open a position of one lot, with a stop over `stopped` of it."""
        px = Decimal(101_000) if side is Side.BUY else Decimal(99_000)
        entry = NewOrder(name_of(1), "BTC", side, LOT, px, TimeInForce.IOC)
        await self.venue.place([entry])
        if stopped:
            away = Decimal(90_000) if side is Side.BUY else Decimal(110_000)
            limit = away * (1 - Decimal(int(side)) / 10)
            trigger = OrderTrigger(away, TriggerKind.STOP_LOSS, True)
            against = Side.SELL if side is Side.BUY else Side.BUY
            stop = NewOrder(name_of(2), "BTC", against, stopped, limit, TimeInForce.GTC, True, trigger)
            await self.venue.place([stop])

    async def rest(self) -> None:
        """Let an entry rest, with its sleeping stop."""
        entry = NewOrder(name_of(3), "BTC", Side.BUY, LOT, Decimal(95_000), TimeInForce.GTC)
        trigger = OrderTrigger(Decimal(90_000), TriggerKind.STOP_LOSS, True)
        stop = NewOrder(name_of(4), "BTC", Side.SELL, LOT, Decimal(81_000), TimeInForce.GTC, True, trigger)
        await self.venue.place([entry, stop], OrderGrouping.ENTRY_WITH_EXITS)

    def watchdog(self, policy: WatchPolicy) -> Watchdog:
        """Return a watchdog of the home."""

        async def sessions(known: frozenset[str]) -> dict[str, GuardSession]:
            if ACCOUNT in known:
                return {}
            session = guard_session(self.settings, ACCOUNT)
            try:
                await make_known(session)
                await session.open()
            except BaseException:
                session.close()
                raise
            return {ACCOUNT: session}

        return Watchdog(self.settings.home, policy, sessions, Alerts(self.settings.home))

    def beat(self, age_s: float, pid: int = 0) -> None:
        """Say that a desk (of this process, unless a pid is given) finished its last turn so long ago."""
        who = pid or os.getpid()
        pulse = Pulse(self.settings.home)
        pulse._who = {"pid": who, "born": born(who), "boot": boot_id()}
        pulse._turned_s = time.monotonic() - age_s
        pulse.path.parent.mkdir(parents=True, exist_ok=True)
        pulse._write(0.1)
        assert isinstance(pulse.read(), Beat)

    @property
    def switch(self) -> KillSwitch:
        """The kill switch of the home."""
        return KillSwitch(self.settings.home)

    @property
    def held(self) -> Decimal:
        """Signed size that the account holds."""
        positions = self.exchange.dump(self.user)["clearinghouse"]["assetPositions"]
        return sum((Decimal(p["position"]["szi"]) for p in positions), Decimal(0))

    @property
    def resting(self) -> list[str]:
        """Names of the orders that rest, triggers too."""
        return sorted(str(o["cloid"]) for o in self.exchange.dump(self.user).get("openOrders", ()))


@asynccontextmanager
async def watch_bed(home: Path) -> AsyncIterator[WatchBed]:
    """Open an exchange with a still market around 100,000, and the desk's session of one account."""
    options = Options(clock=TimeSource.WALL, limit_scale=0)
    async with LocalExchange((BTC,), options=options) as exchange:
        exchange.feed(book_frame("BTC", now_ms(), [("100000.0", "50.0")], [("100001.0", "50.0")]))
        exchange.feed(context_frame("BTC", "100000.0", "100000.0", "0.0"))
        await exchange.flush()
        settings = Settings(home, trading=TradingSettings(venue="local", url=exchange.url))
        settings = replace(settings, manifest=replace(Manifest(), universe=(BTC,)))
        venue = venue_account(
            ACCOUNT,
            VenueAccess(
                url=exchange.url,
                keys=settings.keys_root,
                journals=home / "live" / "signer",
                universe=(BTC,),
                clock_ms=now_ms,
                expires_ms=2_000,
            ),
            Decimal(10_000),
        )
        await venue.connect()
        try:
            yield WatchBed(exchange, venue, settings)
        finally:
            await venue.close()
            venue.exchange.signer.journal.close()


async def until(holds: Callable[[], bool], limit_s: float = 5.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.01)
