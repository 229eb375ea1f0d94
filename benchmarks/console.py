"""The console over a large home: server time by page under 20 clients, memory, and the first byte after a start.

`python benchmarks/console.py [--home HOME] [--lessons N] [--windows N] [--braids N] [--clients N] [--seconds N]` makes
a home of generated rows (or keeps it in HOME and finds it there again), serves it as `lotus up` does, and lets each
client ask for a page a second. Rows fill the ledger; they are not what any market did. Wall time of the answers on
loopback.
"""

import argparse
import dataclasses
import http.client
import json
import math
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from lotus.learning.lesson import Lesson
from lotus.priors.types import Literal, Patch, Rule
from lotus.timebase import day_start_ms, next_day
from lotus.weave.braid import Braid, Quality
from lotus_console.sections import SECTIONS
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.bodies import to_body

FIRST, NIGHTS, HISTORY = "2026-01-01", 60, 5
DETECTORS: Final = ("basis_shock", "compressed_range", "imbalance_persistence", "micro_drift", "sweep_stall_reversal")
GOAL_MS, GOAL_MB = 150.0, 400.0
TOKEN: Final = "token-of-the-benchmark"
DEFAULTS: Final = {
    "text": "''",
    "jsonb": "'{}'",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "ARRAY": "'{}'",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """How much the home holds, and how it is asked."""

    lessons: int = 100_000
    windows: int = 1_000_000
    braids: int = 10_000
    clients: int = 20
    seconds: float = 30.0


def filled(connection: psycopg.Connection[Any], table: str, many: int, given: dict[str, str]) -> None:
    """Insert `many` rows: columns as `given` says (SQL over g, the row's number), others any value of their type."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s "
        "AND is_generated = 'NEVER' AND is_identity = 'NO' ORDER BY ordinal_position",
        [table],
    ).fetchall()
    values = [sql.SQL(given.get(name, DEFAULTS.get(kind, "g % 7"))) for name, kind in rows]
    text = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series(1, {}) g").format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _ in rows),
        sql.SQL(", ").join(values),
        sql.Literal(many),
    )
    connection.execute(text)


def make_home(settings: Settings, size: Size) -> None:
    """Fill the databases of a home that is new; one that holds a night already stays as it is."""
    with Databases(settings) as databases:
        with databases.connect("sig") as connection:
            if connection.execute("SELECT FROM day_commits LIMIT 1").fetchone() is not None:
                return
        with databases.owner("sig") as connection:
            connection.execute("SET synchronous_commit = off")
            _nights(connection)
            _lessons(connection, size.lessons)
            _braids(connection, size.braids)
            _windows(connection, size.windows)
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")


def _nights(connection: psycopg.Connection[Any]) -> None:
    day = f"to_char('{FIRST}'::date + (g % {NIGHTS})::integer, 'YYYY-MM-DD')"
    check = json.dumps({"checks": [{"name": "live_parity", "passed": True, "unseen": False, "text": "equal"}] * 4})
    for stage in ("lessons", "braids", "active_priors", "signal_events", "dm_knowledge", "raw_tape"):
        filled(
            connection,
            "day_commits",
            NIGHTS,
            {"branch": "'main'", "day": day, "stage": f"'{stage}'", "notes": f"'{check}'"},
        )
    for name in DETECTORS:
        for kind in ("audit", "detector"):
            given = {"branch": "'main'", "day": day, "kind": f"'{kind}'", "name": f"'{name}'"}
            filled(connection, "experiments", NIGHTS, given)
    signal_days = connection.execute(
        "SELECT signal_partitions(%s), signal_partitions(%s)", [FIRST, next_day(FIRST, 59)]
    )
    signal_days.fetchall()
    filled(
        connection,
        "tape_segments",
        96 * NIGHTS,
        {"tape": "'live'", "path": "'p' || g", "day": day, "counts": "'{}'", "gaps": "'[]'", "state": "'closed'"},
    )


def _rule(rng: random.Random) -> Rule:
    features = rng.sample(range(12), 2)
    return Rule.of(*(Literal(feature, low := rng.randrange(3), low + 1) for feature in sorted(features)))


def _lesson(rng: random.Random, day: str, k: int) -> Lesson:
    uplift, is_accepted = rng.gauss(0.0, 3.0), rng.random() < 0.02
    return Lesson(
        lesson_id=f"{k:032x}",
        branch="main",
        night=day,
        detector_id=rng.choice(DETECTORS),
        horizon_s=30,
        rule=_rule(rng),
        sign=1 if uplift > 0 else -1,
        uplift_bps=uplift,
        se_bps=1.0,
        ci95=(uplift - 2.0, uplift + 2.0),
        lcb_bps=uplift - 1.0,
        claim_bps=uplift,
        net_mean_bps=uplift,
        net_low_bps=uplift - 1.0,
        net_high_bps=uplift + 1.0,
        sigma_y_bps=10.0,
        m_nats=rng.gauss(0.0, 2.0),
        t_stat=2.0,
        recent_t=1.0,
        critical=4.0,
        n_windows=4000,
        n_published=500,
        ess=400.0,
        n_days=20,
        n_blocks=40,
        n_eff_days=18.0,
        coverage=0.2,
        fill_share=1.0,
        trials=100_000,
        grade="B" if is_accepted else "none",
        state="IDENTIFIED" if is_accepted else "REFUSED",
        reason="" if is_accepted else "evidence -1.10 nats in lane S does not exceed 4.00",
    )


def _days() -> list[str]:
    days = [FIRST]
    while len(days) < NIGHTS:
        days.append(next_day(days[-1]))
    return days


def _lessons(connection: psycopg.Connection[Any], many: int) -> None:
    rng, days = random.Random(7), _days()
    with connection.cursor().copy("COPY lessons (branch, day, lesson_id, body) FROM STDIN") as copy:
        for k in range(many):
            lesson = _lesson(rng, days[k * NIGHTS // many], k)
            copy.write_row(("main", lesson.night, lesson.lesson_id, to_body(lesson)))


def _braids(connection: psycopg.Connection[Any], many: int) -> None:
    rng, days, start = random.Random(8), _days(), day_start_ms(FIRST)
    columns = "branch, day, braid_id, old_state, new_state, reason, priors_before, priors_after, body"
    with connection.cursor().copy(f"COPY braid_history ({columns}) FROM STDIN") as copy:
        for k in range(many):
            born = rng.randrange(NIGHTS - HISTORY)
            braid = Braid(
                braid_id=f"{k:032x}",
                branch="main",
                braid_type="micro",
                detector_id=rng.choice(DETECTORS),
                horizon_s=30,
                rule=_rule(rng),
                sign=1,
                lesson_id=f"{k:032x}",
                grade="B",
                claim_bps=2.0,
                lcb_bps=1.0,
                ci95=(1.0, 3.0),
                support=500,
                quality=Quality(1.0, 0.05, 0.1, 0.12),
                target=Patch(-0.1, 1.05),
                patch=Patch(-0.05, 1.02),
                delta_wanted=0.5,
                delta_realised=(0.2, 0.3, 0.4),
                state="active",
                reason="accepted lesson",
                effective_from_ms=start + born * 86_400_000,
                expires_at_ms=start + (born + 30) * 86_400_000,
                members_sample=("e",),
            )
            body = to_body(braid)
            states = ("proposed", "active", "active", "sunset", "archived" if k % 20 else "active")
            for j, state in enumerate(states):
                before = states[j - 1] if j else "proposed"
                copy.write_row(("main", days[born + j], braid.braid_id, before, state, "a reason", "a", "b", body))


def _windows(connection: psycopg.Connection[Any], many: int) -> None:
    day = f"to_char('{FIRST}'::date + (g * {NIGHTS}::bigint / {many + 1})::integer, 'YYYY-MM-DD')"
    detector = "(ARRAY['" + "', '".join(DETECTORS) + f"'])[1 + g % {len(DETECTORS)}]"
    ended = f"{day_start_ms(FIRST)} + g * {NIGHTS * 86_400_000}::bigint / {many + 1}"
    common = {
        "branch": "'main'",
        "day": day,
        "event_id": "lpad(to_hex(g), 32, '0')",
        "detector_id": detector,
        "asset": "(ARRAY['BTC', 'ETH', 'SOL'])[1 + g % 3]",
        "window_end_ms": ended,
        "horizon_s": "30",
        "published": "g % 100 = 0",
        "eligible": "true",
    }
    filled(connection, "signal_events", many, common)
    filled(connection, "signal_eval", many, common | {"payoff_p": "sin(g)", "status": "'whole'", "hit": "g % 2"})
    filled(connection, "live_events", many // 10, common | {"run_id": "'run'"})


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
    views = [view.place for section in SECTIONS for view in section.views if "{" not in view.place]
    tables = [table.place for section in SECTIONS for table in section.tables]
    dear = [
        "/lessons?search=spread",
        "/lessons?state=REFUSED&order=-uplift_bps",
        "/lessons?page=20",
        f"/lessons/{7:032x}",
        "/lessons?detector_id=micro_drift",
        "/detectors/micro_drift",
    ]
    return [*views, *tables, *dear]


def serve(settings: Settings) -> Iterator[tuple[int, subprocess.Popen[bytes], float]]:
    """Serve a home for the time of the iteration: port, process, seconds from the start to the first byte of a page."""
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


def memory_mb(pid: int) -> float:
    """Return the largest resident memory that a process had, MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


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
            for port, process, first_s in serve(settings):
                clients = Clients(port, places())
                clients.run(4, 3.0)  # what is read once is read
                clients.took_ms.clear()
                clients.run(size.clients, size.seconds)
                raise SystemExit(report(clients, memory_mb(process.pid), first_s))


def report(clients: Clients, memory: float, first_s: float) -> int:
    """Print a line for each page, slowest first; return 1 where a goal is missed."""
    every = [took for page in clients.took_ms.values() for took in page]
    for place, took in sorted(clients.took_ms.items(), key=lambda item: -p95(item[1])):
        print(f"{p95(took):8.1f} ms p95 {sorted(took)[len(took) // 2]:8.1f} ms median {len(took):5}  {place}")
    print(
        f"{p95(every):8.1f} ms p95 of {len(every):,} answers (goal {GOAL_MS:.0f}); {memory:.0f} MiB at most (goal "
        f"{GOAL_MB:.0f}); first byte {first_s:.2f} s after the start; not 200: {clients.wrong[:5]}"
    )
    return int(p95(every) > GOAL_MS or memory > GOAL_MB or bool(clients.wrong))


if __name__ == "__main__":
    main()
