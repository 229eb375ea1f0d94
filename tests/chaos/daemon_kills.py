"""Kill the whole daemon with SIGKILL while it trades at the local exchange, which is the referee.

`python tests/chaos/daemon_kills.py --kills 200`. The daemon is the real one (`python -m lotus_live` on a home of its
own), the exchange a process that plays a simulated tape on the machine's clock; windows are published, probes enter,
stops rest. Plans that are accepted meanwhile see to it that orders rest at every kill. The daemon is killed at random
moments, also while it starts; every few times PostgreSQL is killed too, with or before it. After each kill the daemon
starts again. Recovered is when it has compared itself and its books say what the venue says: open orders, positions and
fills of both accounts. Exit code 1 when an order is doubled or unknown, a position or fill is in nobody's books, or a
position was bare for more than 5 s; whether 95 % recovered within 15 s is told beside it, as it depends on the machine.
"""

import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
import psycopg

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from children import PDEATHSIG, Child, kill_server, spawn  # noqa: E402
from drill_end import end_drill, is_whole  # noqa: E402
from free_port import free_port  # noqa: E402
from trade_kills import BARE_LIMIT_S, PATIENCE_S, Watch, accept_plans, asked, judge, make_home, quantile, users_of  # noqa: E402

from lotus.errors import LotusError  # noqa: E402
from lotus.manifest import Asset  # noqa: E402
from lotus.simulation.spec import BTC, ETH, WorldSpec  # noqa: E402
from lotus.simulation.world import World  # noqa: E402
from lotus.trading.execution.orders import OrderState  # noqa: E402
from lotus.trading.execution.rounding import round_px  # noqa: E402
from lotus_desk.execution.stored import execution_of  # noqa: E402
from lotus_desk.safety.kill_switch import KillSwitch  # noqa: E402
from lotus_live.feed.recorder import tape_header  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.ledger.trading.plans import open_plans  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.tape.header import HeaderAsset  # noqa: E402
from lotus_store.tape.store import TapeStore  # noqa: E402
from lotus_venues.local_exchange.options import Options, TimeSource  # noqa: E402
from lotus_venues.local_exchange.shift import shifted  # noqa: E402
from lotus_venues.local_exchange.web.server import LocalExchange  # noqa: E402

COINS = (BTC, ETH)
SPEC = WorldSpec("demo", seed=7, days=1, assets=COINS, sessions=(("08:00", "14:00"),))
UNIVERSE = tuple(Asset(a.name, a.sz_decimals) for a in COINS)
WARM_S = 600  # of tape that the home holds already, so that detectors speak from the first minute on
RECOVERY_LIMIT_S = 15.0
SERVER_EVERY = 8
COMPILING_S = 600.0  # the first start of a checkout compiles its kernels
TOML = """
[universe]
assets = [{{ name = "BTC", sz_decimals = 5 }}, {{ name = "ETH", sz_decimals = 4 }}]
[live]
ws_url = "ws://127.0.0.1:{port}/ws"
rest_url = "http://127.0.0.1:{port}"
[trading]
venue = "local"
[safety]
dead_s = 600.0
[kernel]
gap_ms = 60000
[score]
publish_share = 0.5
tau_kairos = 0.0
tau_entrain = 0.0
tau_uncert = 1.0
[outcomes]
horizons_s = [30, 300]
"""


def market(spec: WorldSpec = SPEC, day: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a simulated day."""
    for _, text in World(spec).day_pieces(day):
        for line in text.splitlines():
            stamp, _, raw = line.partition(b" ")
            yield int(stamp), raw


def run_market(home: Path, port: int) -> int:
    """Play the market of this drill until killed, on a tape that holds its warm-up."""
    return play_market(home, port, UNIVERSE, shifted(market(), time.time_ns() - WARM_S * 1_000_000_000))


def play_market(
    home: Path, port: int, universe: Sequence[Asset], lines: Iterator[tuple[int, bytes]], is_new: bool = True
) -> int:
    """Record what is past into the home's tape if that `is_new`, say so in the file `market`, and play the rest."""
    import asyncio

    store = TapeStore(home, "live")
    if is_new:
        units = tuple(HeaderAsset(a.name, a.sz_decimals) for a in universe)
        store.write_header(tape_header("live", f"ws://127.0.0.1:{port}/ws", units))
        with store.writer() as writer:
            for recv_ns, raw in takewhile(lambda line: line[0] < time.time_ns(), lines):
                writer.append(recv_ns, raw)

    async def go() -> None:
        options = Options(clock=TimeSource.WALL, speed=1.0, limit_scale=0)
        async with LocalExchange(tuple(universe), lines, options=options, port=port) as exchange:
            (home / "market").write_text(exchange.url)
            await exchange.tape_over.wait()

    asyncio.run(go())
    return 0


def start_market(home: Path, port: int, result: Path, job: Callable[[], int] | None = None) -> Child:
    """Start `run_market`, or another `job`, as a process of its own and return it when the exchange is there."""
    exchange = spawn(job or partial(run_market, home, port), result)
    while not (home / "market").exists():
        if not exchange.alive():
            exchange.answer()
        time.sleep(0.05)
    return exchange


def die_with_parent() -> None:
    """Ask that a killed campaign leaves no daemon behind."""
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)


