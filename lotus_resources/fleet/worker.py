"""A worker of a fleet: one slot, which takes a run's name from the broker, its lease from PostgreSQL, and executes it.

    celery -A lotus_resources.fleet.worker worker --pool prefork

Both stock tasks are registered unshared: Celery would register dagster-celery's own over ours.
"""

import os
from typing import Any

from celery import Celery
from celery.worker.control import inspect_command
from dagster import DagsterInstance
from dagster_celery.config import TASK_EXECUTE_JOB_NAME

from lotus_resources.dagster_internals import execute_run, run_of_message
from lotus_resources.fleet.broker import BROKER_ENV, CELERY, RELEASE_TAG, release, take_over
from lotus_resources.fleet.lease import lease
from lotus_resources.fleet.roll_call import COMMAND, answer

app = Celery("lotus", broker=os.environ.get(BROKER_ENV), config_source=dict(CELERY), set_as_current=False)


@app.task(name=TASK_EXECUTE_JOB_NAME, shared=False)  # type: ignore[untyped-decorator]
def execute_job(execute_job_args_packed: Any) -> int:
    """Execute the run that a message names, unless another process does, or has; return its exit code."""
    run_id = run_of_message(execute_job_args_packed)
    with lease(run_id) as is_ours, DagsterInstance.get() as instance:
        if not is_ours:
            return 0
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return 0
        asked = run.tags.get(RELEASE_TAG, release())
        if asked != release():
            instance.report_run_failed(run, f"asked by release {asked}; this worker is {release()}: update one of them")
            return 1
        if why := take_over(run.tags):
            instance.report_run_failed(run, why)
            return 1
        return execute_run(instance, run_id)


@inspect_command(name=COMMAND, args=[("marker", str)])  # type: ignore[untyped-decorator]
def tell(_state: Any, marker: str = "") -> dict[str, Any]:
    """Answer `lotus fleet doctor`: what this worker's machine has."""
    return answer(marker)
