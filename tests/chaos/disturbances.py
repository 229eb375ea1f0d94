"""Disturb a daemon that trades without killing it: stop it, stop or kill PostgreSQL under it, take backups meanwhile.

`python tests/chaos/disturbances.py --rounds 8 --stop-s 60`. World and referee are those of `daemon_kills`. Each round
does the next of `ACTS` over open orders: SIGSTOP of the daemon (which carries the Herald) or of every process of the
server for some seconds, then SIGCONT; SIGKILL of the server, with its supervisor or not; a backup taken while plans are
accepted, restored into a home of its own. The daemon must go on by itself and agree with the venue again, and while it
is stopped its pulse must age. Exit code 1 when an order is doubled or unknown, a position or fill is in nobody's books,
the daemon ends, or a backup does not hold what the ledger held before it. In the literature: fault injection.
"""

import os
import random
import shutil
import signal
import subprocess
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

from children import kill_server, server_pids, spawn  # noqa: E402
from daemon_kills import (  # noqa: E402
    COMPILING_S,
    TOML,
    Live,
    Referee,
    at_rest,
    mid_of,
    open_orders,
    start_market,
    verdict,
    wait_recovered,
)
from drill_end import WRONG, end_drill  # noqa: E402
from free_port import free_port  # noqa: E402
from trade_kills import PATIENCE_S, Watch, accept_plans, books_say, make_home, users_of  # noqa: E402

from lotus_desk.safety.heartbeat import Pulse  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.processes import boot_id  # noqa: E402

ACTS = ("stop daemon", "stop server", "kill server", "backup")
BEATS_S = 5.0  # a pulse that is older than it tells that nothing goes on


def pulse_age_s(home: Path) -> float:
    """Return the age of the daemon's pulse in seconds."""
    beat = Pulse(home).read()
    return beat.age_s(time.monotonic(), boot_id()) if beat is not None else float("inf")


def children_of(pid: int) -> list[int]:
    """Return the processes that a process began."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def tree_of(pid: int) -> list[int]:
    """Return all processes below one, each before its own children."""
    return [below for child in children_of(pid) for below in (child, *tree_of(child))]


def kill_tree(process: "subprocess.Popen[bytes]", how: int = signal.SIGKILL) -> None:
    """End a process and all below it; one that is asked gently has a minute."""
    below = tree_of(process.pid)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0 if how == signal.SIGKILL else 60.0)
    for pid in below:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait(20)


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Hold processes with SIGSTOP, and let them go on."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def back_up(home: Path, folder: Path) -> list[str]:
    """Back the ledgers up and restore them elsewhere; return what the copy lacks of what was there before."""
    before, file, copy = books_say(home), folder / "backup.tar", folder / "copy"
    for words in (["backup", str(file), "--home", str(home)], ["restore", str(file), "--home", str(copy)]):
        command = [sys.executable, "-m", "lotus_cli", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        if done.returncode:
            return [f"lotus {words[0]} ended with {done.returncode}: {done.stderr[-300:]}"]
    after = books_say(copy)
    shutil.rmtree(copy)
    file.unlink()
    return [f"{what} {name}" for what in ("names", "fills") for name in set(before[what]) - set(after[what])]


class Disturber:
    """Does the acts to one home, and counts."""

    def __init__(self, home: Path, live: Live, watch: Watch, dice: random.Random, stop_s: float) -> None:
        self.home, self.live, self.watch, self.dice, self.stop_s = home, live, watch, dice, stop_s
        self.counts: Counter[str] = Counter()
        self.lacking: list[str] = []
        self.untold = 0

    def act(self, what: str) -> None:
        """Do one."""
        self.counts[what.replace(" ", "_")] += 1
        match what:
            case "stop daemon":
                assert self.live.process is not None
                with stopped([self.live.process.pid]):
                    self.watch.sleep(self.stop_s)
                    self.untold += pulse_age_s(self.home) < min(self.stop_s - 1.0, BEATS_S)
            case "stop server":
                server, _ = server_pids(self.home)
                assert server is not None
                with stopped([server, *children_of(server)]):
                    self.watch.sleep(self.stop_s)
            case "kill server":
                kill_server(self.home, with_supervisor=self.dice.random() < 0.5)
            case "backup":
                self.lacking += back_up(self.home, self.home.parent)


def run(folder: Path, rounds: int, seed: int, minutes: float, stop_s: float) -> dict[str, Any]:
    """Run the disturbances; return the figures."""
    home, dice, began = folder / "home", random.Random(seed), time.monotonic()
    home.mkdir(mode=0o755)
    port = free_port()
    (home / "lotus.toml").write_text(TOML.format(port=port))
    url, settings = f"http://127.0.0.1:{port}", Settings(home)
    recoveries: list[float] = []
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
            users = users_of(home)
            watch, referee = Watch(url, users), Referee(url, users, databases)
            disturber = Disturber(home, live, watch, dice, stop_s)
            first = wait_recovered(live, referee, watch, COMPILING_S)
            while len(recoveries) < rounds and time.monotonic() - began < 60 * minutes:
                accept_plans(home, dice, dice.randint(1, 3), dice.randint(5_000, 40_000), mid_of(url))
                watch.sleep(dice.uniform(0.5, 4.0))
                disturber.counts["with_open_orders"] += open_orders(url, users) > 0
                disturber.act(ACTS[len(recoveries) % len(ACTS)])
                live.began = time.monotonic()
                recoveries.append(wait_recovered(live, referee, watch))
            found = at_rest(home, url, users, live, watch)
        finally:
            if live.process is not None:
                live.process.kill()
                live.process.wait()
            exchange.kill()
    found = verdict(found, recoveries, disturber.counts, watch, first, time.monotonic() - began)
    found |= {"pulse_untold": disturber.untold, "backup_lacks": disturber.lacking}
    left = sum(n for stage, n in found["plans"].items() if stage not in ("done", "refused"))
    found["whole"] = not (left or disturber.untold or disturber.lacking or any(found[name] for name in WRONG))
    return found


@click.command()
@click.option("--rounds", default=40, show_default=True, type=click.IntRange(1))
@click.option("--stop-s", default=60.0, show_default=True, help="Seconds for which a process is stopped.")
@click.option("--seed", default=1, show_default=True, help="Seed of the moments.")
@click.option("--minutes", default=60.0, show_default=True, help="No act after this time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(rounds: int, stop_s: float, seed: int, minutes: float, as_json: bool) -> None:
    """Disturb the daemon, then count."""
    folder = Path(tempfile.mkdtemp(prefix="lotus-disturbed-"))
    folder.chmod(0o755)
    found = run(folder, rounds, seed, minutes, stop_s)
    end_drill(found, folder, 0, as_json)


if __name__ == "__main__":
    main()
