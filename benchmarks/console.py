"""The console over a large home: server time by page under 20 clients, memory, and the first byte after a start.

`python -m benchmarks.console [--home HOME] [--lessons N] [--windows N] [--braids N] [--clients N] [--seconds N]` makes
a home of generated rows (or keeps it in HOME and finds it there again), serves it as `lotus up` does, and lets each
client ask for a page a second; then it measures `lotus up` itself over that home, from the start of Python to the first
byte of the console's page. Wall time on loopback.
"""

import argparse
import dataclasses
import http.client
import math
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.console_home import DETECTORS, FIRST, NIGHTS, Size, make_home
from lotus.timebase import day_start_ms, next_day
from lotus_console.sections import SECTIONS
from lotus_store.config import Settings
from lotus_store.databases import Databases

GOAL_MS, GOAL_MB, GOAL_S = 150.0, 400.0, 8.0
TOKEN: Final = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


class Clients:
    """Clients that each ask for a page a second, and how long each answer took by page, in ms."""

    def __init__(self, port: int, places: Sequence[str]) -> None:
        """Nothing was asked."""
        self.port, self.places = port, places
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []

    def run(self, clients: int, seconds: float) -> None:
        """Ask for so long."""
        until = time.perf_counter() + seconds
        threads = [threading.Thread(target=self._ask, args=(k, until)) for k in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask(self, k: int, until: float) -> None:
        rng = random.Random(k)
        time.sleep(rng.random())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while (began := time.perf_counter()) < until:
            place = rng.choice(self.places)
            connection.request("GET", place, headers={"authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            answer.read()
            took = time.perf_counter() - began
            self.took_ms[place].append(1000 * took)
            if answer.status != 200:
                self.wrong.append(f"{answer.status} {place}")
            time.sleep(max(0.0, 1.0 - took))


def places() -> list[str]:
    """Return every page without a subject, and questions that a large table makes dear."""
    lacking = ("/loom", "/atoms/windows")  # asked with a subject: the home has no day tables, the page no default
    views = [view.place for section in SECTIONS for view in section.views if "{" not in view.place]
    tables = [table.place for section in SECTIONS for table in section.tables]
    dear = [
        "/lessons?search=spread",
        "/lessons?search=sweep",
        "/lessons?search=nothing+of+that+name",
        "/lessons?state=REFUSED&order=-uplift_bps",
        "/lessons?grade=A",
        "/lessons?page=20",
        f"/lessons/{7:032x}",
        f"/lessons/{20:032x}",
        f"/braids/{20:032x}",
        "/lessons?detector_id=micro_drift",
        f"/detectors/{DETECTORS[3]}",
        f"/loom?at={day_start_ms(next_day(FIRST, NIGHTS // 2))}",
        "/atoms/windows?first=depth_slope&second=oi&a=0&b=0&detector=micro_drift&days=14",
    ]
    return [*(place for place in views if place not in lacking), *tables, *dear]


@contextmanager
def served(settings: Settings) -> Iterator[tuple[int, subprocess.Popen[bytes], float]]:
    """Serve a home for the time of the block: port, process, seconds from the start to the first byte of a page."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "LOTUS_HOME": str(settings.home), "LOTUS_BRANCH": "main", "LOTUS_PAGES_TOKEN": TOKEN}
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "lotus_console", "-p", str(port)], env=environment)
    try:
        yield port, process, _first_byte_s(port, began)
    finally:
        process.terminate()
        process.wait(20)


def _first_byte_s(port: int, began: float) -> float:
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/", headers={"authorization": f"Bearer {TOKEN}"})
            connection.getresponse().read(1)
            return time.perf_counter() - began
        except OSError:
            if time.perf_counter() - began > 60:
                raise
            time.sleep(0.02)


def up_first_byte_s(settings: Settings) -> float:
    """Return the seconds from starting Python on `lotus up` to the first byte of the console's page."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "LOTUS_HOME": str(settings.home), "LOTUS_BRANCH": "main"}
    command = [sys.executable, "-c", "from lotus_cli.main import main; main()", "up", "--port", "0"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--console-port", str(port)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        return _first_byte_s(port, began)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def memory_mb(pid: int) -> float:
    """Return the largest resident memory that a process had, MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def cpu_of(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile, an observed value."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def main() -> None:
    """Make the home, ask, print; end with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    for one in dataclasses.fields(Size):
        parser.add_argument(f"--{one.name}", type=type(one.default), default=one.default)
    given = vars(parser.parse_args())
    home = given.pop("home")
    size = Size(**given)
    with tempfile.TemporaryDirectory(prefix="lotus-console-") as place:
        settings = Settings(home or Path(place) / "home")
        began = time.perf_counter()
        make_home(settings, size)
        print(
            f"home of {size.lessons:,} lessons, {size.windows:,} windows, {size.braids:,} braids in "
            f"{time.perf_counter() - began:.0f} s"
        )
        with Databases(settings) as held:
            held.open()  # the server that a home's other processes keep up
            with served(settings) as (port, process, first_s):
                clients = Clients(port, places())
                clients.run(4, 3.0)  # what is read once is read
                clients.took_ms.clear()
                before = cpu_of(process.pid)
                clients.run(size.clients, size.seconds)
                memory, cpu_s = memory_mb(process.pid), cpu_of(process.pid) - before
        up_s = [up_first_byte_s(settings) for _ in range(3)]
        raise SystemExit(report(clients, memory, cpu_s, first_s, up_s))


def report(clients: Clients, memory: float, cpu_s: float, first_s: float, up_s: Sequence[float]) -> int:
    """Print a line for each page, slowest first; return 1 where a goal is missed."""
    every = [took for page in clients.took_ms.values() for took in page]
    for place, took in sorted(clients.took_ms.items(), key=lambda item: -p95(item[1])):
        print(f"{p95(took):8.1f} ms p95 {sorted(took)[len(took) // 2]:8.1f} ms median {len(took):5}  {place}")
    print(
        f"{p95(every):8.1f} ms p95 of {len(every):,} answers (goal {GOAL_MS:.0f}); {memory:.0f} MiB at most (goal "
        f"{GOAL_MB:.0f}); {1000 * cpu_s / len(every):.0f} ms of CPU an answer; not 200: {clients.wrong[:5]}\n"
        f"first byte of the console alone {first_s:.2f} s after its start,"
        f" of `lotus up` {', '.join(f'{one:.2f}' for one in up_s)} s (goal {GOAL_S:.0f})"
    )
    return int(p95(every) > GOAL_MS or memory > GOAL_MB or max(up_s) > GOAL_S or bool(clients.wrong))


if __name__ == "__main__":
    main()
