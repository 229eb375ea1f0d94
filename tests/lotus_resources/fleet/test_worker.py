"""A run that is out of memory ends its process and is tried again three times; the others go on."""

import subprocess
import sys
from pathlib import Path

import pytest
from fleet_bed import FleetBed

from lotus_resources.fleet.lease import LOST
from lotus_store.config import Settings
from lotus_store.databases import Databases

FAILS = """
import dagster as dg
from lotus_resources.dagster_internals import names_of_error
from lotus_resources.fleet.worker import end_without_memory, limit_memory

@dg.op
def work():
    {body}

@dg.job(executor_def=dg.in_process_executor)
def toy():
    work()

limit_memory(8.0)
for event in toy.execute_in_process(raise_on_error=False).all_events:
    if event.is_step_failure:
        end_without_memory(names_of_error(event.step_failure_data.error))
"""


@pytest.mark.parametrize(
    ("body", "code"),
    [("bytearray(2**40)", LOST), ("import numpy; numpy.ones(2**40)", LOST), ("raise ValueError('no')", 0)],
)
def test_only_want_of_memory_ends_the_process(body: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-P", "-c", FAILS.format(body=body)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr[-2000:]


@pytest.mark.process("a broker, a daemon and a worker, which dies four times")
def test_a_block_out_of_memory_is_tried_three_times_and_named_and_others_go_on(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "lotus.toml"
    config.write_text("[fleet]\nslots = 2\nworker_memory_gb = 16\n")
    monkeypatch.setenv("LOTUS_CONFIG", str(config))
    with FleetBed(settings, databases, tmp_path) as bed:
        bed.start_daemon()
        for name in ("one", "two"):
            bed.start_worker(name)
        bed.launch({"hungry": 1.0, "u1": 1.0, "u2": 1.0})
        bed.wait(lambda: len(bed.rows("SELECT 1 FROM toy_done")) == 2, 120, "the others")
        four = [("hungry", "FAILURE")] * 4
        bed.wait(lambda: [one for one in bed.statuses() if one[0] == "hungry"] == four, 280, "three tries more")
        assert bed.rows("SELECT unit, times FROM toy_done ORDER BY 1") == [("u1", 1), ("u2", 1)]
        assert "no process holds its lease" in bed.last_event("hungry")
        assert "MemoryError" in bed.steps_failed("hungry")
