"""The daemon on replayed tapes: priors and experts swapped in mid-run, and kills."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ledger_rows import DAY, _running, ledger_events
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered, write

from lotus.detectors.registry import shipped_detectors
from lotus.experts.fusion import default_experts
from lotus.experts.weekly.learned import InForce, LearnedSettings, experts_with
from lotus.priors.asset_context import ASSET
from lotus.priors.types import ActiveBraid, Literal, Patch, Rule, priors_0, priors_version
from lotus.timebase import day_start_ms
from lotus_live.daemon import Daemon
from lotus_live.live import run_live
from lotus_live.parity import events_hash, neutral_beliefs
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.expert_sets import write_expert_set
from lotus_store.ledger.beliefs.priors import put_in_force, put_version
from lotus_store.ledger.signals import live_log
from lotus_store.ledger.signals.signals import read_signals
from lotus_venues.replay_server import ReplayPlan

pytestmark = pytest.mark.process("the daemon on recordings, over wall time")
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


def paper_rows(databases: Databases, run_id: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Return orders, fills and closed probes of a run."""
    with databases.connect("sig") as connection:
        log = [e for e in live_log.read_log(connection, run_id) if e.kind == "probe"]
        return live_log.read_orders(connection, run_id), live_log.read_fills(connection, run_id), log


def test_priors_swapped_in_mid_run_give_the_rows_of_the_batch(
    settings: Settings, databases: Databases, lines: Lines, recording: Path
) -> None:
    swap_ms = day_start_ms(DAY) + 9 * 3_600_000 + 600_000
    rules = Rule(), Rule.of(Literal(ASSET, 1, 1))  # of every coin, and of one
    braids = tuple(
        ActiveBraid(f"{k:032x}", "micro", d.detector_id, d.horizon_s, rules[k % 2], Patch(-0.12, 1.06))
        for k, d in enumerate(SPEC.detectors)
    )
    version = priors_version("main", swap_ms, braids)
    late = priors_version("main", day_start_ms(DAY) + 9 * 3_600_000, braids[:1])

    def apply(daemon: Daemon) -> None:
        while daemon.taker.counts.windows < 60:
            time.sleep(0.01)
        with databases.connect("sig") as connection:
            for one in (version, late):
                put_version(connection, one, DAY, priors_0("main"))
                put_in_force(connection, one, "message")

    def start(daemon: Daemon) -> None:
        threading.Thread(target=apply, args=(daemon,)).start()

    result = run_live(
        settings, [recording], run_id="swap", plan=ReplayPlan(speed=240.0), databases=databases, on_start=start
    )
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
    halved = LearnedSettings(
        base.version, weights=tuple((name, v.weight / 2) for name, v in base.fusion.voices.items())
    )
    with databases.connect("sig") as connection:
        for from_day, learned in ((DAY, halved), ("2026-03-05", LearnedSettings(base.version, off=base.names[:9]))):
            write_expert_set(connection, "main", InForce(from_day, "2026-03-02", learned))
    result = run_live(settings, [recording], run_id="halved", databases=databases)
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
    expected = run_live(settings, [recording], run_id="calm", databases=databases)
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
