"""Faults of the local exchange against the real trading desk, with its books in PostgreSQL.

`python tests/chaos/desk_faults.py --n 10000 --seed 1`. Exchange and desk share a loop; plans of both sides in several
coins are accepted all the time, markets move and are thin, stops fire, the desk is ended and begun again now and then.
Requests fail before and after they are done, answers and messages come late, twice, in another order or not at all,
sockets fall silent, books go stale, signed orders arrive when nobody waits for them. The exchange's own state is
the truth: orders of one name accepted twice, plans that entered more than their size, orders, fills and positions that
the books do not know once the faults are over, and the longest time a position was without a resting stop, looked at
every 20 ms. Exit code 1 when any count is not 0 or a position was bare for more than 5 s.
"""

import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import websockets

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lotus_venues")]

from venue_faults import LatePoster, by_kind, faults  # noqa: E402

from lotus.detectors.entry_style import EntryStyle, Fallback  # noqa: E402
from lotus.errors import LotusError  # noqa: E402
from lotus.hashing import natural_id  # noqa: E402
from lotus.manifest import Asset  # noqa: E402
from lotus.modules.messages.trading import PlanReference  # noqa: E402
from lotus.trading.execution.orders import Side, TriggerKind  # noqa: E402
from lotus.trading.plan.plan import Plan, ProbeTerms, probe_plan  # noqa: E402
from lotus.trading.plan.styles import Styles  # noqa: E402
from lotus_desk.accounts.accounts import VenueAccess, venue_account  # noqa: E402
from lotus_desk.execution.books import TradeBooks  # noqa: E402
from lotus_desk.execution.desk import TradingDesk  # noqa: E402
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot, account_name  # noqa: E402
from lotus_desk.safety.kill_switch import KillSwitch  # noqa: E402
from lotus_herald.keys import Keys  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Connection, Databases  # noqa: E402
from lotus_store.ledger.bodies import to_plain  # noqa: E402
from lotus_store.ledger.trading.plans import PlanRow, put_plan  # noqa: E402
from lotus_venues.hyperliquid.venue import HyperliquidVenue  # noqa: E402
from lotus_venues.local_exchange.frames import book_frame, context_frame, trade_frame  # noqa: E402
from lotus_venues.local_exchange.options import Options, TimeSource  # noqa: E402
from lotus_venues.local_exchange.web.server import LocalExchange  # noqa: E402

COINS = tuple(Asset(name, 3) for name in ("BTC", "ETH", "SOL", "DOGE", "AVAX", "LINK"))
START_PX = 1_000
BARE_LIMIT_S = 5.0
LOOK_S = 0.02
MARKET_S = 0.1
CALM_S = 90.0
REST_MS = 3_000
TERMS = DeskTerms(Decimal(500), Decimal(300), Decimal(10**7), 5_000)
FINAL = ("Rejected", "rejected")


def now_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


class SeenMarket(MarketSnapshot):
    """A market that sees the books of a websocket."""

    async def watch(self, ws_url: str) -> None:
        """Take in books until cancelled; connect again when the socket ends."""
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException):
                async with websockets.connect(ws_url) as socket:
                    for asset in self.universe:
                        said = {"method": "subscribe", "subscription": {"type": "l2Book", "coin": asset.name}}
                        await socket.send(json.dumps(said))
                    async for text in socket:
                        self._take(json.loads(text))
            await asyncio.sleep(0.1)

    def _take(self, frame: Any) -> None:
        if frame.get("channel") != "l2Book":
            return
        index = next(i for i, asset in enumerate(self.universe) if asset.name == frame["data"]["coin"])
        bid, ask = (Decimal(side[0]["px"]) for side in frame["data"]["levels"])
        scale = Decimal(10) ** self.universe[index].px_decimals
        self._tops[index] = now_ms(), int(bid * scale), int(ask * scale)


