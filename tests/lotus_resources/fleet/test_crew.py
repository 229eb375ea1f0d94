"""Workers of one machine: a killed or silent one is begun again, all that are drained end, and nobody is left."""

import os
import signal
import threading
import time
from pathlib import Path

import dagster as dg
import pytest
from fleet_bed import FleetBed, broker_on, free_port

from lotus_resources.fleet.broker import BROKER_ENV, celery_app, waiting
from lotus_resources.fleet.crew import Crew, is_stopped
from lotus_resources.fleet.state import drain, fleet_facts
from lotus_resources.processes import Processes
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases

pytestmark = pytest.mark.process("a broker and a worker, begun again")


def test_a_killed_worker_is_begun_again_and_a_drained_one_is_not(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = provision(settings, databases)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    lines: list[str] = []
    with broker_on(free_port(), tmp_path) as address, instance(environment) as opened:
        monkeypatch.setenv(BROKER_ENV, address)
        app, crew = celery_app(os.environ), Crew(dict(os.environ), tmp_path / "logs", lines.append, 20.0)
        thread = threading.Thread(target=crew.run, args=(1, lambda: False))
        thread.start()

        def workers() -> list[str]:
            return [str(one["worker"]) for one in fleet_facts(opened, app)["workers"]]

        wait(lambda: workers() != [])
        (name,) = workers()
        (pid,) = {int(pid) for pid in os.popen(f"pgrep -o -f [l]{name[1:]}").read().split()}
        os.killpg(pid, signal.SIGKILL)
        wait(lambda: any("ended with code -9" in line for line in lines))
        wait(lambda: workers() == [name])
        facts = fleet_facts(opened, app)
        assert (facts["broker"], facts["waiting_in_broker"], facts["workers"][0]["busy"]) == ("answers", 0, False)
        job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
        begun = opened.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED).run_id
        runs = fleet_facts(opened, app)["runs"]
        assert [run["leased"] for run in runs if run["run_id"] == begun] == [False]
        opened.delete_run(begun)
        assert drain(app, ["nobody@nowhere"]) == []
        assert drain(app, []) == [name]
        thread.join(30)
    assert not thread.is_alive()
    assert lines[-1] == f"worker {name} is drained"
    assert os.popen(f"pgrep -f [l]{name[1:]}").read() == ""


def test_a_silent_worker_is_begun_again_while_runs_wait_and_left_alone_while_none_does(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in provision(settings, databases).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("lotus_resources.fleet.crew.is_stopped", lambda group: False)  # it is silent as if it hung
    lines: list[str] = []
    over = threading.Event()
    with broker_on(free_port(), tmp_path) as address:
        monkeypatch.setenv(BROKER_ENV, address)
        app = celery_app(os.environ)
        crew = Crew(dict(os.environ), tmp_path / "logs", lines.append, 20.0, look_s=0.5, silent_s=4.0)
        thread = threading.Thread(target=crew.run, args=(1, over.is_set))
        thread.start()
        try:
            wait(lambda: app.control.ping(timeout=1.0))
            ((name,),) = app.control.ping(timeout=1.0)
            (pid,) = {int(pid) for pid in os.popen(f"pgrep -o -f [l]{name[1:]}").read().split()}
            os.killpg(pid, signal.SIGSTOP)
            time.sleep(6.0)
            assert len(lines) == 1, "nothing waits: nobody is judged"
            app.send_task("nobody.takes.it")
            wait(lambda: any("took nothing for" in line for line in lines))
            wait(lambda: app.control.ping(timeout=1.0))
            wait(lambda: waiting(app) == 0)  # the new one takes what waited
        finally:
            over.set()
            thread.join(30)
    assert [line.split()[2] for line in lines[:2]] == ["begins", "took"]
    assert sum("begins" in line for line in lines) >= 2, "a slow start may itself be silent for that short patience"


def test_a_worker_that_was_stopped_with_a_run_is_begun_again_and_the_run_is_done_once(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    over = threading.Event()
    with FleetBed(settings, databases, tmp_path) as bed:
        crew = Crew(bed.env("crew"), tmp_path / "logs", lines.append, 5.0, look_s=0.5, stopped_s=4.0)
        thread = threading.Thread(target=crew.run, args=(1, over.is_set))
        thread.start()
        try:
            bed.start_daemon()
            bed.launch({"u0": 4.0})
            bed.wait(lambda: bed.rows("SELECT 1 FROM toy_begun"), 90, "the run to begin")
            (pid,) = {int(pid) for pid in os.popen(f"pgrep -o -f [l]otus-{os.getpid()}-0@").read().split()}
            os.killpg(pid, signal.SIGSTOP)
            bed.wait(lambda: any("was stopped for" in line for line in lines), 60, "the supervisor's look")
            bed.wait(lambda: bed.rows("SELECT 1 FROM toy_done"), 120, "the run again")
            bed.wait(lambda: bed.statuses() == [("u0", "FAILURE"), ("u0", "SUCCESS")], 30, "both runs to end")
        finally:
            over.set()
            thread.join(30)
        assert bed.rows("SELECT times FROM toy_done") == [(1,)]
        assert "no process holds its lease" in bed.last_event("u0")


def test_a_group_with_a_stopped_process_is_ended_after_the_patience_and_not_before(tmp_path: Path) -> None:
    lines: list[str] = []
    crew = Crew({}, tmp_path, lines.append, stopped_s=30.0)
    with Processes(tmp_path, 1.0) as children:
        child = children.start("w", ["sh", "-c", "sleep 60 & wait"])
        crew._went["w"] = time.monotonic()
        group = child.process.pid
        wait(lambda: len(os.popen(f"pgrep -g {group}").read().split()) == 2)
        crew._end_stopped(children)
        assert not is_stopped(group)
        inner = max(int(pid) for pid in os.popen(f"pgrep -g {group}").read().split())
        os.kill(inner, signal.SIGSTOP)
        wait(lambda: is_stopped(group))
        crew._went["w"] = time.monotonic()
        crew._end_stopped(children)
        assert lines == []
        crew._went["w"] -= 31.0
        crew._end_stopped(children)
        assert "worker w was stopped for" in lines[0]
        assert child.process.poll() == -signal.SIGKILL


def wait(ready: object) -> None:
    until = time.monotonic() + 40.0
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.2)
