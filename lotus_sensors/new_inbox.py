"""Sensor on the inbox of the alpha detector: waiting messages get a run that applies them.

What is due is read from the rows' state (not yet consumed), never from a position: a cursor over arrival numbers would
skip a row whose transaction commits late. The run key is the set of waiting messages and a ten-minute slot, so one
state asks once, and again while its application keeps failing. A backfill applies its own patches in step; this sensor
serves messages that arrive otherwise.
"""

import time
from collections.abc import Sequence

import dagster as dg

from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus_resources.lotus_resource import Lotus
from lotus_sensors.waiting import read_or_wait
from lotus_store.databases import Connection
from lotus_store.ledger.messages import waiting

CHANNEL = "lotus_inbox"
RETRY_S = 600


def run_key(event_ids: Sequence[str], now_s: float) -> str:
    """Return the key of a set of waiting messages in one retry slot."""
    return natural_id(int(now_s // RETRY_S), *sorted(event_ids))


def waiting_on(connection: Connection, branch: str) -> list[str]:
    """Return the names of the messages that wait on a branch."""
    return [event_id for event_id, line, _ in waiting(connection, Module.SIG.value) if line == branch]


@dg.sensor(
    name="new_inbox",
    job_name="apply_inbox",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A message in the inbox of the alpha detector makes its application due.",
)
def new_inbox(context: dg.SensorEvaluationContext, lotus: dg.ResourceParam[Lotus]) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run when something waits on the branch of this home."""
    branch = lotus.settings.branch
    with lotus.databases.connect("sig", autocommit=True) as connection:
        found = read_or_wait(connection, CHANNEL, lambda: waiting_on(connection, branch))
    if not found:
        return dg.SkipReason(f"no message waits on branch {branch}")
    context.log.info("%d messages wait on branch %s", len(found), branch)
    return dg.RunRequest(run_key=run_key(found, time.time()))