@dataclass(slots=True)
class Markets:
    """Walks the prices of all coins; books are thin at times, so that entries fill in parts."""

    exchange: LocalExchange
    dice: random.Random
    px: dict[str, int] = field(default_factory=lambda: {asset.name: START_PX for asset in COINS})
    tid: int = 0

    def move(self) -> None:
        """Show every coin once."""
        for coin, px in self.px.items():
            self.px[coin] = px = max(900, min(1_100, px + self.dice.choice((-1, 0, 0, 0, 1))))
            size = self.dice.choice(("0.2", "5.0", "50.0"))
            bid, ask = f"{px - 0.1:.1f}", f"{px + 0.1:.1f}"
            deep = [(f"{px - 0.5:.1f}", "100.0")], [(f"{px + 0.5:.1f}", "100.0")]
            self.exchange.feed(book_frame(coin, now_ms(), [(bid, size), *deep[0]], [(ask, size), *deep[1]]))
            self.exchange.feed(context_frame(coin, f"{px}.0", f"{px}.0", "0.0"))
            if self.dice.random() < 0.1:
                self.tid += 1
                side, at = self.dice.choice((("B", ask), ("A", bid)))
                self.exchange.feed(trade_frame(coin, now_ms(), side, at, "0.3", self.tid))

    async def run(self) -> None:
        """Move on until cancelled."""
        while True:
            self.move()
            await asyncio.sleep(MARKET_S)