@dataclass(slots=True)
class Live:
    """The daemon of a home, started and killed as a process of its own."""

    home: Path
    process: "subprocess.Popen[bytes] | None" = None
    began: float = 0.0

    def start(self) -> None:
        """Start it."""
        names = {"LOTUS_HOME": str(self.home), "LOTUS_CONFIG": str(self.home / "lotus.toml")}
        log = (self.home / "daemon.log").open("ab")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lotus_live"], env={**os.environ, **names}, cwd=HERE.parents[1],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip
        log.close()

    def kill(self) -> None:
        """SIGKILL it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def status(self) -> Mapping[str, Any]:
        """Return what this very process said of itself; {} before it did. Raises when it has ended by itself."""
        assert self.process is not None
        if self.process.poll() is not None:
            words = (self.home / "daemon.log").read_text(errors="replace")[-3000:]
            raise RuntimeError(f"the daemon ended with {self.process.returncode}:\n{words}")
        with suppress(OSError, ValueError):
            told = json.loads((self.home / "live" / "status.json").read_text())
            return told if told["pid"] == self.process.pid else {}
        return {}


@dataclass(slots=True)
class Referee:
    """Compares the venue with the books of a home, while both move."""

    url: str
    users: Mapping[str, str]
    databases: Databases
    last: list[str] = field(default_factory=list)

    def agree(self) -> bool:
        """Tell whether open orders, positions and fills are the same on both sides; `last` says what is not."""
        try:
            with self.databases.connect("tr", autocommit=True) as tr:
                rows = tr.execute("SELECT client_id, state FROM tr_orders").fetchall()
                fills = {str(row[0]) for row in tr.execute("SELECT fill_id FROM tr_fills")}
                plans = [(row, execution_of(row)) for row in open_plans(tr, ("local",))]
        except (psycopg.Error, LotusError, OSError) as error:
            self.last = [f"no books: {error}"]
            return False
        live = {str(name) for name, state in rows if not OrderState(str(state)).is_final}
        resting = {str(name) for name, state in rows if str(state) == OrderState.RESTING.value}
        held: Counter[tuple[str, str]] = Counter()
        for row, state in plans:
            if state is not None and state.held:
                held[state.plan.authority.account, row.coin] += state.held * int(state.plan.side)  # type: ignore[assignment]
        self.last = []
        shown: set[str] = set()
        for name, user in self.users.items():
            truth = asked(self.url, {"type": "state", "user": user})
            if truth["exists"]:
                shown |= {o["cloid"] for o in truth["openOrders"]}
                self._compare(name, truth, live, fills, {coin: n for (of, coin), n in held.items() if of == name})
        self.last += [f"order {name} rests in the books only" for name in resting - shown]
        return not self.last

    def _compare(
        self, account: str, truth: Mapping[str, Any], live: set[str], fills: set[str], held: Mapping[str, Any]
    ) -> None:
        positions = {
            p["position"]["coin"]: Decimal(p["position"]["szi"]) for p in truth["clearinghouse"]["assetPositions"]
        }
        for coin in positions.keys() | held.keys():
            if positions.get(coin, 0) != held.get(coin, 0):
                self.last.append(f"{account} holds {positions.get(coin, 0)} {coin}, its books {held.get(coin, 0)}")
        self.last += [f"order {o['cloid']} is in no books" for o in truth["openOrders"] if o["cloid"] not in live]
        self.last += [f"fill {f['tid']} is in no books" for f in truth["fills"] if str(f["tid"]) not in fills]


def wait_recovered(live: Live, referee: Referee, watch: Watch, patience_s: float = PATIENCE_S) -> float:
    """Wait until the daemon has compared itself and its books are the venue's; return seconds since its start."""
    while True:
        told = live.status().get("trading") or {}
        if told.get("recovered") and referee.agree():
            return time.monotonic() - live.began
        if time.monotonic() - live.began > patience_s:
            raise TimeoutError(f"the daemon does not recover: {referee.last[:5]}; {told}")
        watch.look()
        time.sleep(0.1)


