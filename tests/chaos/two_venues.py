"""A desk of two venues of which one dies again and again, and comes back with its books.

`python tests/chaos/two_venues.py --deaths 200 --seed 1`. Desk and both exchanges share a loop; plans of both sides in
several coins go to both venues all the time, to the dead one too. A death ends every connection, requests under way
among them, and refuses new ones; the exchange comes back on its port with what it had. The exchanges' own states are
the truth: orders of one name accepted twice, plans that entered more than their size, windows entered at both venues,
orders, fills and positions that the books do not know, plans that do not end. Exit code 1 when any count is not 0.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lotus_venues")]

from desk_faults import COINS, FINAL, TERMS, Markets, SeenMarket, now_ms, some_plan  # noqa: E402

from lotus.modules.intents import Module  # noqa: E402
from lotus.modules.messages.trading import PlanReference  # noqa: E402
from lotus.trading.execution.orders import Side  # noqa: E402
from lotus.trading.plan.plan import Plan  # noqa: E402
from lotus_desk.accounts.accounts import VenueAccess, venue_account  # noqa: E402
from lotus_desk.execution.books import TradeBooks  # noqa: E402
from lotus_desk.execution.desk import TradingDesk  # noqa: E402
from lotus_desk.market.snapshot import account_at, account_name, venue_of  # noqa: E402
from lotus_desk.safety.kill_switch import KillSwitch  # noqa: E402
from lotus_herald.keys import Keys  # noqa: E402
from lotus_herald.release import release_of  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Connection, Databases  # noqa: E402
from lotus_store.ledger.bodies import to_plain  # noqa: E402
from lotus_store.ledger.trading.plans import PlanRow, put_plan  # noqa: E402
from lotus_venues.hyperliquid.http import JsonPoster  # noqa: E402
from lotus_venues.local_exchange.options import Options, TimeSource  # noqa: E402
from lotus_venues.local_exchange.web.server import LocalExchange  # noqa: E402

FIRST, SECOND = "local", "local-2"
CALM_S = 90.0
EXPIRES_MS = 1_000
WRONG = (
    "duplicate_orders", "entered_twice", "moved_though_filled", "over_entered", "unknown_orders", "missed_fills",
    "open_orders", "positions",
)  # fmt: skip


@dataclass(slots=True)
class Venues:
    """Both exchanges; a frame goes to those that live, and to the desk's market."""

    exchanges: dict[str, LocalExchange]
    market: SeenMarket
    dead: set[str] = field(default_factory=set)

    def feed(self, raw: bytes) -> None:
        """Take a market frame."""
        for name, exchange in self.exchanges.items():
            if name not in self.dead:
                exchange.feed(raw)
        self.market._take(json.loads(raw))

    async def die(self, name: str) -> None:
        """End an exchange as a killed process ends: every connection breaks, new ones are refused."""
        self.dead.add(name)
        await self.exchanges[name].__aexit__(None, None, None)

    async def return_(self, name: str) -> None:
        """Begin it again on its port, with its books."""
        await self.exchanges[name].__aenter__()
        self.dead.discard(name)


def accept(tr: Connection, plan: Plan, venue: str) -> None:
    """Write an accepted plan of a venue."""
    reference = PlanReference(event_id=plan.signal_id, detector_id="drill", window_end_ms=plan.created_ms)
    row = PlanRow(
        plan.plan_id, "main", plan.decision_id, plan.signal_id, "probe", plan.coin, venue, "accepted", plan.created_ms,
        to_plain(plan), reference, {},
    )  # fmt: skip
    put_plan(tr, row)


def desk_at(home: Path, databases: Databases, venues: Venues) -> TradingDesk:
    """Return a desk with a session at each venue for each side."""
    settings, sessions = Settings(home), {}
    for name, exchange in venues.exchanges.items():
        for side in Side:
            account = account_name(side)
            access = VenueAccess(
                url=exchange.url, keys=settings.keys_root, journals=home / "live" / "signer" / name, universe=COINS,
                clock_ms=now_ms, expires_ms=EXPIRES_MS, name=name,
            )  # fmt: skip
            venue = venue_account(account, access, Decimal(10**6))
            venue.exchange.poster = JsonPoster(exchange.url, timeout_s=1.0, connect_timeout_s=1.0)
            sessions[account if name == FIRST else account_at(account, name)] = venue
    books = TradeBooks(databases, Keys(settings.keys_root), FIRST, others=(SECOND,))
    return TradingDesk(books, venues.market, sessions, KillSwitch(home).prepare())


async def feed_plans(databases: Databases, markets: Markets, venues: Venues, dice: random.Random, per_s: float) -> None:
    """Accept plans at a pace until cancelled: where the trader would, and sometimes where nobody answers any more."""
    with databases.connect("tr", autocommit=True) as tr:
        while True:
            plan = some_plan(dice, venues.market, markets.px)
            names = venues.market.every(plan.authority.account)
            account = dice.choice(names if dice.random() < 0.5 else venues.market.answering(names[0]))
            authority = replace(plan.authority, account=account)
            plan = replace(plan, authority=authority, release=release_of(Module.DM))
            await asyncio.to_thread(accept, tr, plan, venue_of(account) or FIRST)
            await asyncio.sleep(dice.expovariate(per_s))


