"""Force another owner onto live shards, by SIGKILL and by SIGSTOP past the lease, and look for what it may not write.

`python tests/chaos/shard_kills.py --kills 200`. Two shards of a simulated market run as processes (`lotus_live
--shard K/2`), each with a process that stands by. Each round ends or stops both owners; a stopped one goes on once the
next has written, and has to end by itself without a row. The database notes every row whose writer does not hold the
lease (its session carries the process id). Take-over lasts from the kill to the next owner's first new window in
the ledger, the wait for that window's end included. At the end each shard's tape is scored in batch and compared with
its log, bit for bit. Exit code 1 where a row is stale, lost or different; the 95 % quantile of take-overs is told.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from shard_homes import (  # noqa: E402
    SHARES,
    audited,
    days_until_now,
    newest,
    parity_of,
    played,
    start_live,
    watch_writers,
)
from trade_kills import quantile  # noqa: E402

from lotus_live.shards.share import Share  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402

PATIENCE_S = 300.0
LIMIT_S = 15.0
Process = subprocess.Popen[bytes]


class Drill:
    """The processes of one home: for each share an owner and who stands by, and those that were stopped."""

    def __init__(self, home: Path, databases: Databases, dice: random.Random, shares: tuple[Share, ...]) -> None:
        """Start an owner of each share, and when it publishes, who stands by."""
        self.home, self.databases, self.dice, self.shares = home, databases, dice, shares
        self.counts: Counter[str] = Counter()
        self.took: list[float] = []
        self.all: list[Process] = []
        self.owner = {share: self.start(share) for share in shares}
        for share in shares:
            self.wait_beyond(share, 0)
        self.next = {share: self.start(share) for share in shares}

    def start(self, share: Share) -> Process:
        """Start a process of a share."""
        self.all.append(start_live(self.home, share))
        return self.all[-1]

    def wait_beyond(self, share: Share, end_ms: int, epoch: int = 0) -> float:
        """Wait for a logged window that ended after `end_ms` by an owner after `epoch`; return when it was there."""
        until_s = time.monotonic() + PATIENCE_S
        while True:
            end, current = newest(self.databases, share)
            if end > end_ms and current > epoch:
                return time.monotonic()
            if time.monotonic() > until_s:
                raise TimeoutError((self.home / "daemon.log").read_text(errors="replace")[-3000:])
            time.sleep(0.1)

    def round(self) -> None:
        """Take the owner of every share away; those that were stopped go on and have to end."""
        stopped: list[Process] = []
        forced: dict[Share, tuple[float, int, int]] = {}
        for share in self.shares:
            stops = self.dice.random() < 0.5
            self.owner[share].send_signal(signal.SIGSTOP if stops else signal.SIGKILL)
            time.sleep(0.2)  # what was under way is in the ledger
            forced[share] = (time.monotonic() - 0.2, *newest(self.databases, share))
            self.counts["stopped" if stops else "killed"] += 1
            if stops:
                stopped.append(self.owner[share])
            else:
                self.owner[share].wait()
        for share, (began, end_ms, epoch) in forced.items():
            self.took.append(self.wait_beyond(share, end_ms, epoch) - began)
        for process in stopped:
            process.send_signal(signal.SIGCONT)
        for process in stopped:
            self.counts[f"stopped_ended_with_{process.wait(60)}"] += 1
        for share in self.shares:
            self.owner[share], self.next[share] = self.next[share], self.start(share)
        time.sleep(self.dice.uniform(4.0, 8.0))  # who stands by is up, on a machine with room

    def end(self) -> list[int]:
        """Let every process end in order; return how the owners ended."""
        for process in self.next.values():
            process.kill()
        for process in self.owner.values():
            process.terminate()
        return [process.wait(60) for process in self.owner.values()]

    def kill(self) -> None:
        """Leave no process behind."""
        for process in self.all:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


def run(folder: Path, kills: int, seed: int, minutes: float) -> dict[str, Any]:
    """Run the drill; return the figures."""
    home, began, began_s = folder / "home", time.monotonic(), time.time()
    shares = SHARES[: min(kills, len(SHARES))]
    with played(home, int(60 * minutes) + 900) as databases:
        watch_writers(databases)
        drill = Drill(home, databases, random.Random(seed), shares)
        try:
            while len(drill.took) < kills and time.monotonic() - began < 60 * minutes:
                drill.round()
            ends = drill.end()
        finally:
            drill.kill()
        stale, writers = audited(databases)
        days = days_until_now(began_s)
        parity = {s.name: asdict(parity_of(home, databases, f"live.{s.suffix}", days)) for s in shares}
    return {
        "take_overs": len(drill.took), **drill.counts, "stale_rows": stale, "writers": writers,
        "owners_ended_with": ends, "p50_s": quantile(drill.took, 0.5), "p95_s": quantile(drill.took, 0.95),
        "worst_s": quantile(drill.took, 1.0), "in_time": quantile(drill.took, 0.95) <= LIMIT_S, "parity": parity,
        "whole": not stale and all(is_whole(one) for one in parity.values()),
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def is_whole(parity: dict[str, Any]) -> bool:
    """Tell whether a shard's log is what its tape gives."""
    wrong = "different", "only_in_the_log", "not_in_the_log"
    return parity["rows"] > 0 and not any(parity[name] for name in wrong)


@click.command()
@click.option("--kills", type=int, default=200)
@click.option("--seed", type=int, default=7)
@click.option("--minutes", type=float, default=600.0, help="Stop after this long, whatever was done.")
@click.option("--json", "as_json", is_flag=True)
def main(kills: int, seed: int, minutes: float, as_json: bool) -> None:
    """Run it in a folder of its own and judge."""
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), kills, seed, minutes)
    click.echo(json.dumps(found, indent=None if as_json else 1))
    raise SystemExit(0 if found["whole"] else 1)


if __name__ == "__main__":
    main()
