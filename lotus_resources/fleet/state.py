"""What a fleet does now: workers that answer, runs with their leases, what waits in the broker. Nothing is changed."""

from collections import Counter
from contextlib import suppress
from typing import Any

import dagster as dg

from lotus_resources.dagster_internals import IN_PROGRESS
from lotus_resources.fleet.broker import RELEASE_TAG, away, release, waiting
from lotus_resources.fleet.lease import held_or_none


def fleet_facts(opened: dg.DagsterInstance, app: Any) -> dict[str, Any]:
    """Return the facts for the command and for metrics; `broker` is "away" where it does not answer."""
    runs = opened.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, *IN_PROGRESS]))
    leases = held_or_none([run.run_id for run in runs])
    active: dict[str, list[Any]] | None = None
    with suppress(*away()):
        active = app.control.inspect(timeout=2.0).active() or {}
    return {
        "release": release(),
        "broker": "away" if active is None else "answers",
        "waiting_in_broker": waiting(app),
        "workers": [{"worker": name, "busy": bool(tasks)} for name, tasks in sorted((active or {}).items())],
        "runs_by_state": dict(sorted(Counter(run.status.value for run in runs).items())),
        "runs": [
            {
                "run_id": run.run_id, "job": run.job_name, "state": run.status.value,
                "leased": leases is not None and run.run_id in leases, "asked_by": run.tags.get(RELEASE_TAG, ""),
            }
            for run in runs if run.status is not dg.DagsterRunStatus.QUEUED
        ],
    }  # fmt: skip


def drain(app: Any, names: list[str]) -> list[str]:
    """Ask workers to end after their run (none named: all that answer); return who was asked.

    Raises `kombu.exceptions.OperationalError` where the broker does not answer.
    """
    answering = {name for answer in app.control.ping(timeout=2.0) for name in answer}
    asked = sorted(answering & set(names) if names else answering)
    if asked:
        app.control.shutdown(destination=asked)
    return asked
