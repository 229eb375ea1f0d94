"""Make Dagster's instance ready: its tables in PostgreSQL, the pool that keeps runs apart.

Also buries runs whose process is gone: a killed run would otherwise hold its place in the pool permanently. Everything
here may be called again at any time. The learning state itself needs none of this: it lies in the sig database.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from lotus_resources.dagster_home import BATCH_ENV, DSN_ENV, dagster_environment
from lotus_resources.dagster_internals import fail_run, limit_pool
from lotus_resources.fleet.broker import RELEASE_TAG
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.processes import BOOT_TAG, BORN_TAG, HOST_TAG, PID_TAG, is_from_here, is_running

LANE_POOL = "lane"
BEGUN = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


def provision(settings: Settings, databases: Databases) -> dict[str, str]:
    """Create folder and tables; return the environment (DAGSTER_HOME, address) for Dagster processes of this home.

    Raises `LedgerError` when Dagster's address is that of a Lotus database.
    """
    environment = dagster_environment(settings, databases)
    for kind in (PostgresRunStorage, PostgresEventLogStorage, PostgresScheduleStorage):
        storage = kind(environment[DSN_ENV], should_autocreate_tables=True)
        storage.dispose()
    return environment


@contextmanager
def instance(environment: dict[str, str]) -> Iterator[dg.DagsterInstance]:
    """Open the persistent instance of a provisioned home inside this process; its environment is left as it was."""
    before = {name: os.environ.get(name) for name in (DSN_ENV, BATCH_ENV)}
    os.environ.update({name: environment[name] for name in before})
    try:
        with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as opened:
            limit_pool(opened, LANE_POOL, 1)
            yield opened
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def bury_dead_runs(opened: dg.DagsterInstance, nothing_else_runs: bool = False) -> int:
    """Fail every run that names a process of this machine which no longer lives; return how many.

    A process is known by host, boot id, number and start, not by its number alone: what another host names, or this
    host before its last start, is not judged. With `nothing_else_runs` (no other Dagster daemon works on this home)
    begun runs from before this host's last start, and those that name no host, are dead unless their number lives.
    Queued runs are left alone: nobody has begun them. A run that names its process belongs to it from its creation on.
    """
    buried = 0
    for run in opened.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED, *BEGUN])):
        if _is_dead(run.tags, nothing_else_runs and run.status in BEGUN):
            pid = run.tags.get(PID_TAG) or "unknown"
            fail_run(opened, run, f"process {pid} ended without reporting; committed days are kept")
            buried += 1
    return buried


def _is_dead(tags: Mapping[str, str], is_alone: bool) -> bool:
    """Tell whether the process that tags name is certainly over; `is_alone`: no process but a named one can have it.

    A run that was handed to a fleet is nobody's here: its lease tells whether it lives, and run monitoring asks.
    """
    if RELEASE_TAG in tags:
        return False
    host, boot, pid = (tags.get(name, "") for name in (HOST_TAG, BOOT_TAG, PID_TAG))
    if host and host != socket.gethostname():
        return False
    if is_from_here(host, boot) and pid.isdigit():
        return not is_running(int(pid), tags.get(BORN_TAG, ""))
    if boot:  # before this host's last start, or on another machine of its name
        return is_alone
    return is_alone and not (pid.isdigit() and is_running(int(pid), ""))
