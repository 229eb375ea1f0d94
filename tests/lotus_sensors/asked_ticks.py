"""Messages put into inboxes, and what was asked for them."""

import time

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG, SENSOR_NAME_TAG

from lotus.modules.intents import Module
from lotus_assets.jobs import apply_inbox
from lotus_sensors import new_inbox
from lotus_sensors.asking import subjects_of
from lotus_store.databases import Connection, Databases


def finish(databases: Databases, run: dg.DagsterRun, opened: dg.DagsterInstance) -> None:
    """Do what a run that applies its messages leaves: rows that no longer wait, and a run that succeeded."""
    for name in subjects_of(run.run_config, new_inbox.OP):
        module, _, event_id = name.partition("/")
        with databases.owner(module) as c:
            c.execute(f"UPDATE {module}_inbox SET consumed_at = now() WHERE event_id = %s", [event_id])
    opened.handle_new_event(
        dg.EventLogEntry(
            error_info=None, level=20, user_message="", run_id=run.run_id, timestamp=time.time(),
            dagster_event=dg.DagsterEvent("PIPELINE_SUCCESS", run.job_name),
        )
    )  # fmt: skip


def tick(opened: dg.DagsterInstance, inboxes: dict[Module, Connection]) -> list[dg.DagsterRun]:
    """Make the runs that a tick asks for as the daemon does: none whose key exists."""
    made = []
    for request in new_inbox.requests(opened, inboxes, "main"):
        tags = {**request.tags, SENSOR_NAME_TAG: new_inbox.NAME, RUN_KEY_TAG: str(request.run_key)}
        if not opened.get_runs(filters=dg.RunsFilter(tags={RUN_KEY_TAG: str(request.run_key)})):
            status = dg.DagsterRunStatus.STARTED
            made.append(opened.create_run_for_job(apply_inbox, run_config=request.run_config, tags=tags, status=status))
    return made
