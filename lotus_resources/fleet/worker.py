"""A worker of a fleet: one slot, which takes a run's name from the broker, its lease from PostgreSQL, and executes it.

    celery -A lotus_resources.fleet.worker worker --pool prefork

Both stock tasks are registered unshared: Celery would register dagster-celery's own over ours. A run that is out of
memory ends its process, as the kernel would end it: it is tried again, maybe where there is more, three times at most.
"""

import os
import resource
from collections.abc import Sequence
from typing import Any, Final

from celery import Celery
from celery.worker.control import inspect_command
from dagster import DagsterInstance
from dagster_celery.config import TASK_EXECUTE_JOB_NAME

from lotus_resources.dagster_internals import execute_run, run_of_message
from lotus_resources.fleet.broker import BROKER_ENV, CELERY, RELEASE_TAG, release, take_over
from lotus_resources.fleet.lease import LOST, lease
from lotus_resources.fleet.roll_call import COMMAND, answer
from lotus_store.config import load_settings

WITHOUT_MEMORY: Final = frozenset({"MemoryError", "ArrowMemoryError", "_ArrayMemoryError"})
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
        limit_memory(load_settings().fleet.worker_memory_gb)
        return execute_run(instance, run_id, end_without_memory)


def limit_memory(most_gb: float) -> None:
    """Let this process have so much address space, GiB (2^30 bytes); 0 is as much as it had."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (int(most_gb * 2**30) if most_gb else most, most))


def end_without_memory(causes: Sequence[str]) -> None:
    """End the process where a step failed for want of memory: its lease ends too, and the run is tried again."""
    if WITHOUT_MEMORY & set(causes):
        os._exit(LOST)


@inspect_command(name=COMMAND, args=[("marker", str)])  # type: ignore[untyped-decorator]
def tell(_state: Any, marker: str = "") -> dict[str, Any]:
    """Answer `lotus fleet doctor`: what this worker's machine has."""
    return answer(marker)
