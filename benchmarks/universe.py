"""Two hundred coins live on one core: the whole daemon beside a sender that plays them in real time.

Every coin is a copy of one of the recording's, renamed and begun at another place of it, so that rates, mix, sizes and
silences are those recorded (8.9 messages a second and coin) and no two coins move together; venue times are moved to
the present. Without the recording a simulated session stands for it. The daemon is a process of its own on the last
core: feed, tape, scoring, probes, ledger and status; the sender and the database use the other ones. A line is late
when it is scored more than a frame after it was due. `python benchmarks/universe.py HOME SECONDS COINS URL TAPE` is
that daemon. (Literature: load testing, open workload.)
"""

import asyncio
import heapq
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import uvloop
from numpy.typing import NDArray

from benchmarks.harness import Figure, Sizes
from benchmarks.material import simulated
from lotus.manifest import Asset, Manifest
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.tape_file import TapeFile
from lotus_live.live import run_live
from lotus_store.config import load_settings
from lotus_store.databases import Databases
from lotus_venues.hyperliquid.subscriptions import route
from lotus_venues.replay_server import ReplayPlan, ReplayServer

if TYPE_CHECKING:
    from lotus_live.daemon import Daemon

_TIME = re.compile(rb'"time":(\d{13})')
_SETTLE_S = 10.0  # the first lines make segments, statements and rows for the first time; a tenth of a short run
Stamps = NDArray[np.int64]
Streams = dict[str, list[tuple[int, bytes]]]


@dataclass(frozen=True, slots=True)
class Universe:
    """Copies of the coins of a recording; streams by coin: stamps (ns) since its first line, and frames."""

    assets: tuple[Asset, ...]
    sources: tuple[Asset, ...]
    streams: Streams
    span_ns: int
    began_ns: int

    def schedule(self, seconds: float) -> Iterator[tuple[int, int, int, bytes]]:
        """Yield (ns since the start, coin, ns since the recording's first line, frame) of all coins in order."""
        return heapq.merge(*(self._coin(k, int(seconds * 1e9)) for k in range(len(self.assets))))

    def frames(self, seconds: float) -> Iterator[tuple[int, bytes]]:
        """Yield stamps and frames as the venue would send them from now on."""
        start_ns = time.time_ns()
        for at_ns, coin, was_ns, raw in self.schedule(seconds):
            moved_ms = (start_ns + at_ns - self.began_ns - was_ns) // 1_000_000
            source, name = self.source_of(coin).encode(), self.assets[coin].name.encode()
            named = raw.replace(b'"coin":"%b"' % source, b'"coin":"%b"' % name)
            yield start_ns + at_ns, _TIME.sub(lambda m, by=moved_ms: b'"time":%d' % (int(m[1]) + by), named)  # type: ignore[misc]

    def _coin(self, number: int, length_ns: int) -> Iterator[tuple[int, int, int, bytes]]:
        start_ns, stream = self.span_ns * number // len(self.assets), self.streams[self.source_of(number)]
        first = bisect_left(stream, (start_ns, b""))
        for lap in count():
            for was_ns, raw in stream[0 if lap else first :]:
                at_ns = was_ns - start_ns + lap * self.span_ns
                if at_ns >= length_ns:
                    return
                yield at_ns, number, was_ns, raw

    def source_of(self, number: int) -> str:
        """Return the recorded coin that a coin copies."""
        return self.sources[number % len(self.sources)].name


def universe(coins: int, recording: Path) -> Universe:
    """Return a universe of copies, the recording's coins in turn."""
    tape = TapeFile((recording,))
    streams: Streams = {a.name: [] for a in tape.universe}
    first_ns = last_ns = 0
    for line in tape.arrivals():
        first_ns, last_ns = first_ns or line.recv_ns, line.recv_ns
        _, coin, _ = route(line.raw)
        if coin in streams:
            streams[coin].append((line.recv_ns - first_ns, line.raw))
    sources = tape.universe
    assets = tuple(Asset(f"C{k:03d}", sources[k % len(sources)].sz_decimals) for k in range(coins))
    return Universe(assets, sources, streams, last_ns - first_ns, first_ns)


