"""Messages a second and outbox -> applied at 1, 10 and 50 times the demo's rate, beside procrastinate on one server.

`python -m benchmarks.messages.load --peer-python PATH_OF_ITS_PYTHON`. Both write one row for each message with
synchronous_commit on, one sender and one worker process each, measured in turn. Latency runs from just after the
sender's commit to just after the commit of the effect. The last part floods the Herald beyond its queue and
measures how it sheds and recovers. (Literature: open-loop load, coordinated omission is avoided by pacing on a grid.)
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg

from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Manifest
from lotus_herald.report import herald_status
from lotus_store.config import Settings
from lotus_store.databases import Databases, create_missing
from lotus_store.postgres.embedded import embedded

MESSAGES_PER_SIGNAL = 4  # proposal, decision, report to two
NO_LIMIT = 10**9
FLOOD_QUEUE = 200


def demo_rate() -> float:
    """Return messages a second of the demo in real time: published signals, with what each of them leads to."""
    manifest = Manifest()
    windows = 1000.0 / manifest.kernel.window_ms
    signals = len(shipped_detectors()) * len(manifest.universe) * manifest.score.publish_share * windows
    return signals * MESSAGES_PER_SIGNAL


@dataclass(frozen=True, slots=True)
class Side:
    """One contestant: how its roles are started."""

    name: str
    command: tuple[str, ...]
    place: str

    def start(self, role: str, *rest: object) -> "subprocess.Popen[str]":
        """Start a role."""
        words = [*self.command, role, self.place, *map(str, rest)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def ask(self, role: str, *rest: object) -> str:
        """Run a role to its end; return what it printed last ("" when it failed)."""
        process = self.start(role, *rest)
        told = process.communicate()[0]
        return told.strip().rsplit("\n", 1)[-1] if process.returncode == 0 else ""


@contextmanager
def worker_of(side: Side, limits: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """Run a worker for the block; afterwards the list holds (number, applied at in ns)."""
    worker = side.start("work", *limits)
    found: list[tuple[int, int]] = []
    try:
        assert worker.stdout is not None
        if worker.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the worker of {side.name} does not start")
        yield found
        worker.send_signal(signal.SIGTERM)
        found += json.loads(worker.communicate()[0].strip().rsplit("\n", 1)[-1])
    finally:
        worker.kill()


def measure(side: Side, rate: float, seconds: float, together: int, limits: Sequence[int]) -> dict[str, Any]:
    """Send for a while to a fresh worker; return rates and latency percentiles in ms."""
    with worker_of(side, limits) as found:
        committed = json.loads(side.ask("send", rate, seconds, together) or "[]")
        wait_until_empty(side)
    waits = sorted((at - committed[k]) / 1e6 for k, at in found)
    took = (max(at for _, at in found) - committed[0]) / 1e9 if found else 0.0
    return {
        "sent": len(committed),
        "applied": len(found),
        "applied_per_s": round(len(found) / took, 1) if took else 0.0,
        "p50_ms": round(percentile(waits, 0.50), 2),
        "p99_ms": round(percentile(waits, 0.99), 2),
        "worst_ms": round(waits[-1], 2) if waits else 0.0,
    }


def percentile(ordered: Sequence[float], q: float) -> float:
    """Return the nearest-rank percentile."""
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else 0.0


def wait_until_empty(side: Side, limit_s: float = 600.0) -> None:
    """Wait until nothing of a side waits; it drains by itself."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and waiting(side):
        time.sleep(0.25)


def waiting(side: Side) -> int:
    """Return how many messages of a side wait."""
    if side.name == "lotus":
        with Databases(Settings(Path(side.place)), migrated=False) as databases:
            told = herald_status(databases)
            return int(told["sig"]["outbox"] + told["dm"]["inbox"])
    with psycopg.connect(side.place) as connection:
        row = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')").fetchone()
        return int(row[0]) if row else 0


def flood(side: Side, seconds: float, calm: dict[str, Any], rate: float) -> dict[str, Any]:
    """Send far beyond the queue's length; then measure the ordinary load again, without any help in between."""
    deepest = 0
    with worker_of(side, (NO_LIMIT, FLOOD_QUEUE)) as found:
        with ThreadPoolExecutor() as pool:  # what they print at the end is more than a pipe holds
            senders = [pool.submit(side.ask, "send", 0, seconds, 200) for _ in range(2)]
            while not all(sender.done() for sender in senders):
                deepest = max(deepest, waiting(side))
                time.sleep(0.1)
        ended = time.monotonic()
        sent = sum(len(json.loads(sender.result() or "[]")) for sender in senders)
        wait_until_empty(side)
        drained_s = time.monotonic() - ended
    applied = len(found)
    with Databases(Settings(Path(side.place)), migrated=False) as databases:
        shed = herald_status(databases)["sig"]["dead"].get("outbox shed", 0)
    after = measure(side, rate, 10.0, 1, (NO_LIMIT, FLOOD_QUEUE))
    return {
        "sent": sent, "applied": applied, "shed": shed, "lost": sent - applied - shed, "deepest_queue": deepest,
        "drained_after_s": round(drained_s, 2), "p99_before_ms": calm["p99_ms"], "p99_after_ms": after["p99_ms"],
    }  # fmt: skip


@click.command()
@click.option("--peer-python", default=sys.executable, help="Interpreter that has procrastinate.")
@click.option("--seconds", default=60.0, show_default=True, help="Length of each paced part.")
@click.option("--burst-seconds", default=10.0, show_default=True, help="Length of each part as fast as possible.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(peer_python: str, seconds: float, burst_seconds: float, as_json: bool) -> None:
    """Measure both sides in turn."""
    root, folder = Path(__file__).resolve().parents[2], Path(tempfile.mkdtemp(prefix="lotus-load-"))
    os.environ["PYTHONPATH"] = str(root)
    folder.chmod(0o755)
    with embedded(folder) as server:
        create_missing(server.server_dsn, ["lotus_peer"])
        ours = Side("lotus", (sys.executable, "-m", "benchmarks.messages.ours"), str(folder))
        peer = Side("procrastinate", (peer_python, str(Path(__file__).with_name("peer.py"))), server.dsn("peer"))
        rate = demo_rate()
        result: dict[str, Any] = {"demo_messages_per_s": round(rate, 3), "lotus": {}, "procrastinate": {}}
        sides = [(ours, (NO_LIMIT, NO_LIMIT)), (peer, ())]
        ours.ask("schema")
        result["peer_version"] = peer.ask("schema") or "not installed"
        parts = [(f"{times}x", times * rate, seconds, 1) for times in (1, 10, 50)] + [("full", 0, burst_seconds, 20)]
        for part, pace, length, together in parts:
            for side, limits in sides if result["peer_version"] != "not installed" else sides[:1]:
                result[side.name][part] = measure(side, pace, length, together, limits)
                print(part, side.name, result[side.name][part], file=sys.stderr, flush=True)
        result["flood"] = flood(ours, burst_seconds, result["lotus"]["50x"], 50 * rate)
    if "full" in result["procrastinate"]:
        theirs = result["procrastinate"]["full"]["applied_per_s"]
        result["throughput_ratio"] = round(result["lotus"]["full"]["applied_per_s"] / theirs, 2)
    print(json.dumps(result) if as_json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
