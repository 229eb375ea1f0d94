"""Runs on two workers: a killed one's run is found dead by its lease, tried again elsewhere, and done once."""

from pathlib import Path

import pytest
from fleet_bed import FleetBed

from lotus_store.config import Settings
from lotus_store.databases import Databases

pytestmark = pytest.mark.process("a broker, a daemon and two workers")


def test_a_killed_worker_s_run_is_tried_again_elsewhere_and_every_unit_is_done_once(
    settings: Settings, databases: Databases, tmp_path: Path
) -> None:
    with FleetBed(settings, databases, tmp_path) as bed:
        bed.start_daemon()
        for name in ("one", "two"):
            bed.start_worker(name)
        bed.launch({f"u{k}": 3.0 for k in range(3)})
        bed.wait(lambda: bed.rows("SELECT 1 FROM toy_begun WHERE who = 'one'"), 60, "a run of the first worker")
        (unit,) = bed.rows("SELECT unit FROM toy_begun WHERE who = 'one' ORDER BY at DESC LIMIT 1")[0]
        bed.kill("one")
        bed.wait(lambda: len(bed.rows("SELECT 1 FROM toy_done")) == 3, 90, "all units")
        bed.wait(lambda: len(bed.statuses()) == 4 and "STARTED" not in dict(bed.statuses()).values(), 30, "all runs")
        assert bed.statuses() == sorted([(f"u{k}", "SUCCESS") for k in range(3)] + [(str(unit), "FAILURE")])
        assert {times for (times,) in bed.rows("SELECT times FROM toy_done")} == {1}
        assert bed.rows("SELECT who FROM toy_done WHERE unit = '" + str(unit) + "'") == [("two",)]
        assert "no process holds its lease" in bed.last_event(str(unit))