def run(sizes: Sizes, recording: Path) -> list[Figure]:
    """Measure `live.universe.*`: share of a core, memory and late lines of the daemon."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as home, Databases(load_settings(home)) as databases:
        databases.open()
        tape = recording if recording.is_file() else simulated(sizes.minutes, Path(home)).path
        process = context.Process(target=_send, args=(theirs, sizes.coins, sizes.universe_s, tape), daemon=True)
        process.start()
        command = [sys.executable, str(Path(__file__).resolve()), home, str(sizes.universe_s), str(sizes.coins)]
        try:
            done = subprocess.run([*command, ours.recv(), str(tape)], stdout=subprocess.PIPE, check=True)
        finally:
            process.kill()
            process.join()
    return _figures(json.loads(done.stdout.splitlines()[-1]), sizes)


def _figures(told: dict[str, Any], sizes: Sizes) -> list[Figure]:
    a_second = told["lines"] / told["wall_s"]
    json_share = 100.0 * a_second * told["json_us"] / 1e6
    note = f"{sizes.coins} coins, {told['lines']:,} lines in {told['wall_s']:.0f} s, {told['windows']:,} windows"
    delays = f"p50 {told['p50_ms']:.1f}, p99 {told['p99_ms']:.1f}, most {told['most_ms']:.0f} ms after they were due"
    name = "live.universe"
    return [
        Figure(f"{name}.cpu_percent", told["cpu_percent"], "%", "json.loads of its lines", json_share, note=note),
        Figure(f"{name}.rss_mb", told["rss_mb"], "MB", "the same process before its first line", told["before_mb"]),
        Figure(f"{name}.late_lines", told["late"], "lines", note=delays),
    ]


def _send(pipe: Connection, coins: int, seconds: int, tape: Path) -> None:
    """Sender process: play the universe to the first client that subscribes to all of it."""
    _keep_to(set(range(os.cpu_count() or 1)) - {_last_core()})
    made = universe(coins, tape)

    async def serve() -> None:
        async with ReplayServer(made.assets, made.frames(seconds), ReplayPlan(speed=1.0)) as server:
            pipe.send(server.url)
            await asyncio.sleep(seconds + 600)

    uvloop.run(serve())


def _daemon(home: str, seconds: int, coins: int, url: str, tape: Path) -> dict[str, Any]:
    """Run the daemon on the last core until the universe is over; return what it took."""
    made = universe(coins, tape)
    settings = load_settings(home)
    live = replace(settings.live, stale_s=3_600.0)  # two of the five channels were not recorded: asking again is no use
    settings = replace(settings, manifest=Manifest(universe=made.assets), tape="universe", live=live)
    due_ns = np.array([row[0] for row in made.schedule(seconds)])
    done_ns = np.zeros(len(due_ns), np.int64)
    json_us = _json_us([raw for stream in made.streams.values() for _, raw in stream[:5_000]])
    del made
    told: dict[str, Any] = {"json_us": json_us}
    settle_s = min(_SETTLE_S, seconds / 10)
    run_live(settings, url, on_start=lambda daemon: _watch(daemon, done_ns, settle_s, told))
    lines = int(np.count_nonzero(done_ns))
    delay_ms = (done_ns[:lines] - due_ns[:lines]) / 1e6
    delay_ms -= delay_ms.min()
    frame_ms = settings.manifest.kernel.cadence_ms
    p50, p99 = np.quantile(delay_ms, (0.5, 0.99))
    return told | {"late": int((delay_ms > frame_ms).sum()), "p50_ms": p50, "p99_ms": p99, "most_ms": delay_ms.max()}


def _watch(daemon: "Daemon", done_ns: Stamps, settle_s: float, told: dict[str, Any]) -> None:
    """Time every line of the market, and a while after the first one the process."""
    take, taken = daemon.taker.on_line, 0

    def timed(line: Arrival) -> None:
        nonlocal taken
        take(line)
        if route(line.raw)[1] and taken < len(done_ns) and not line.raw.startswith(b'{"channel":"sub'):
            done_ns[taken] = time.monotonic_ns()
            taken += 1

    daemon.taker.on_line = timed  # type: ignore[method-assign]
    threading.Thread(target=_sample, args=(daemon, done_ns, settle_s, told), daemon=True).start()


def _sample(daemon: "Daemon", done_ns: Stamps, settle_s: float, told: dict[str, Any]) -> None:
    _keep_to({_last_core()})
    told["before_mb"] = _rss_mb()
    while not done_ns[0]:
        time.sleep(0.1)
    time.sleep(settle_s)
    counts = daemon.taker.counts
    cpu_s, wall_s, lines, windows = time.process_time(), time.monotonic(), counts.lines, counts.windows
    while not done_ns[-1]:
        time.sleep(0.5)
    wall_s = time.monotonic() - wall_s
    told |= {"cpu_percent": 100.0 * (time.process_time() - cpu_s) / wall_s, "wall_s": wall_s, "rss_mb": _rss_mb()}
    told |= {"lines": counts.lines - lines, "windows": counts.windows - windows}
    daemon.stop("the universe is over")


def _json_us(raws: list[bytes]) -> float:
    began = time.process_time()
    for raw in raws:
        json.loads(raw)
    return (time.process_time() - began) / len(raws) * 1e6


def _last_core() -> int:
    return max(os.sched_getaffinity(0))


def _keep_to(cores: set[int]) -> None:
    if cores:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)


def _rss_mb() -> float:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmHWM"].split()[0]) / 1024.0


if __name__ == "__main__":
    print(json.dumps(_daemon(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))))