def mid_of(url: str) -> Decimal:
    """Return the mid of the venue, rounded to its tick."""
    request = urllib.request.Request(url + "/info", b'{"type": "allMids"}', {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return round_px(UNIVERSE[0], Decimal(json.load(answer)["BTC"]))


def open_orders(url: str, users: Mapping[str, str]) -> int:
    """Return how many orders rest at the venue."""
    states = [asked(url, {"type": "state", "user": user}) for user in users.values()]
    return sum(len(state["openOrders"]) for state in states if state["exists"])


def run(folder: Path, kills: int, seed: int, minutes: float) -> dict[str, Any]:
    """Run the drill; return the figures."""
    home, dice, began = folder / "home", random.Random(seed), time.monotonic()
    home.mkdir(mode=0o755)
    port = free_port()
    (home / "lotus.toml").write_text(TOML.format(port=port))
    url, settings = f"http://127.0.0.1:{port}", Settings(home)
    recoveries: list[float] = []
    counts: Counter[str] = Counter()
    with ExitStack() as servers:
        servers.enter_context(embedded(home))
        made = spawn(partial(make_home, home), folder / "made.json")
        made.wait(PATIENCE_S)
        made.answer()
        exchange = start_market(home, port, folder / "exchange.json")
        databases = servers.enter_context(Databases(settings, migrated=False))
        live = Live(home)
        try:
            live.start()
            users = users_of(home)  # made when the daemon begins to trade
            watch, referee = Watch(url, users), Referee(url, users, databases)
            first = wait_recovered(live, referee, watch, COMPILING_S)
            while len(recoveries) < kills and time.monotonic() - began < 60 * minutes:
                starting = dice.random() < 0.15
                accept_plans(home, dice, dice.randint(1, 3), dice.randint(5_000, 40_000), mid_of(url))
                watch.sleep(dice.uniform(0.5, 4.0))
                counts["with_open_orders"] += open_orders(url, users) > 0
                if len(recoveries) % SERVER_EVERY == SERVER_EVERY - 1:
                    counts["with_server"] += kill_server(home, with_supervisor=dice.random() < 0.5)
                    watch.sleep(dice.uniform(0.0, 1.0))
                live.kill()
                watch.sleep(dice.choice((0.0, 0.0, 1.0)))
                servers.enter_context(embedded(home))  # joins the one that lives, or starts it again
                live.start()
                if starting:
                    watch.sleep(dice.uniform(0.5, 4.0))
                    live.kill()
                    counts["while_starting"] += 1
                    live.start()
                recoveries.append(wait_recovered(live, referee, watch))
            found = at_rest(home, url, users, live, watch)
        finally:
            if live.process is not None:
                live.process.kill()
                live.process.wait()
            exchange.kill()
    return verdict(found, recoveries, counts, watch, first, time.monotonic() - began)


def at_rest(home: Path, url: str, users: dict[str, str], live: Live, watch: Watch) -> dict[str, Any]:
    """Open nothing any more, leave every position, wait until all is over, and judge."""
    KillSwitch(home).throw(flatten=True)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        watch.sleep(1.0)
        live.status()
        found = judge(url, users, home)
        left = found["open_orders"] or found["positions"] or found["plans"].keys() - {"done", "refused"}
        if not left or time.monotonic() > deadline:
            return found


def verdict(
    found: dict[str, Any],
    recoveries: list[float],
    counts: Mapping[str, int],
    watch: Watch,
    first: float,
    seconds: float,
) -> dict[str, Any]:
    """Return the figures of a drill with the judgement `whole`."""
    found |= {
        "kills": len(recoveries) + counts["while_starting"], **counts, "first_start_s": round(first, 2),
        "recovery_p50_s": quantile(recoveries, 0.5), "recovery_p95_s": quantile(recoveries, 0.95),
        "recovery_worst_s": quantile(recoveries, 1.0), "longest_bare_s": round(watch.longest, 2),
        "seconds": round(seconds, 1),
    }  # fmt: skip
    found["recovered_in_time"] = found["recovery_p95_s"] <= RECOVERY_LIMIT_S
    found["whole"] = is_whole(found, BARE_LIMIT_S)
    return found


@click.command()
@click.option("--kills", default=200, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True, help="Seed of the moments.")
@click.option("--minutes", default=80.0, show_default=True, help="No kill after this time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(kills: int, seed: int, minutes: float, as_json: bool) -> None:
    """Kill the daemon, then count."""
    folder = Path(tempfile.mkdtemp(prefix="lotus-daemon-"))
    folder.chmod(0o755)
    found = run(folder, kills, seed, minutes)
    end_drill(found, folder, kills, as_json)


if __name__ == "__main__":
    main()
