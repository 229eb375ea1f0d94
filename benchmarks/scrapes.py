"""What scrapes of the metrics page add to the p99 of a line: `python -m benchmarks.scrapes [--every 1] [--pairs 20]`.

The pipeline takes the lines of a tape one by one, some 300 us apart, in the main thread, as the daemon does; the page
is served by its own thread of this process, and a process of its own asks for it. Blocks with and without scrapes
alternate, in an order that turns from pair to pair, and each pair gives one difference of p99; what is said is their
mean with an interval over pairs (t, 95 %). Prometheus asks every 15 s by default; every second is fifteen times that.
"""

import argparse
import http.client
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from benchmarks.daemon_latency import core_of_its_own
from benchmarks.material import simulated
from lotus.outcomes.intervals import student
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.tape_file import TapeFile
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline
from lotus_live.pipeline.warm_up import warm_up
from lotus_live.reports.metrics_page import metrics_page
from lotus_live.reports.status import LiveCounts

PAUSE_US = 300
BLOCK = 10_000  # lines


def measure(tape: TapeFile, spec: LaneSpec, pairs: int, every_s: float, block: int = BLOCK) -> dict[str, float]:
    """Return p99 without and with scrapes, us, the mean difference of pairs with its reach, and how many were made."""
    warm_up(spec)
    lines, counts = list(tape.arrivals()), LiveCounts()
    pipeline, source = _Endless(spec, lines), {"lines": 0}
    context = multiprocessing.get_context("spawn")
    asks, made = context.Event(), context.Value("q", 0)

    def status() -> dict[str, object]:
        return {"lines": counts.lines, "latency_us": counts.latency_us(), **source}

    off, on = [], []
    with metrics_page(0, status) as page:
        scraper = context.Process(target=_scrape, args=(page.server_port, asks, made, every_s), daemon=True)
        scraper.start()
        with core_of_its_own() as pinned:
            _block(pipeline, counts, block)
            for pair in range(pairs):
                for is_asked in (False, True) if pair % 2 else (True, False):
                    (asks.set if is_asked else asks.clear)()
                    (on if is_asked else off).append(_block(pipeline, counts, block))
        scraper.terminate()
        scraper.join()
    change = np.array(on) - np.array(off)
    reach = student(pairs) * float(change.std(ddof=1)) / np.sqrt(pairs)
    return {
        "p99_us": float(np.mean(off)), "p99_scraped_us": float(np.mean(on)), "added_us": float(change.mean()),
        "reach_us": float(reach), "median_us": float(np.median(change)), "pairs": pairs, "scrapes": int(made.value),
        "every_s": every_s, "pinned": pinned,
    }  # fmt: skip


class _Endless:
    """The lines of a tape again and again, each time through a pipeline that has seen none of them."""

    def __init__(self, spec: LaneSpec, lines: Sequence[Arrival]) -> None:
        self._spec, self._lines = spec, lines
        self._at = cycle(range(len(lines)))
        self._pipeline = Pipeline(spec, neutral_beliefs(spec))

    def take(self) -> int:
        """Feed the next line and return the ns that it took."""
        k = next(self._at)
        if k == 0:
            self._pipeline = Pipeline(self._spec, neutral_beliefs(self._spec))
        line = self._lines[k]
        began = time.perf_counter_ns()
        self._pipeline.feed(line.recv_ns, k, line.raw)
        return time.perf_counter_ns() - began


def _block(pipeline: _Endless, counts: LiveCounts, block: int) -> float:
    """Return the p99 of a block of lines, us."""
    took = np.zeros(block, np.int64)
    for k in range(block):
        took[k] = ns = pipeline.take()
        counts.took(ns)
        time.sleep(PAUSE_US / 1e6)
    return float(np.quantile(took, 0.99)) / 1000.0


def _scrape(port: int, asks: Event, made: "Synchronized[int]", every_s: float) -> None:
    while True:
        asks.wait()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics")
        if connection.getresponse().read():
            made.value += 1
        connection.close()
        time.sleep(every_s)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two scrapes")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--block", type=int, default=BLOCK, help="lines of a block")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tape = simulated(5, Path(folder))
        found = measure(TapeFile((tape.path,)), tape.lane, options.pairs, options.every, options.block)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
