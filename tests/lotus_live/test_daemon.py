"""The daemon on replayed tapes: what it writes equals the batch; crashes, swaps, commands and a full disk."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered, write

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scored import Columns
from lotus.detectors.signal_spec import SIGNAL_EVENTS
from lotus.errors import LedgerError, TapeError
from lotus.experts.fusion import default_experts
from lotus.experts.learned import InForce, Learned, experts_with
from lotus.microtape.wire import CONTROL_PREFIX
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.payloads import WATCHDOG_ALERT_REF
from lotus.priors.types import ActiveBraid, Patch, Rule, priors_0, priors_version
from lotus.timebase import day_start_ms
from lotus_desk.safety.kill_switch import LIFTED, KillSwitch
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_live.batch import score_tape
from lotus_live.daemon import Daemon
from lotus_live.day_lane import LaneSpec
from lotus_live.live import run_live
from lotus_live.parity import events_hash, neutral_beliefs, verify_parity
from lotus_live.wall_clock import WallClock
from lotus_store.config import Settings, TapeLimits
from lotus_store.databases import Databases
from lotus_store.ledger import live_log
from lotus_store.ledger.expert_sets import write_expert_set
from lotus_store.ledger.priors import put_in_force, put_version
from lotus_store.ledger.signals import read_signals
from lotus_store.tape.store import TapeStore
from lotus_venues.replay_server import ReplayPlan

pytestmark = pytest.mark.process("the daemon on recordings, over wall time")

DAY = "2026-03-04"
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
HERE = Path(__file__).parent
Lines = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Twelve minutes of three assets."""
    return in_order(market(DAY, "09:00", 720, step_ms=500, seed=11))


@pytest.fixture
def recording(lines: Lines, tmp_path: Path) -> Path:
    """Those minutes as a file."""
    return write(tmp_path / "tape.txt", lines)


def ledger_events(databases: Databases, run_id: str) -> Columns:
    """Return the events that a run left in the ledger, as columns of SIGNAL_EVENTS."""
    with databases.connect("sig") as connection:
        rows = [r for r in live_log.read_live_events(connection, "main", DAY) if r["run_id"] == run_id]
    columns: Columns = {}
    for name in SIGNAL_EVENTS.names:
        dtype = SIGNAL_EVENTS.numpy_dtype(name)
        values = np.array([r[name] for r in rows], dtype=np.int64 if dtype == np.uint64 else dtype)
        columns[name] = values.view(np.uint64) if dtype == np.uint64 else values
    return columns


