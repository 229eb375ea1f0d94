"""The launcher of a fleet: dagster-celery's, whose word on a run's life is the lease instead of Celery's last one.

Celery's result says STARTED for ever of a worker that was killed. A run that has begun and whose lease nobody holds in
two looks one after the other is dead; Dagster fails it and tries again elsewhere. The message holds the run's name and
nothing that is secret. Runs that wait do so in Dagster's queue, so losing the broker loses nothing that cannot be
launched again.
"""

from typing import Any

from dagster import DagsterRun
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from lotus_resources.dagster_internals import worker_health
from lotus_resources.fleet.broker import CELERY, QUEUE, RELEASE_TAG, asked_by, release
from lotus_resources.fleet.lease import held_or_none
from lotus_store.config import load_settings


class LeasedLauncher(CeleryRunLauncher):
    """Hands runs to workers over Celery and asks their leases whether they live."""

    def __init__(self, broker: str | None = None, inst_data: Any = None, **options: Any) -> None:
        """Take the address of the broker; other settings of Celery are `CELERY`."""
        options |= {"backend": None, "config_source": dict(CELERY), "default_queue": QUEUE}
        super().__init__(broker=broker, inst_data=inst_data, **options)
        self._missed: set[str] = set()

    def launch_run(self, context: Any) -> None:
        """Hand a run out, marked with the release that asks for it and, unless it is, with the settings that do."""
        tags = {**asked_by(load_settings()), **context.dagster_run.tags, RELEASE_TAG: release()}
        self._instance.add_run_tags(context.dagster_run.run_id, tags)
        super().launch_run(context)

    @property
    def supports_resume_run(self) -> bool:
        """A run that died is tried again as a whole: what is committed is not computed again."""
        return False

    def check_run_worker_health(self, run: DagsterRun) -> Any:
        """Tell whether a process holds the lease of a run that has begun."""
        leases = held_or_none([run.run_id])
        if leases is None or leases:  # where the server is away nobody is judged
            self._missed.discard(run.run_id)
            return worker_health(True)
        if run.run_id not in self._missed:
            self._missed.add(run.run_id)
            return worker_health(True)
        self._missed.discard(run.run_id)
        return worker_health(False, "no process holds its lease; what was committed is kept")

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """Return what a failed run's page says of its worker."""
        return f"task {run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, 'never handed out')}"

    def terminate(self, run_id: str) -> bool:
        """End a run that was handed out."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        self.celery.control.revoke(run.tags[DAGSTER_CELERY_TASK_ID_TAG], terminate=True)
        return True
