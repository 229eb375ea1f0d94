"""What a sensor has asked Dagster for, read from Dagster's own runs: its memory is the instance, not a cursor.

A run of a sensor says in its configuration which subjects it was asked for. A subject is left alone while such a run
has not ended and for a while after one failed; else it is asked for, again if need be. A run key is made of the
subjects and the sensor's newest run, so no two runs ever have the same: a tick that is repeated before its run was made
says the same key, and after that the newest run is another one. No cursor is kept, so none can be lost or skip
anything. What is due is read by the sensors themselves. (Literature: level-triggered reconciliation.)
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from lotus.hashing import natural_id
from lotus_resources.dagster_internals import tags_of_sensor

RETRY_S = 600.0  # a failed run's subjects are left alone for this long: what broke it may need a hand
DEAD_S = 1800.0  # a run without a sign of life for this long was killed; its subjects are asked for again
OPEN = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True)
class Asked:
    """Subjects that are not to be asked for now, and the sensor's newest run ("" before the first)."""

    taken: frozenset[str]
    newest: str

    def run_key(self, subjects: Sequence[str]) -> str:
        """Return the key of a request for subjects."""
        return natural_id(self.newest, *sorted(subjects))


def asked(instance: dg.DagsterInstance, sensor: str, op: str, now_s: float | None = None) -> Asked:
    """Return what runs of a sensor were asked for (`asked_for` in the configuration of `op`) and is not due again.

    The clock only paces what was asked before; it is in no run key. Read this before the rows themselves: of a run that
    ends in between, the rows are gone by then.
    """
    now = time.time() if now_s is None else now_s
    own_runs = tags_of_sensor(sensor)
    newest = instance.get_runs(filters=dg.RunsFilter(tags=own_runs), limit=1)
    alive_since = datetime.fromtimestamp(now - DEAD_S, UTC)
    recent = instance.get_run_records(
        dg.RunsFilter(tags=own_runs, statuses=[*OPEN, *FAILED], updated_after=alive_since)
    )
    resting = [r for r in recent if r.dagster_run.status in OPEN or (r.end_time or 0.0) > now - RETRY_S]
    taken = frozenset(name for record in resting for name in subjects_of(record.dagster_run.run_config, op))
    return Asked(taken, newest[0].run_id if newest else "")


def subjects_of(run_config: Mapping[str, Any], op: str) -> list[str]:
    """Return the subjects that a run was asked for."""
    subjects: list[str] = run_config.get("ops", {}).get(op, {}).get("config", {}).get("asked_for", [])
    return subjects
