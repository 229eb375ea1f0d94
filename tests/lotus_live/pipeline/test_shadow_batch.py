"""The command `swap_detectors` before a daemon that takes a paced tape, is killed afterwards and started again."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from shadow_life import RUN, SPEC, life, recorded
from tapes import MANIFEST, in_order, market, numbered, write
from test_daemon import DAY, HERE, ledger_events

from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus_live.feed.tape_file import TapeFile
from lotus_live.parity import events_hash, neutral_beliefs, verify_parity
from lotus_live.pipeline.batch import score_tape
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals import live_log
from lotus_store.tape.store import TapeStore


@pytest.mark.kill("the daemon dies with a trial in force")
def test_a_swap_in_mid_run_then_a_crash(settings: Settings, databases: Databases, tmp_path: Path) -> None:
    lines = in_order(market(DAY, "09:00", 720, step_ms=500, seed=11))
    path = write(tmp_path / "tape.txt", lines)
    places = os.pathsep.join([str(HERE.parents[1]), str(HERE.parent / "support")])
    environment = {**os.environ, "LOTUS_PG_DSN": settings.server_dsn, "PYTHONPATH": places}
    command = [sys.executable, str(HERE / "shadow_life.py"), str(settings.home), str(path)]
    first = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert first.returncode == -signal.SIGKILL, first.stderr
    second = asyncio.run(life(settings, databases, TapeFile((path,)), 0.0, False))
    assert [d.detector_id for d in second.taker.pipeline.shadows] == ["trial_slow"]
    assert second.taker.counts.rebuilt > 0
    assert second.taker.counts.lines > 0

    store = TapeStore(settings.home, RUN)
    have = recorded(store)
    assert [line for line in have if not line[1].startswith(CONTROL_PREFIX)] == lines
    assert sum(raw.startswith(CONTROL_PREFIX) and b"trial_slow" in raw for _, raw in have) == 1
    assert verify_parity([store.folder / m.day / m.name for m in store.all_segments()], MANIFEST).parity

    events = ledger_events(databases, RUN)
    (day,) = score_tape(numbered(have), SPEC, neutral_beliefs(SPEC))
    (calm,) = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC))
    assert events_hash(events) == events_hash(day.events)
    numbers = {"close_seq"}  # the records of the tape have numbers of their own
    ours = {k: v[events["detector_id"] != "trial_slow"] for k, v in events.items() if k not in numbers}
    assert events_hash(ours) == events_hash({k: v for k, v in calm.events.items() if k not in numbers})
    spoke = (events["detector_id"] == "trial_slow") & (events["s"] != 0.0)
    assert spoke.any()
    assert events["window_end_ms"][spoke].min() >= lines[0][0] // 1_000_000 + 150_000

    with databases.connect("sig") as connection:
        told = connection.execute("SELECT result FROM control ORDER BY command_id").fetchall()
        log = live_log.read_log(connection, RUN)
        (signals,) = connection.execute("SELECT count(*) FROM live_signals WHERE run_id = %s", [RUN]).fetchone() or (0,)
    assert "shadow detector 0" in told[0][0]["error"]
    assert told[1][0]["trials"] == ["trial_slow"]
    assert told[1][0]["pause_ms"] < 1_000
    assert [e.body["trials"] for e in log if "trials" in e.body] == [["trial_slow"]]
    assert not [e for e in log if e.kind == "signal_refused"]
    assert signals > 0
