"""Running the daemon: commands from the ledger, control records, signals."""

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

import pytest
from ledger_rows import DAY, _running, ledger_events
from tapes import MANIFEST, UNIVERSE, in_order, market, write

from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.beliefs import WatchdogAlert
from lotus_desk.safety.kill_switch import LIFTED, KillSwitch
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_live.daemon import Daemon
from lotus_live.feed.wall_clock import WallClock
from lotus_live.live import run_live
from lotus_live.parity import events_hash, verify_parity
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals import live_log
from lotus_store.tape.store import TapeStore
from lotus_venues.replay_server import ReplayPlan

pytestmark = pytest.mark.process("the daemon on recordings, over wall time")
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
    result = run_live(settings, [recording], run_id="told", plan=plan, databases=databases, on_start=start)
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
        to=(Module.DM,), intent=Intent.WATCHDOG_ALERT, branch="other", schema_ref=WatchdogAlert.ref(Module.SIG),
        payload=body, ts=now_ms, dedupe_key="0" * 32, lifecycle_id="life",
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
            while daemon.taker.counts.lines < lines:
                time.sleep(0.01)
            before()
            daemon.stop("command")

        threading.Thread(target=watch).start()

    return start
