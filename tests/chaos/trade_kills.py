"""Kill a trading desk with SIGKILL while it has orders and positions at the local exchange, which is the referee.

`python tests/chaos/trade_kills.py --kills 200 --minutes 30`. Exchange and desk are processes of their own; plans (long
and short, some seconds long) are accepted all the time. After each kill the desk starts again; recovered is when it has
compared itself with the venue. Counted: orders the books do not know, names used twice, positions that differ from the
books, the longest time a position was without a resting stop (also while the desk was dead), seconds to recover. Exit
code 1 when anything is lost, doubled, untracked or bare for more than 5 s.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from children import Child, spawn  # noqa: E402
from drill_end import end_drill, is_whole  # noqa: E402
from free_port import free_port  # noqa: E402

from lotus.detectors.entry_style import EntryStyle, Fallback  # noqa: E402
from lotus.hashing import natural_id  # noqa: E402
from lotus.manifest import Asset  # noqa: E402
from lotus.modules.messages.trading import PlanReference  # noqa: E402
from lotus.trading.execution.orders import Side  # noqa: E402
from lotus.trading.plan.plan import probe_plan  # noqa: E402
from lotus.trading.plan.styles import Styles  # noqa: E402
from lotus_desk.accounts.accounts import VenueAccess, venue_account  # noqa: E402
from lotus_desk.execution.books import TradeBooks  # noqa: E402
from lotus_desk.execution.desk import TradingDesk  # noqa: E402
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot, account_name  # noqa: E402
from lotus_desk.safety.kill_switch import KillSwitch  # noqa: E402
from lotus_herald.keys import Keys  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.ledger.bodies import to_plain  # noqa: E402
from lotus_store.ledger.trading.plans import PlanRow, put_plan  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.settings.sections import TradingSettings  # noqa: E402
from lotus_venues.local_exchange.frames import book_frame, context_frame  # noqa: E402
from lotus_venues.local_exchange.options import Options, TimeSource  # noqa: E402
from lotus_venues.local_exchange.web.server import LocalExchange  # noqa: E402

BTC = Asset("BTC", 5)
START_PX = 100_000
TERMS = DeskTerms(Decimal(1000), Decimal(300), Decimal(10**7), 5_000)
BARE_LIMIT_S = 5.0
EXPIRES_MS = TradingSettings().expires_ms
PATIENCE_S = 60.0
LOOK_S = 0.2
REST_MS = 3_000


def now_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


def run_exchange(port: int, seed: int) -> int:
    """Serve an exchange whose market walks a little, until killed."""

    async def go() -> None:
        dice, px = random.Random(seed), START_PX
        options = Options(clock=TimeSource.WALL, limit_scale=0)
        async with LocalExchange((BTC,), options=options, port=port) as exchange:
            while True:
                px += dice.choice((-2, -1, 0, 1, 2))
                exchange.feed(book_frame("BTC", now_ms(), [(f"{px}.0", "50.0")], [(f"{px + 1}.0", "50.0")]))
                exchange.feed(context_frame("BTC", f"{px}.0", f"{px}.0", "0.0"))
                await asyncio.sleep(0.1)

    asyncio.run(go())
    return 0


class ToldMarket(MarketSnapshot):
    """A market whose market is asked for at the venue."""

    def told(self, best: tuple[Decimal, Decimal]) -> None:
        """Take best bid and ask."""
        self._tops[0] = now_ms(), int(best[0] * 10), int(best[1] * 10)


def run_desk(home: Path, url: str) -> int:
    """Run the desk of a home until killed; say in `recovered` when it has compared itself with the venue."""
    settings = Settings(home)

    async def go(databases: Databases) -> None:
        snapshot = ToldMarket((BTC,), "local", TERMS, now_ms, max_leverage={"BTC": 40})
        venues = {
            account_name(side): venue_account(
                account_name(side),
                VenueAccess(
                    url=url,
                    keys=settings.keys_root,
                    journals=home / "live" / "signer",
                    universe=(BTC,),
                    clock_ms=now_ms,
                    expires_ms=EXPIRES_MS,
                    is_halted=KillSwitch(home).prepare().is_thrown,
                ),
                Decimal(100_000),
            )
            for side in Side
        }
        books = TradeBooks(databases, Keys(settings.keys_root), "local")
        desk = TradingDesk(books, snapshot, venues, KillSwitch(home).prepare())

        async def market() -> None:
            while True:
                with suppress(Exception):
                    best = await venues[account_name(Side.BUY)].best_prices("BTC")
                    if best is not None:
                        snapshot.told(best)
                await asyncio.sleep(0.1)

        async def tell() -> None:
            while not desk.recovered:
                await asyncio.sleep(0.01)
            (home / "recovered").write_text(str(time.monotonic()))

        await asyncio.gather(desk.run(), market(), tell())

    with Databases(settings, migrated=False) as databases:
        asyncio.run(go(databases))
    return 0


def accept_plans(
    home: Path,
    dice: random.Random,
    n: int,
    hold_ms: int = 0,
    px: Decimal = Decimal(START_PX),
    style: EntryStyle = EntryStyle.CROSS,
) -> int:
    """Write accepted plans of both sides around a price, `hold_ms` or some seconds long, in a style both ways."""
    with Databases(Settings(home), migrated=False) as databases, databases.connect("tr") as connection:
        snapshot = MarketSnapshot((BTC,), "local", TERMS, now_ms)
        for _ in range(n):
            side, at = dice.choice(tuple(Side)), now_ms()
            event = natural_id("drill", at, dice.random())
            fallback = Fallback.CROSS if style is EntryStyle.CROSS else dice.choice(tuple(Fallback))
            styles = Styles(style, fallback, style)
            terms = replace(snapshot.terms(side), styles=styles, rest_ms=REST_MS)
            plan = probe_plan(event, BTC, side, px, at, hold_ms or dice.randint(1_000, 8_000), terms)
            row = PlanRow(
                plan.plan_id, "main", plan.decision_id, event, "probe", "BTC", "local", "accepted", at, to_plain(plan),
                PlanReference(event_id=event, detector_id="drill", window_end_ms=at), {},
            )  # fmt: skip
            put_plan(connection, row)
        connection.commit()
    return n


def asked(url: str, body: dict[str, Any]) -> Any:
    """Ask the exchange's referee."""
    request = urllib.request.Request(url + "/lotus", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def books_say(home: Path) -> dict[str, Any]:
    """Return what the books know: names of orders, signed size by side of working plans, plans by stage."""
    with Databases(Settings(home), migrated=False) as databases, databases.connect("tr") as tr:
        names = [str(row[0]) for row in tr.execute("SELECT client_id FROM tr_orders")]
        stages = {str(k): int(str(n)) for k, n in tr.execute("SELECT stage, count(*) FROM tr_plans GROUP BY 1")}
        fills = [str(row[0]) for row in tr.execute("SELECT fill_id FROM tr_fills")]
    return {"names": names, "stages": stages, "fills": fills}


class Watch:
    """Looks at both accounts: which were bare, since when, and the longest."""

    def __init__(self, url: str, users: dict[str, str]) -> None:
        """Know the accounts."""
        self.url, self.users = url, users
        self.bare_since: dict[str, float] = {}
        self.longest = 0.0

    def look(self) -> None:
        """Look once."""
        for name, user in self.users.items():
            state, at = asked(self.url, {"type": "state", "user": user}), time.monotonic()
            if not state["exists"]:
                continue
            held = sum(Decimal(p["position"]["szi"]) for p in state["clearinghouse"]["assetPositions"])
            stops = sum((Decimal(o["sz"]) for o in state["openOrders"] if o.get("isTrigger")), Decimal(0))
            if held and stops < abs(held):
                self.longest = max(self.longest, at - self.bare_since.setdefault(name, at))
            else:
                self.bare_since.pop(name, None)

    def sleep(self, seconds: float) -> None:
        """Look for a while."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.look()
            time.sleep(min(left, LOOK_S))


def start_desk(home: Path, url: str) -> Child:
    """Start the desk."""
    (home / "recovered").unlink(missing_ok=True)
    return spawn(partial(run_desk, home, url), home / "desk.json")


def wait_recovered(home: Path, desk: Child, watch: Watch) -> float:
    """Wait until the desk has recovered; return the seconds since its start."""
    while not (home / "recovered").exists():
        if not desk.alive():
            desk.answer()
        if time.monotonic() - desk.began > PATIENCE_S:
            raise TimeoutError("the desk does not recover")
        watch.look()
        time.sleep(0.05)
    return time.monotonic() - desk.began


def users_of(home: Path) -> dict[str, str]:
    """Return the addresses of both accounts once a desk has made them."""
    files = {account_name(s): Settings(home).keys_root / "venue" / f"{account_name(s)}.address" for s in Side}
    while not all(file.exists() for file in files.values()):
        time.sleep(0.05)
    time.sleep(0.2)
    return {name: file.read_text().strip() for name, file in files.items()}


def judge(url: str, users: dict[str, str], home: Path) -> dict[str, Any]:
    """Compare the exchange with the books, at rest."""
    books = books_say(home)
    known, seen = set(books["names"]), set(books["fills"])
    found: Counter[str] = Counter()
    for user in users.values():
        state = asked(url, {"type": "state", "user": user})
        names = [o["cloid"] for o in state["orders"]]
        found["orders"] += len(names)
        found["duplicate_orders"] += len(names) - len(set(names))
        found["unknown_orders"] += sum(name not in known for name in names)
        found["fills"] += len(state["fills"])
        found["unknown_fills"] += sum(str(fill["tid"]) not in seen for fill in state["fills"])
        found["open_orders"] += len(state["openOrders"])
        found["positions"] += sum(bool(Decimal(p["position"]["szi"])) for p in state["clearinghouse"]["assetPositions"])
    return dict(found) | {"plans": books["stages"]}


def quantile(seconds: list[float], q: float) -> float:
    """Return the nearest-rank quantile; infinity of nothing."""
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 2) if ordered else float("inf")


def run(folder: Path, kills: int, seed: int, minutes: float, style: EntryStyle = EntryStyle.CROSS) -> dict[str, Any]:
    """Run the drill; return the figures. With a style at rest it goes on until a kill met an order at rest."""
    home, dice, began = folder / "home", random.Random(seed), time.monotonic()
    home.mkdir(mode=0o755)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with embedded(home):
        made = spawn(partial(make_home, home), folder / "made.json")
        made.wait(PATIENCE_S)
        made.answer()
        exchange = spawn(partial(run_exchange, port, seed), folder / "exchange.json")
        time.sleep(2.0)
        desk = start_desk(home, url)
        recoveries: list[float] = []
        users = users_of(home)
        watch = Watch(url, users)
        first = wait_recovered(home, desk, watch)
        with_orders = at_rest = 0
        rests = style is not EntryStyle.CROSS
        while (len(recoveries) < kills or (rests and not at_rest)) and time.monotonic() - began < 60 * minutes:
            feeder = spawn(
                partial(accept_plans, home, random.Random(dice.random()), dice.randint(1, 4), style=style),
                folder / "f.json",
            )
            feeder.wait(PATIENCE_S)
            feeder.answer()
            watch.sleep(dice.uniform(0.0, 2.5))
            states = [asked(url, {"type": "state", "user": user}) for user in users.values()]
            orders = [order for state in states if state["exists"] for order in state["openOrders"]]
            with_orders += bool(orders)
            at_rest += any(not order["isTrigger"] for order in orders)
            desk.kill()
            watch.sleep(dice.choice((0.0, 0.0, 1.0)))
            desk = start_desk(home, url)
            recoveries.append(wait_recovered(home, desk, watch))
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            watch.sleep(2.0)
            asker = spawn(partial(judge, url, users, home), folder / "j.json")
            asker.wait(PATIENCE_S)
            found = asker.answer()
            if (
                not found["open_orders"]
                and not found["positions"]
                and not (found["plans"].keys() - {"done", "refused"})
            ):
                break
        desk.kill()
        exchange.kill()
    found |= {
        "kills": len(recoveries), "kills_with_open_orders": with_orders, "kills_with_orders_at_rest": at_rest,
        "first_start_s": round(first, 2),
        "recovery_p50_s": quantile(recoveries, 0.5), "recovery_p95_s": quantile(recoveries, 0.95),
        "longest_bare_s": round(watch.longest, 2), "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    found["whole"] = is_whole(found, BARE_LIMIT_S)
    return found


def make_home(home: Path) -> int:
    """Make the databases."""
    with Databases(Settings(home)) as databases:
        databases.open()
    return 0


@click.command()
@click.option("--kills", default=200, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True, help="Seed of moments, plans and the market.")
@click.option("--minutes", default=30.0, show_default=True, help="No kill after this time.")
@click.option(
    "--style", default="cross", type=click.Choice([s.value for s in EntryStyle]), help="How plans are entered and left."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(kills: int, seed: int, minutes: float, style: str, as_json: bool) -> None:
    """Kill the desk, then count."""
    folder = Path(tempfile.mkdtemp(prefix="lotus-trade-"))
    folder.chmod(0o755)
    found = run(folder, kills, seed, minutes, EntryStyle(style))
    end_drill(found, folder, kills, as_json)


if __name__ == "__main__":
    main()