def judge(databases: Databases, exchanges: Sequence[LocalExchange]) -> dict[str, Any]:
    """Compare the exchanges' books with the desk's, at rest."""
    with databases.connect("tr") as tr:
        names = {str(row[0]) for row in tr.execute("SELECT client_id FROM tr_orders")}
        known = {(str(v), str(f)) for v, f in tr.execute("SELECT venue, fill_id FROM tr_fills")}
        rows = tr.execute("SELECT lifecycle_id, venue, moved_to, plan, execution FROM tr_plans").fetchall()
        reports = tr.execute("SELECT count(*), count(DISTINCT lifecycle_id) FROM tr_outbox").fetchone()
    found: Counter[str] = Counter(dict.fromkeys(WRONG, 0))
    entered: dict[str, set[str]] = {}
    for window, venue, moved_to, plan, execution in rows:
        size = sum(Decimal(o["filled"]) for o in execution.get("orders", {}).values() if o["purpose"] == "entry")
        found["over_entered"] += size > Decimal(plan["size"])
        found["plans" if moved_to is None else "plans_moved"] += 1
        found["moved_though_filled"] += moved_to is not None and bool(size)
        if size:
            entered.setdefault(window, set()).add(venue)
    found["entered_twice"] = sum(len(venues) > 1 for venues in entered.values())
    for name, exchange in zip((FIRST, SECOND), exchanges, strict=True):
        state = exchange.engine.state
        accepted = [o for o in state.orders.values() if o.cloid and not o.status.endswith(FINAL)]
        told = Counter(o.cloid for o in accepted)
        modified = Counter(o.cloid for o in accepted if o.status == "canceled")
        found[f"orders_at_{name}"] = len(accepted)
        found["duplicate_orders"] += sum(n > 1 for n in (told - modified).values())
        found["unknown_orders"] += sum(cloid not in names for cloid in told)
        for account in state.accounts.values():
            found["missed_fills"] += sum((name, str(fill.tid)) not in known for fill in account.fills)
            found["open_orders"] += len(account.open)
            found["positions"] += sum(bool(p.lots) for p in account.positions.values())
    return dict(found) | {"reports": reports[0] if reports else 0, "windows_told": reports[1] if reports else 0}


def unfinished(databases: Databases) -> int:
    """Return how many plans are not over."""
    with databases.connect("tr") as tr:
        row = tr.execute("SELECT count(*) FROM tr_plans WHERE stage IN ('accepted', 'working')").fetchone()
    return int(str(row[0])) if row else 0


async def drill(
    deaths: int, seed: int, minutes: float, home: Path, per_s: float = 4.0, longest_s: float = 6.0
) -> dict[str, Any]:
    """Kill now this venue, now the other, so many times; then let every plan end, and judge.

    A venue is dead for 0.2 to `longest_s` seconds.
    """
    began, dice = time.monotonic(), random.Random(seed)
    options = Options(clock=TimeSource.WALL, limit_scale=0, greets=False, open_deposit_usd=Decimal(10**6), seed=seed)
    with Databases(Settings(home)) as databases:
        databases.open()
        first, second = (LocalExchange(COINS, options=options) for _ in range(2))
        async with first, second:
            market = SeenMarket(COINS, FIRST, TERMS, now_ms, others=(SECOND,))
            venues = Venues({FIRST: first, SECOND: second}, market)
            shown: Any = venues
            markets = Markets(shown, random.Random(seed + 1))
            markets.move()
            desk = desk_at(home, databases, venues)
            running, moving = asyncio.create_task(desk.run()), asyncio.create_task(markets.run())
            while not desk.recovered:
                await asyncio.sleep(0.05)
            feeder = asyncio.create_task(feed_plans(databases, markets, venues, dice, per_s))
            died = 0
            while died < deaths and time.monotonic() - began < 60 * minutes:
                await asyncio.sleep(dice.uniform(1.0, 4.0))
                name = dice.choice((FIRST, SECOND))
                await venues.die(name)
                died += 1
                await asyncio.sleep(dice.uniform(0.2, longest_s))
                await venues.return_(name)
            feeder.cancel()
            calm = time.monotonic()
            while await asyncio.to_thread(unfinished, databases) and time.monotonic() - calm < CALM_S:
                await asyncio.sleep(0.5)
            await asyncio.sleep(1.0)
            left = await asyncio.to_thread(unfinished, databases)
            told = await asyncio.to_thread(judge, databases, (first, second))
            for task in (feeder, running, moving):
                task.cancel()
            await asyncio.gather(feeder, running, moving, return_exceptions=True)
            differences: Counter[str] = Counter()
            for reconciler in desk.reconcilers:
                differences.update({str(kind): n for kind, n in reconciler.differences.items()})
            for session in desk.venues.values():
                session.exchange.signer.journal.close()  # type: ignore[attr-defined]
    untracked = differences["position_untracked"]
    return {
        "deaths": died, **told, "moved": desk.counts.moved, "unfinished_plans": left, "untracked": untracked,
        "is_clean": not left and not untracked and not any(told[name] for name in WRONG), "broken": desk.counts.broken,
        "alarms": desk.counts.alarms, "differences": dict(sorted(differences.items())), "seed": seed,
        "seconds_of_calm": round(time.monotonic() - calm, 1), "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


@click.command()
@click.option("--deaths", default=200, show_default=True, help="How often a venue dies.")
@click.option("--seed", default=1, show_default=True)
@click.option("--minutes", default=60.0, show_default=True, help="No death after so long.")
@click.option("--per-s", default=4.0, show_default=True, help="Plans a second.")
def main(deaths: int, seed: int, minutes: float, per_s: float) -> None:
    """Kill, let all end, judge; print one JSON line."""
    with tempfile.TemporaryDirectory(prefix="lotus-venues-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        told = asyncio.run(drill(deaths, seed, minutes, home, per_s))
    click.echo(json.dumps(told))
    sys.exit(0 if told["is_clean"] else 1)


if __name__ == "__main__":
    main()
