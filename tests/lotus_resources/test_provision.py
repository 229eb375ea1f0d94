"""Dagster's instance of a home: which runs of dead processes are buried."""

import os
import subprocess
import sys

import dagster as dg
import pytest

from lotus_resources.provision import PID_TAG, bury_dead_runs, instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases

Status = dg.DagsterRunStatus


def test_a_run_whose_process_died_is_buried_even_before_it_began(
    settings: Settings, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = provision(settings, databases)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
    dead, alive, unnamed = {PID_TAG: str(gone.pid)}, {PID_TAG: str(os.getpid())}, dict[str, str]()
    with instance(environment) as opened:
        for run in opened.get_runs():
            opened.delete_run(run.run_id)
        cases = [(tags, status) for tags in (dead, alive, unnamed) for status in (Status.NOT_STARTED, Status.STARTED)]
        made = [opened.create_run_for_job(job, tags=tags, status=status).run_id for tags, status in cases]

        def statuses() -> list[str]:
            return [run.status.value for run in map(opened.get_run_by_id, made) if run is not None]

        assert bury_dead_runs(opened) == 2
        assert statuses() == ["FAILURE", "FAILURE", "NOT_STARTED", "STARTED", "NOT_STARTED", "STARTED"]
        assert bury_dead_runs(opened, nothing_else_runs=True) == 1
        assert statuses()[-2:] == ["NOT_STARTED", "FAILURE"]
        for run_id in made:
            opened.delete_run(run_id)