def paper_rows(databases: Databases, run_id: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Return orders, fills and closed probes of a run."""
    with databases.connect("sig") as connection:
        log = [e for e in live_log.read_log(connection, run_id) if e.kind == "probe"]
        return live_log.read_orders(connection, run_id), live_log.read_fills(connection, run_id), log


def test_events_orders_and_fills_are_in_the_ledger_and_equal_the_batch(
    settings: Settings, databases: Databases, lines: Lines, recording: Path
) -> None:
    result = run_live(settings, replay=[recording], run_id="whole", databases=databases)
    (day,) = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC))
    assert result.events_hash == events_hash(day.events) == events_hash(ledger_events(databases, "whole"))
    status = result.status
    assert status["published"] == int(day.events["published"].sum()) > 0
    orders, fills, probes = paper_rows(databases, "whole")
    entries = [o for o in orders if o.body["purpose"] == "entry"]
    assert {o.event_id for o in entries} == set(day.events["event_id"][day.events["published"].astype(bool)])
    assert status["paper"]["probes"] == len(probes) == len(entries) - status["paper"]["open"]
    for order in orders:
        assert sum(f.body["lots"] for f in fills if f.order_id == order.order_id) == order.body["filled_lots"]
    closed = {probe.body["event_id"] for probe in probes}
    of_event = {order.order_id: order.event_id for order in orders}
    fees = sum(f.body["fee_usd"] for f in fills if of_event[f.order_id] in closed)
    assert status["paper"]["fees_usd"] == pytest.approx(fees)
    assert verify_parity(recording, MANIFEST).parity
    again = run_live(settings, replay=[recording], run_id="whole", databases=databases)
    assert again.events_hash == result.events_hash
    assert (again.status["lines"], again.status["log"]["written"]) == (0, 0)
    assert paper_rows(databases, "whole") == (orders, fills, probes)


def test_the_recorded_copy_is_the_recording(settings: Settings, databases: Databases, recording: Path) -> None:
    run_live(settings, replay=[recording], run_id="copy", databases=databases)
    store = TapeStore(settings.home, "copy")
    assert b"".join(piece.lines for piece in store.read_day_lines(DAY)) == recording.read_bytes()
    report = verify_parity([store.folder / m.day / m.name for m in store.segments(DAY)], MANIFEST)
    assert report.parity
    other = write(recording.with_name("other.txt"), [(1, b'{"channel":"pong"}')])
    with pytest.raises(TapeError, match="another recording"):
        run_live(settings, replay=[other, recording], run_id="copy", databases=databases)


def test_priors_swapped_in_mid_run_give_the_rows_of_the_batch(
    settings: Settings, databases: Databases, lines: Lines, recording: Path
) -> None:
    swap_ms = day_start_ms(DAY) + 9 * 3_600_000 + 600_000
    braids = tuple(
        ActiveBraid(f"{k:032x}", "micro", d.detector_id, d.horizon_s, Rule(), Patch(-0.12, 1.06))
        for k, d in enumerate(SPEC.detectors)
    )
    version = priors_version("main", swap_ms, braids)
    late = priors_version("main", day_start_ms(DAY) + 9 * 3_600_000, braids[:1])

    def apply(daemon: Daemon) -> None:
        while daemon.counts.windows < 60:
            time.sleep(0.01)
        with databases.connect("sig") as connection:
            for one in (version, late):
                put_version(connection, one, DAY, priors_0("main"))
                put_in_force(connection, one, "message")

    def start(daemon: Daemon) -> None:
        threading.Thread(target=apply, args=(daemon,)).start()

    result = run_live(settings, replay=[recording], run_id="swap", speed=240.0, databases=databases, on_start=start)
    plain = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC))
    swapped = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC, [priors_0("main"), version]))
    assert result.events_hash == events_hash(swapped[0].events) != events_hash(plain[0].events)
    assert set(result.events["priors_ver"]) == {priors_0("main").priors_ver, version.priors_ver}
    with databases.connect("sig") as connection:
        log = live_log.read_log(connection, "swap")
    assert [e.body["priors_ver"] for e in log if e.kind == "priors_refused"] == [late.priors_ver]
    assert [e.body["priors_ver"] for e in log if e.kind == "swap"].count(version.priors_ver) == 1


def test_the_experts_of_the_day_come_from_the_ledger(
    settings: Settings, databases: Databases, lines: Lines, recording: Path
) -> None:
    base = default_experts()
    halved = Learned(base.version, weights=tuple((name, v.weight / 2) for name, v in base.fusion.voices.items()))
    with databases.connect("sig") as connection:
        for from_day, learned in ((DAY, halved), ("2026-03-05", Learned(base.version, off=base.names[:9]))):
            write_expert_set(connection, "main", InForce(from_day, "2026-03-02", learned))
    result = run_live(settings, replay=[recording], run_id="halved", databases=databases)
    given = replace(neutral_beliefs(SPEC), experts_by_day={DAY: experts_with(halved)})
    (day,), (plain,) = (score_tape(numbered(lines), SPEC, b) for b in (given, neutral_beliefs(SPEC)))
    assert result.events_hash == events_hash(day.events) != events_hash(plain.events)
    with databases.connect("sig") as connection:
        told = [e.body["experts_ver"] for e in live_log.read_log(connection, "halved") if e.kind == "swap"]
    assert told == [experts_with(halved).version]


@pytest.mark.kill("the daemon dies three times in the middle of a recording")
def test_killed_anywhere_and_started_again_it_ends_the_same(
    settings: Settings, databases: Databases, recording: Path
) -> None:
    expected = run_live(settings, replay=[recording], run_id="calm", databases=databases)
    environment = {**os.environ, "LOTUS_PG_DSN": settings.server_dsn, "PYTHONPATH": str(HERE.parents[1])}
    command = [sys.executable, str(HERE / "replay_once.py"), str(settings.home), str(recording), "killed"]
    wounds = 0
    for pause_s in (0.2, 0.9, 1.6):
        process = subprocess.Popen([*command, "150"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        status = settings.home / "live" / "status.json"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not _running(status, process.pid):
            time.sleep(0.02)
        time.sleep(pause_s)
        wounds += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert wounds >= 1
    done = subprocess.run([*command, "0"], env=environment, capture_output=True, text=True, check=True)
    summary = json.loads(done.stdout)
    assert summary["hash"] == expected.events_hash
    assert summary["status"]["rebuilt"] > 0
    assert events_hash(ledger_events(databases, "killed")) == expected.events_hash
    assert [r for rows in paper_rows(databases, "killed") for r in rows] == [
        r for rows in paper_rows(databases, "calm") for r in rows
    ]
    assert summary["status"]["paper"] == expected.status["paper"]
    with databases.connect("sig") as connection:
        assert read_signals(connection, "killed") == read_signals(connection, "calm") != []


def _running(status: Path, pid: int) -> bool:
    try:
        told = json.loads(status.read_text())
    except (OSError, ValueError):
        return False
    return bool(told["pid"] == pid and told["lines"] > 0)


@pytest.mark.process("the daemon as a process, ended by a signal")
def test_a_signal_closes_the_segment_and_writes_everything(
    settings: Settings, databases: Databases, recording: Path
) -> None:
    environment = {**os.environ, "LOTUS_PG_DSN": settings.server_dsn, "PYTHONPATH": str(HERE.parents[1])}
    command = [sys.executable, str(HERE / "replay_once.py"), str(settings.home), str(recording), "ended", "20"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not _running(settings.home / "live" / "status.json", process.pid):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    summary = json.loads(told)
    assert 0 < summary["status"]["lines"] < len(recording.read_bytes().splitlines())
    store = TapeStore(settings.home, "ended")
    assert not list(store.folder.rglob("*.open"))
    assert sum(m.lines for m in store.all_segments()) == summary["status"]["lines"]
    assert events_hash(ledger_events(databases, "ended")) == summary["hash"]


def test_a_ledger_that_goes_away_delays_rows_and_nothing_else(
    settings: Settings, databases: Databases, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_live(settings, replay=[recording], run_id="there", databases=databases)
    away = threading.Event()
    connect = databases.connect

    def flaky(name: str, autocommit: bool = False) -> Any:
        if away.is_set():
            raise LedgerError("away")
        return connect(name, autocommit)

    def start(daemon: Daemon) -> None:
        away.set()
        threading.Timer(1.5, away.clear).start()

    monkeypatch.setattr(databases, "connect", flaky)
    result = run_live(settings, replay=[recording], run_id="away", databases=databases, on_start=start)
    monkeypatch.undo()
    assert result.events_hash == whole.events_hash == events_hash(ledger_events(databases, "away"))
    assert result.status["log"]["failures"] > 0


def test_commands_from_the_ledger(settings: Settings, databases: Databases, recording: Path) -> None:
    def start(daemon: Daemon) -> None:
        with databases.connect("sig") as connection:
            for name in ("kill", "nonsense"):  # the kill switch is a file, and no command
                live_log.command(connection, name)
        threading.Thread(target=stop_when_answered, args=(daemon,)).start()

    def stop_when_answered(daemon: Daemon) -> None:
        def answers() -> int:
            with databases.connect("sig") as connection:
                row = connection.execute("SELECT count(*) FROM control WHERE done_at IS NOT NULL").fetchone()
            return int(str(row[0])) if row else 0

        while answers() < 2:
            time.sleep(0.05)
        daemon.stop("command")

    plan = ReplayPlan(silent_from=50)
    result = run_live(settings, replay=[recording], run_id="told", plan=plan, databases=databases, on_start=start)
    assert result.status["lines"] == 50
    with databases.connect("sig") as connection:
        told = connection.execute("SELECT command, result ->> 'error' FROM control ORDER BY command_id").fetchall()
        log = live_log.read_log(connection, "told")
    assert [row[0] for row in told] == ["kill", "nonsense"]
    assert all("unknown command" in str(error) for _, error in told)
    assert KillSwitch(settings.home).state() == LIFTED
    assert [e.body["why"] for e in log if e.kind == "stop"] == ["command"]
    written = json.loads((settings.home / "live" / "status.json").read_text())
    assert written["state"] == "stopped"


def test_a_full_disk_stops_loudly_before_anything_is_lost(
    settings: Settings, databases: Databases, recording: Path
) -> None:
    full = replace(settings, limits=TapeLimits(min_free_gb=1e9))
    with pytest.raises(TapeError, match="recording stopped"):
        run_live(full, replay=[recording], run_id="full", databases=databases)


def test_live_mode_writes_control_records_and_rebuilds_from_them_also_when_the_clock_stepped(
    settings: Settings, databases: Databases, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from lotus_venues.replay_server import ReplayServer

    now_ms = time.time_ns() // 1_000_000
    shift_ms = now_ms - lines[0][0] // 1_000_000
    moved = [(ns, _moved(raw, shift_ms)) for ns, raw in lines[:3000]]
    urls: list[str] = []
    ready, end = threading.Event(), threading.Event()
    body = {"branch": "other", "day": DAY, "braid_id": "b", "detector_id": "sr", "kind": "sunset", "reason": "x",
            "e_value": 20.5, "priors_ver": "0" * 32}  # fmt: skip
    said = Message(
        to=(Module.DM,), intent=Intent.WATCHDOG_ALERT, branch="other", schema_ref=WATCHDOG_ALERT_REF, payload=body,
        ts=now_ms, dedupe_key="0" * 32, lifecycle_id="life",
    )  # fmt: skip
    with databases.connect("sig") as connection:
        send(connection, Module.SIG, said, Keys(settings.keys_root))

    def serve() -> None:
        async def serving() -> None:
            plan = ReplayPlan(start_after=None, speed=60.0)
            async with ReplayServer(UNIVERSE, moved, plan) as server:
                urls.append(server.url)
                ready.set()
                while not end.is_set():
                    await asyncio.sleep(0.05)

        asyncio.run(serving())

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait(10)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("lotus_live.live.WallClock", partial(WallClock, _stepping(200, -3_600_000)))
            first = run_live(settings, urls[0], databases=databases, on_start=_stop_after(500))
        told: list[str] = []
        port = free_port()
        watched = replace(settings, live=replace(settings.live, metrics_port=port))
        second = run_live(watched, urls[0], databases=databases, on_start=_stop_after(1200, lambda: scrape(port, told)))
    finally:
        end.set()
        thread.join()
    assert "lotus_lines_total " in told[-1]
    assert 'lotus_failures_total{cause="polls"} 0.0' in told[-1]
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
    with databases.connect("sig") as connection:
        log = live_log.read_log(connection, f"{settings.branch}.{settings.tape}")
    assert [e.body["moved_ms"] // 1_000 for e in log if e.kind == "clock_step"] in ([-3_600], [-3_601])
    store = TapeStore(settings.home, settings.tape)
    text = b"".join(piece.lines for day in store.days() for piece in store.read_day_lines(day))
    recorded = text.split(b"\n")[:-1]
    assert any(line.partition(b" ")[2].startswith(CONTROL_PREFIX) for line in recorded)
    assert second.status["rebuilt"] >= first.status["lines"] >= 500
    assert (first.status["herald"]["carried"], second.status["herald"]["carried"]) == (1, 0)
    with databases.connect("dm") as connection:
        assert connection.execute("SELECT count(*) FROM dm_inbox").fetchone() == (1,)
        (known,) = connection.execute("SELECT replica_id, ended_at IS NOT NULL FROM dm_replica").fetchall()
    assert known == (f"daemon {settings.branch}.{settings.tape}", True)
    assert len(recorded) >= first.status["lines"] + second.status["lines"]
    paths = [store.folder / m.day / m.name for m in store.all_segments()]
    assert verify_parity(paths, MANIFEST).parity


def _moved(raw: bytes, shift_ms: int) -> bytes:
    def move(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v + shift_ms if k == "time" else move(v) for k, v in value.items()}
        return [move(v) for v in value] if isinstance(value, list) else value

    return json.dumps(move(json.loads(raw)), separators=(",", ":")).encode()


def _stepping(calls: int, step_ms: int) -> Callable[[], int]:
    """Return the system's clock, which steps after so many looks at it."""
    looks = count()
    return lambda: time.time_ns() + (step_ms * 1_000_000 if next(looks) > calls else 0)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def scrape(port: int, told: list[str]) -> None:
    """Read the metrics until they tell of lines."""
    while "lotus_lines_total " not in "".join(told):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            told.append(answer.read().decode())
        time.sleep(0.1)


def _stop_after(lines: int, before: Callable[[], None] = lambda: None) -> Any:
    def start(daemon: Daemon) -> None:
        def watch() -> None:
            while daemon.counts.lines < lines:
                time.sleep(0.01)
            before()
            daemon.stop("command")

        threading.Thread(target=watch).start()

    return start
