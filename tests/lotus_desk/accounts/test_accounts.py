"""Weight of a minute: three accounts at the real venue from one address, beside the watchdog's looks.

The desk, its comparisons and the adapters are the real ones; the venue only counts, by the local exchange's table.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import eth_account
import pytest
from weighed import START_MS, Counter, CountingPoster, QuickLoop, passed

import lotus_venues.hyperliquid.venue as venue_module
from lotus.errors import VenueError
from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.trading.execution.orders import NewOrder, OrderGrouping, OrderTrigger, Side, TimeInForce, TriggerKind
from lotus.trading.venue import Venue
from lotus_desk.accounts.accounts import WATCHDOG_WEIGHT, VenueAccess, account_files, desk_weight, venue_account
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_desk.watch.watchdog import LIVE_SLOW_LOOK_S, LIVE_URGENT_LOOK_S, QUIET_LOOK_S, URGENT_S
from lotus_store.private import write_secret
from lotus_venues.hyperliquid import rate_budget
from lotus_venues.hyperliquid.rate_budget import WEIGHT_A_MINUTE, info_weight

URL = "https://venue.example"
BTC = Asset("BTC", 5)
ACCOUNTS = ("probes-long", "probes-short", "book")
LOOK_WEIGHT = 22 * len(ACCOUNTS)  # one look of the watchdog
CAPS = 'max_order_usd = "1000"\nmax_day_usd = "100000"\nmax_open_usd = "50000"\n[coins]\nBTC = "1"\n'


class QuietStream:
    """A user stream that opens and tells nothing."""

    def __init__(self, url: str, user: str, on_frame: Any, on_ready: Any, policy: Any) -> None:
        self.on_ready, self.ready = on_ready, asyncio.Event()

    async def run(self) -> None:
        await self.on_ready()
        self.ready.set()
        await asyncio.Event().wait()


@dataclass
class World:
    """A desk with three accounts at a venue that counts."""

    loop: QuickLoop
    counter: Counter
    desk: TradingDesk

    @property
    def venues(self) -> dict[str, Any]:
        return dict(self.desk.venues)

    async def connect(self) -> None:
        """Connect as the desk does."""
        for venue in self.venues.values():
            await venue.connect()
            await venue.set_leverage("BTC", 5)
        for venue, reconciler in zip(self.venues.values(), self.desk.reconcilers, strict=True):
            await venue.fills_since(START_MS)
            await reconciler.compare()

    async def begun(self) -> int:
        """Connect, begin the looks and let the start pass; return the time."""
        await self.connect()
        self.looking = asyncio.create_task(self.desk._accounts.run())
        await asyncio.sleep(130)  # a start fills its minute; the looks that waited come in the next
        for venue in self.venues.values():
            venue.exchange.patient_till_ms = 0
        return self.loop.now_ms()

    async def close(self) -> None:
        """End everything."""
        self.looking.cancel()
        with suppress(asyncio.CancelledError):
            await self.looking
        for venue in self.venues.values():
            await venue.close()
            venue.exchange.signer.journal.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    loop = QuickLoop()
    counter = Counter(loop)
    monkeypatch.setattr(rate_budget, "_SHARED", {})
    monkeypatch.setattr(venue_module, "UserStream", QuietStream)
    venues: dict[str, Venue] = {}
    for number, account in enumerate(ACCOUNTS):
        files = account_files(tmp_path / "keys", account)
        files.key.parent.mkdir(parents=True, exist_ok=True)
        key = f"0x{number + 1:064x}"
        user = f"0x{number + 1:040x}"
        for path, text in ((files.key, key), (files.address, user), (files.caps, CAPS)):
            write_secret(path, text)
        venue = venue_account(
            account,
            VenueAccess(
                url=URL,
                keys=tmp_path / "keys",
                journals=tmp_path / "signer",
                universe=(BTC,),
                clock_ms=loop.now_ms,
                expires_ms=5_000,
            ),
            Decimal(1000),
        )
        agent = str(eth_account.Account.from_key(key).address).lower()
        venue.exchange.poster = CountingPoster(counter, agent, user, URL)  # type: ignore[assignment]
        venues[account] = venue
    terms = DeskTerms(Decimal(100), Decimal(300), Decimal(50_000), 5_000)
    market = MarketSnapshot((BTC,), "hyperliquid", terms, loop.now_ms, is_wall=True)
    books: Any = SimpleNamespace(close=lambda: None)
    return World(loop, counter, TradingDesk(books, market, venues, KillSwitch(tmp_path).prepare()))


def played(world: World, work: Coroutine[Any, Any, None]) -> None:
    async def ended() -> None:
        try:
            await work
        finally:
            await world.close()

    passed(world.loop, ended())


def an_order(name: object, px: str = "100", trigger: OrderTrigger | None = None, reduce: bool = False) -> NewOrder:
    """Return an order of 0.1 BTC."""
    side, tif = (Side.SELL if reduce else Side.BUY), TimeInForce.GTC
    return NewOrder("0x" + natural_id(str(name)), "BTC", side, Decimal("0.1"), Decimal(px), tif, reduce, trigger)


async def a_plan(venue: Any, name: str) -> None:
    """Do what an ordinary plan costs: entry with its stop, two questions, the exit, and the cancel of what is left."""
    stop = an_order(f"{name} stop", "90", OrderTrigger(Decimal(90), TriggerKind.STOP_LOSS), reduce=True)
    entry = an_order(f"{name} entry")
    await venue.place([entry, stop], OrderGrouping.ENTRY_WITH_EXITS)
    await venue.order_of(entry.client_id)
    await venue.order_of(stop.client_id)
    await venue.place([an_order(f"{name} exit", reduce=True)])
    await venue.cancel("BTC", [entry.client_id, stop.client_id])


def test_a_quiet_minute_of_three_accounts_leaves_room_for_orders_and_the_reserve(world: World) -> None:
    async def work() -> None:
        begun_ms = await world.begun()
        await asyncio.sleep(600)
        minutes = (world.loop.now_ms() - begun_ms) / 60_000
        looks = [kind for time_ms, kind, _ in world.counter.log if time_ms >= begun_ms]
        assert world.counter.since(begun_ms) / minutes <= 460
        assert 1.5 < looks.count("frontendOpenOrders") / minutes / len(ACCOUNTS) <= 2.2
        assert looks.count("userFillsByTime") == pytest.approx(looks.count("frontendOpenOrders"), abs=3)
        assert looks.count("userRateLimit") <= 3 * len(ACCOUNTS)
        for venue in world.venues.values():
            assert venue.exchange.budget.refused == 0
            assert world.loop.now_ms() - venue.exchange.signer.exposure.seen_ms < 45_000
        assert sum(world.desk.reconcilers[0].differences.values()) == 0

    played(world, work())


def test_a_busy_minute_of_three_accounts_fits_beside_the_watchdog(world: World) -> None:
    async def work() -> None:
        begun_ms = await world.begun()
        for number in range(10):
            for account, venue in world.venues.items():
                await a_plan(venue, f"{account} {number}")
            await asyncio.sleep(10)
        assert [venue.exchange.budget.refused for venue in world.venues.values()] == [0, 0, 0]
        shared = desk_weight(URL)
        assert world.counter.since(begun_ms) > 0
        assert world.counter.of_a_minute() <= shared.limit - shared.reserve == 700

    played(world, work())


def test_the_overload_of_one_account_stops_openings_of_all_and_no_cancel_and_no_exit(world: World) -> None:
    async def work() -> None:
        await world.begun()
        probe, other = world.venues["probes-long"], world.venues["book"]
        resting = an_order("resting")
        await other.place([resting])
        now_ms, shared = world.loop.now_ms(), desk_weight(URL)
        probe.exchange.budget.spend(shared.most() - shared.spent(now_ms), now_ms)
        world.counter.count("much", shared.most() - world.counter.since(now_ms - 59_999))
        with pytest.raises(VenueError, match="weight used this minute"):
            await other.place([an_order("late")])
        stop = an_order("stop", "90", OrderTrigger(Decimal(90), TriggerKind.STOP_LOSS), reduce=True)
        for number in range(20):
            await other.place([an_order(f"exit {number}", reduce=True)])
        await other.place([stop])
        await other.cancel("BTC", [resting.client_id])
        assert world.counter.states[resting.client_id] == "canceled"
        assert world.counter.of_a_minute() <= WEIGHT_A_MINUTE - WATCHDOG_WEIGHT

    played(world, work())


def test_a_start_right_after_the_gate_waits_for_room_instead_of_failing(world: World) -> None:
    async def work() -> None:
        asked = ["userRole", "userRole", "extraAgents", "clearinghouseState"] * len(ACCOUNTS)
        desk_weight(URL).note(sum(map(info_weight, asked)), world.loop.now_ms())
        for kind in asked:
            world.counter.count(kind, info_weight(kind))
        await world.begun()
        assert world.counter.of_a_minute() <= desk_weight(URL).most()
        assert world.loop.time() < 200

    played(world, work())


def test_the_watchdogs_looks_fit_its_share_and_an_alarm_leaves_it_sighted() -> None:
    quiet = 60 / QUIET_LOOK_S * LOOK_WEIGHT
    urgent = (1 + URGENT_S / LIVE_URGENT_LOOK_S + (60 - URGENT_S) / LIVE_SLOW_LOOK_S) * LOOK_WEIGHT
    assert quiet <= WATCHDOG_WEIGHT
    assert urgent <= 1000, "beyond it its questions would be refused by its own budget"