@dataclass(slots=True)
class BareWatch:
    """Looks into the exchange: since when a position has had less than its size in resting stops, and the longest."""

    exchange: LocalExchange
    since: dict[tuple[str, int], int] = field(default_factory=dict)
    longest_ms: int = 0
    beyond: int = 0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Look once."""
        state = self.exchange.engine.state
        for name, account in state.accounts.items():
            for asset, position in account.positions.items():
                stops = sum(
                    o.left for o in account.open.values()
                    if o.asset == asset and o.parent is None and o.stop is not None
                    and o.stop.kind is TriggerKind.STOP_LOSS and o.side * position.lots < 0
                )  # fmt: skip
                key = name, asset
                if stops >= abs(position.lots):
                    self.since.pop(key, None)
                    continue
                bare_ms = state.now_ms - self.since.setdefault(key, state.now_ms)
                self.beyond += bare_ms > 1000 * BARE_LIMIT_S >= self.longest_ms
                self.longest_ms = max(self.longest_ms, bare_ms)


def some_plan(dice: random.Random, market: MarketSnapshot, markets: Mapping[str, int], at_rest: bool = False) -> Plan:
    """Return a probe of some seconds with a stop that may fire, in any style where it may rest."""
    asset, side, at = dice.choice(COINS), dice.choice(tuple(Side)), now_ms()
    terms = market.terms(side)
    near = ProbeTerms(
        terms.notional_usd, Decimal(dice.choice((30, 60, 300))), terms.authority, terms.venues, terms.max_leverage,
        terms.entry_valid_ms,
    )  # fmt: skip
    event = natural_id("drill", at, dice.random())
    if at_rest:
        styles = Styles(dice.choice(tuple(EntryStyle)), dice.choice(tuple(Fallback)), dice.choice(tuple(EntryStyle)))
        near = replace(near, styles=styles, rest_ms=REST_MS)
    return probe_plan(event, asset, side, Decimal(markets[asset.name]), at, dice.randint(1_000, 8_000), near)


def accept(tr: Connection, plan: Plan) -> None:
    """Write an accepted plan."""
    reference = PlanReference(event_id=plan.signal_id, detector_id="drill", window_end_ms=plan.created_ms)
    row = PlanRow(
        plan.plan_id, "main", plan.decision_id, plan.signal_id, "probe", plan.coin, "local", "accepted",
        plan.created_ms, to_plain(plan), reference, {},
    )  # fmt: skip
    put_plan(tr, row)


def _entered(execution: Any) -> Decimal:
    """Return what the entries of an execution as stored were filled with in all."""
    orders = execution["orders"].values()
    return sum((Decimal(order["filled"]) for order in orders if order["purpose"] == "entry"), Decimal(0))


@dataclass(slots=True)
class Drill:
    """One campaign: an exchange, a desk on it that is begun again now and then, and what was counted."""

    home: Path
    databases: Databases
    exchange: LocalExchange
    seed: int
    timeout_s: float
    expires_ms: int
    at_rest: bool = False
    dice: random.Random = field(init=False)
    market: SeenMarket = field(init=False)
    desk: TradingDesk | None = None
    task: "asyncio.Task[None] | None" = None
    restarts: int = 0
    plans: int = 0
    differences: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Start the dice."""
        self.dice = random.Random(self.seed)
        self.market = SeenMarket(COINS, "local", TERMS, now_ms)

    @property
    def ambiguities(self) -> int:
        """Faults that struck so far."""
        return self.exchange.faults.struck.total() + LatePoster.held

    def faults_on(self, on: bool) -> None:
        """Switch faults of exchange and network on or off."""
        self.exchange.faults.switch(faults(self.timeout_s, stale=40) if on else ())
        LatePoster.chance = 0.06 if on else 0.0

    async def begin(self) -> None:
        """Begin a desk with adapters of its own on what an earlier one left."""
        settings, url = Settings(self.home), self.exchange.url
        venues: dict[str, HyperliquidVenue] = {}
        for side in Side:
            venue = venue_account(
                account_name(side),
                VenueAccess(
                    url=url,
                    keys=settings.keys_root,
                    journals=self.home / "live" / "signer",
                    universe=COINS,
                    clock_ms=now_ms,
                    expires_ms=self.expires_ms,
                ),
                Decimal(10**6),
            )
            venue.exchange.poster = LatePoster(url, timeout_s=self.timeout_s, connect_timeout_s=1.0)
            venues[account_name(side)] = venue
        books = TradeBooks(self.databases, Keys(settings.keys_root), "local")
        self.desk = TradingDesk(books, self.market, venues, KillSwitch(self.home).prepare())
        self.task = asyncio.create_task(self._run(self.desk))

    async def _run(self, desk: TradingDesk) -> None:
        """Run a desk as the daemon does: one that breaks is begun again."""
        while True:
            try:
                await desk.run()
            except (LotusError, OSError) as problem:
                print(f"the desk broke: {problem}", file=sys.stderr)
            await asyncio.sleep(0.5)

    async def end(self) -> None:
        """End the desk, its orders stay."""
        assert self.desk is not None
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        for reconciler in self.desk.reconcilers:
            self.differences.update({str(kind): n for kind, n in reconciler.differences.items()})
        for venue in self.desk.venues.values():
            assert isinstance(venue, HyperliquidVenue)
            venue.exchange.signer.journal.close()

    async def feed(self, markets: Markets, per_s: float) -> None:
        """Accept plans at a pace until cancelled."""
        with self.databases.connect("tr", autocommit=True) as tr:
            while True:
                plan = some_plan(self.dice, self.market, markets.px, self.at_rest)
                await asyncio.to_thread(accept, tr, plan)
                self.plans += 1
                await asyncio.sleep(self.dice.expovariate(per_s))

    def unfinished(self) -> int:
        """Return how many plans are not over."""
        with self.databases.connect("tr") as tr:
            row = tr.execute("SELECT count(*) FROM tr_plans WHERE stage NOT IN ('done', 'refused')").fetchone()
        return int(str(row[0])) if row else 0

    def judge(self) -> dict[str, int]:
        """Compare the exchange's books with the desk's, at rest."""
        with self.databases.connect("tr") as tr:
            names = {str(row[0]) for row in tr.execute("SELECT client_id FROM tr_orders")}
            known = {str(row[0]) for row in tr.execute("SELECT fill_id FROM tr_fills")}
            plans = tr.execute("SELECT plan, execution FROM tr_plans WHERE stage = 'done'").fetchall()
        found: Counter[str] = Counter(duplicate_orders=0, unknown_orders=0, missed_fills=0, open_orders=0, positions=0)
        state = self.exchange.engine.state
        accepted = [o for o in state.orders.values() if o.cloid and not o.status.endswith(FINAL)]
        told = Counter(o.cloid for o in accepted)
        modified = Counter(o.cloid for o in accepted if o.status == "canceled")
        found["duplicate_orders"] = sum(n > 1 for name, n in (told - modified).items())
        found["over_entered"] = sum(_entered(execution) > Decimal(plan["size"]) for plan, execution in plans)
        found["unknown_orders"] = sum(name not in names for name in told)
        for account in state.accounts.values():
            found["fills"] += len(account.fills)
            found["missed_fills"] += sum(str(fill.tid) not in known for fill in account.fills)
            found["open_orders"] += len(account.open)
            found["positions"] += sum(bool(p.lots) for p in account.positions.values())
        return dict(found) | {"orders": len(accepted)}


