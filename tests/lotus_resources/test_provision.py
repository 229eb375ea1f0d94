"""Dagster's instance of a home: which runs of dead processes are buried."""

import os
import subprocess
import sys

import dagster as dg
import pytest

from lotus_resources.fleet.broker import RELEASE_TAG
from lotus_resources.provision import bury_dead_runs, instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.processes import BOOT_TAG, BORN_TAG, HOST_TAG, PID_TAG, own_tags

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
    dead, alive, unnamed = own_tags() | {PID_TAG: str(gone.pid)}, own_tags(), dict[str, str]()
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


def test_a_process_is_known_by_host_boot_and_start_not_by_its_number_alone(
    settings: Settings, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = provision(settings, databases)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
    dead = own_tags() | {PID_TAG: str(gone.pid)}
    cases = {
        "another host": dead | {HOST_TAG: "elsewhere"},
        "another boot": dead | {BOOT_TAG: "00000000-0000-0000-0000-000000000000"},
        "a number only": {PID_TAG: str(gone.pid)},
        "a living number only": {PID_TAG: str(os.getpid())},
        "dead here": dead,
        "handed to a fleet": {RELEASE_TAG: "0.1"},
        "its number is another's": own_tags() | {BORN_TAG: "1"},
        "this one": own_tags(),
    }
    with instance(environment) as opened:
        for run in opened.get_runs():
            opened.delete_run(run.run_id)
        made = {
            case: opened.create_run_for_job(job, tags=tags, status=Status.STARTED).run_id
            for case, tags in cases.items()
        }

        def failed() -> set[str]:
            runs = ((case, opened.get_run_by_id(run_id)) for case, run_id in made.items())
            return {case for case, run in runs if run is not None and run.status is Status.FAILURE}

        assert bury_dead_runs(opened) == 2
        assert failed() == {"dead here", "its number is another's"}
        assert bury_dead_runs(opened, nothing_else_runs=True) == 2
        assert failed() == {"dead here", "its number is another's", "another boot", "a number only"}
        for run_id in made.values():
            opened.delete_run(run_id)
