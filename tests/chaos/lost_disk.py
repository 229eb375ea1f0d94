"""A disk that turns read-only under a daemon that trades, unhalted; then it is mended and the daemon started again.

The home lies in an ext4 file system of its own (a loop device), which is made to find a fault as a broken disk does:
from then on nothing is written, not even to files that are open. Then the watchdog must end a desk that keeps no books,
cancel what opens and leave what is held under its stops; after the mending and a start, books and venue agree, with
nothing lost or twice. Exit code 1 unless all that is so. It needs the right to mount.
(Literature: errors=remount-ro of ext4, crash-only software.)
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from children import spawn  # noqa: E402
from daemon_kills import (  # noqa: E402
    COMPILING_S,
    TOML,
    Live,
    Referee,
    at_rest,
    mid_of,
    start_market,
    verdict,
    wait_recovered,
)
from drill_end import end_drill  # noqa: E402
from free_port import free_port  # noqa: E402
from loop_disk import LoopDisk, loop_disk  # noqa: E402
from trade_kills import PATIENCE_S, Watch, accept_plans, asked, make_home, users_of  # noqa: E402

from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.slate import read_slate  # noqa: E402

DEAD_S = 4.0
FENCED_S = 12.0  # the wanted end of a desk that keeps no books: silent for DEAD_S, seen, looked at
SEEN_S = 5.0  # for which nothing may happen to what is held


def opening(url: str, users: dict[str, str]) -> int:
    """Return how many orders rest that could open something."""
    states = [asked(url, {"type": "state", "user": user}) for user in users.values()]
    orders = [order for state in states if state["exists"] for order in state["openOrders"]]
    return sum(not order.get("isTrigger") and not order.get("reduceOnly") for order in orders)


def break_down(disk: LoopDisk, live: Live, watch: Watch, counts: Counter[str]) -> float:
    """Break the disk and watch what becomes of desk and orders; return the seconds after which both were over."""
    assert live.process is not None
    began = time.monotonic()
    counts["with_opening_orders"] += opening(watch.url, watch.users) > 0
    disk.break_down()
    while live.process.poll() is None or opening(watch.url, watch.users):
        if time.monotonic() - began > FENCED_S:
            counts["late"] += 1
            break
        watch.sleep(0.1)
    over_s = time.monotonic() - began
    watch.sleep(SEEN_S)
    counts["opened_later"] += opening(watch.url, watch.users) > 0
    return over_s


@contextmanager
def traded(home: Path, live: Live) -> Iterator[Databases]:
    """Hold server and daemon of a home; afterwards nothing of them lives, so that the disk can be mended."""
    with ExitStack() as held:
        held.enter_context(embedded(home))
        databases = held.enter_context(Databases(Settings(home), migrated=False))
        try:
            yield databases
        finally:
            if live.process is not None:
                live.kill()
            told = read_slate(home / "live" / "watchdog.json") or {}
            with suppress(ProcessLookupError):
                os.kill(int(told["pid"]), signal.SIGKILL)


def run(folder: Path, rounds: int, seed: int, minutes: float) -> dict[str, Any]:
    """Run the rounds; return the figures."""
    dice, began, port = random.Random(seed), time.monotonic(), free_port()
    counts: Counter[str] = Counter(late=0, opened_later=0, with_opening_orders=0)
    overs: list[float] = []
    recoveries: list[float] = []
    with loop_disk(folder) as disk:
        home = disk.place / "home"
        home.mkdir(mode=0o755)
        (home / "lotus.toml").write_text(TOML.format(port=port).replace("dead_s = 600.0", f"dead_s = {DEAD_S}"))
        exchange, live = start_market(home, port, folder / "exchange.json"), Live(home)
        watch = Watch(f"http://127.0.0.1:{port}", {})
        try:
            with embedded(home):
                made = spawn(partial(make_home, home), folder / "made.json")
                made.wait(PATIENCE_S)
                made.answer()
            while True:
                os.sync()  # what nobody promises to keep, as lotus.toml of a moment ago, is no part of it
                with traded(home, live) as databases:
                    live.start()
                    watch.users = watch.users or users_of(home)
                    referee = Referee(watch.url, watch.users, databases)
                    recoveries.append(wait_recovered(live, referee, watch, PATIENCE_S if overs else COMPILING_S))
                    if len(overs) == rounds or time.monotonic() - began > 60 * minutes:
                        found = at_rest(home, watch.url, watch.users, live, watch)
                        break
                    accept_plans(home, dice, 3, dice.randint(20_000, 60_000), mid_of(watch.url))
                    watch.sleep(dice.uniform(0.1, 1.5))
                    overs.append(break_down(disk, live, watch, counts))
                disk.mend()
        finally:
            exchange.kill()
    found = verdict(found, recoveries[1:], counts, watch, recoveries[0], time.monotonic() - began)
    found |= {"rounds": len(overs), "over_worst_s": round(max(overs), 2)}
    found["whole"] = found["whole"] and not counts["late"] and not counts["opened_later"]
    return found


@click.command()
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True, help="Seed of the moments.")
@click.option("--minutes", default=60.0, show_default=True, help="No round after this time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(rounds: int, seed: int, minutes: float, as_json: bool) -> None:
    """Break the disk of a daemon that trades, then count."""
    folder = Path(tempfile.mkdtemp(prefix="lotus-disk-"))
    folder.chmod(0o755)
    end_drill(run(folder, rounds, seed, minutes), folder, 0, as_json)


if __name__ == "__main__":
    main()