async def drill(
    n: int,
    seed: int,
    minutes: float,
    home: Path,
    per_s: float = 4.0,
    timeout_s: float = 1.0,
    expires_ms: int = 2_000,
    at_rest: bool = False,
) -> dict[str, Any]:
    """Run until `n` ambiguities struck or the minutes are over; then faults off, let every plan end, and judge."""
    began = time.monotonic()
    LatePoster.held, LatePoster.dice = 0, random.Random(seed)
    LatePoster.given_up_s, LatePoster.latest_s = timeout_s, 1.5 * expires_ms / 1e3
    options = Options(clock=TimeSource.WALL, limit_scale=0, greets=False, open_deposit_usd=Decimal(10**6), seed=seed)
    with Databases(Settings(home)) as databases:
        databases.open()
        async with LocalExchange(COINS, options=options) as exchange:
            run = Drill(home, databases, exchange, seed, timeout_s, expires_ms, at_rest)
            markets, watch = Markets(exchange, random.Random(seed + 1)), BareWatch(exchange)
            markets.move()
            await run.begin()
            beside = [
                asyncio.create_task(job) for job in (markets.run(), watch.run(), run.market.watch(exchange.ws_url))
            ]
            feeder = asyncio.create_task(run.feed(markets, per_s))
            run.faults_on(True)
            restart_at = n / 8
            while run.ambiguities < n and time.monotonic() - began < 60 * minutes:
                await asyncio.sleep(0.2)
                if run.ambiguities >= restart_at:
                    restart_at += max(n / 8, 100)
                    run.restarts += 1
                    await run.end()
                    await run.begin()
            feeder.cancel()
            run.faults_on(False)
            calm = time.monotonic()
            while await asyncio.to_thread(run.unfinished) and time.monotonic() - calm < CALM_S:
                await asyncio.sleep(0.5)
            await asyncio.sleep(1.0)
            left = await asyncio.to_thread(run.unfinished)
            verdict = await asyncio.to_thread(run.judge)
            await run.end()
            for task in (feeder, *beside):
                task.cancel()
            await asyncio.gather(feeder, *beside, return_exceptions=True)
            struck = exchange.faults.struck
    wrong = ("duplicate_orders", "over_entered", "unknown_orders", "missed_fills", "open_orders", "positions")
    return {
        "ambiguities": run.ambiguities, **verdict, "unfinished_plans": left,
        "longest_bare_s": round(watch.longest_ms / 1e3, 2),
        "is_clean": not left and not any(verdict[name] for name in wrong) and watch.longest_ms <= 1e3 * BARE_LIMIT_S,
        "plans": run.plans, "restarts": run.restarts, "seconds_of_calm": round(time.monotonic() - calm, 1),
        "differences": dict(sorted((run.differences + Counter()).items())),
        "struck": dict(sorted((by_kind(struck) + Counter(late=LatePoster.held)).items())),
        "seed": seed, "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


@click.command()
@click.option("--n", default=10_000, show_default=True, help="Ambiguities to strike.")
@click.option("--seed", default=1, show_default=True)
@click.option("--minutes", default=60.0, show_default=True, help="Stop striking after so long.")
@click.option("--per-s", default=4.0, show_default=True, help="Plans a second.")
@click.option("--timeout-s", default=1.0, show_default=True, help="How long a request waits for its answer.")
@click.option("--at-rest", is_flag=True, help="Plans rest and cross, in all styles.")
def main(n: int, seed: int, minutes: float, per_s: float, timeout_s: float, at_rest: bool) -> None:
    """Strike, let all end, judge; print one JSON line."""
    with tempfile.TemporaryDirectory(prefix="lotus-faults-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        told = asyncio.run(drill(n, seed, minutes, home, per_s, timeout_s, at_rest=at_rest))
    click.echo(json.dumps(told))
    sys.exit(0 if told["is_clean"] else 1)


if __name__ == "__main__":
    main()
