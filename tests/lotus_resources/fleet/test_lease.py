"""A lease is one process's while it lives; whoever lost it ends, and a message that comes twice does nothing twice."""

import os
import signal
import subprocess
import sys
import time

import dagster as dg
import pytest

from lotus_resources.fleet import broker, worker
from lotus_resources.fleet.lease import LOST, connected, held, held_or_none, lease
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases

HOLDER = """
import sys, time
from lotus_resources.fleet.lease import lease
with lease("r") as taken:
    print(taken, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def environment(settings: Settings, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    made = provision(settings, databases)
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    return made


def holder() -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, env={**os.environ})


def test_one_process_holds_it_and_a_kill_ends_it(environment: dict[str, str]) -> None:
    first = holder()
    assert first.stdout is not None
    assert first.stdout.readline() == "True\n"
    with lease("r") as taken, lease("other") as free:
        assert (taken, free) == (False, True)
        assert held_or_none(["r", "other", "nobody's"]) == {"r", "other"}
    first.send_signal(signal.SIGKILL)
    first.wait()
    with connected("test") as session:
        deadline = time.monotonic() + 5.0
        while held(session, ["r"]) and time.monotonic() < deadline:
            time.sleep(0.05)
    with lease("r") as taken:
        assert taken


def test_who_loses_the_session_ends_itself(environment: dict[str, str], databases: Databases) -> None:
    process = holder()
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    with databases.owner("dagster", autocommit=True) as c:
        c.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'lotus-run %%'")
    assert process.wait(10) == LOST


def test_a_message_that_comes_again_or_of_another_release_executes_nothing(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(worker, "run_of_message", lambda packed: packed)
    monkeypatch.setattr(worker, "execute_run", lambda _instance, run_id, _ended: ran.append(run_id) or 0)
    job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
    with instance(environment) as opened:
        statuses = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.SUCCESS
        begun, over = (opened.create_run_for_job(job, status=status).run_id for status in statuses)
        other = opened.create_run_for_job(job, status=statuses[0], tags={broker.RELEASE_TAG: "0.0.0+else"}).run_id
        with lease(begun):
            assert worker.execute_job(begun) == 0
        assert worker.execute_job(over) == worker.execute_job("no such run") == 0
        assert worker.execute_job(other) == 1
        assert ran == []
        run = opened.get_run_by_id(other)
        assert run is not None
        assert run.status is dg.DagsterRunStatus.FAILURE
        assert worker.execute_job(begun) == 0
        assert ran == [begun]
        for run_id in (begun, over, other):
            opened.delete_run(run_id)
