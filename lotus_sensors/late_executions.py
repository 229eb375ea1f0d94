"""Sensor on executions told after their day's outcomes were made: that day is learned again, and what was built on it.

A traded day and a report that comes late are the same case. What is due is read from rows (executions beside what
`signal_eval` notes), never from a position; one range of days is asked for, from the oldest due day to the last
committed one, because every day stands on the one before. A day whose replay still trades is waited for, and so is a
moment of quiet. (Literature: level-triggered reconciliation, late-arriving facts.)
"""

import time
from collections.abc import Sequence

import dagster as dg

from lotus_resources.dagster_internals import range_tags, tags_of_sensor
from lotus_resources.lotus_resource import Lotus
from lotus_sensors.asking import FAILED, RETRY_S
from lotus_store.databases import Connection
from lotus_store.ledger.day_commits import committed_days
from lotus_store.ledger.signals.executions import LateDay, late_executions, replays_at_work

NAME = "late_executions"
STATE_TAG = "lotus/executions"  # of a run: the days and numbers for which it was asked
QUIET_S = 15.0  # reports that follow each other more closely are taken together
ATTEMPTS = 3  # of one state: what fails three times fails again until more is told or a hand helps
LAST_STAGE = "active_priors"


def state_of(branch: str, late: Sequence[LateDay]) -> str:
    """Return branch, days and numbers told as one word; the same word is learned once.

    >>> state_of("main", [LateDay("2026-01-18", "local", 240, 60.0)])
    'main: 2026-01-18 240'
    """
    return f"{branch}: " + ", ".join(f"{day.day} {day.told}" for day in late)


def reason_to_wait(sig: Connection, branch: str, late: Sequence[LateDay]) -> str:
    """Return why nothing is asked for now, "" when it is time."""
    if not late:
        return "every execution is in the outcomes of its day"
    if at_work := replays_at_work(sig, branch):
        return f"{', '.join(at_work)} still trades"
    if any(day.quiet_s is not None and day.quiet_s < QUIET_S for day in late):
        return "executions are still being told"
    return ""


def attempt(instance: dg.DagsterInstance, state: str, now_s: float) -> int | None:
    """Return which attempt at a state is due, None when one is under way, was made, or failed too lately or often."""
    attempts = instance.get_run_records(dg.RunsFilter(tags=tags_of_sensor(NAME) | {STATE_TAG: state}))
    failed = [record for record in attempts if record.dagster_run.status in FAILED]
    rested = all((record.end_time or 0.0) <= now_s - RETRY_S for record in failed)
    return len(failed) if len(failed) == len(attempts) < ATTEMPTS and rested else None


@dg.sensor(
    name=NAME,
    target=dg.AssetSelection.groups("scoring", "learning", "beliefs").materializable(),
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="What a venue told of a day after its outcomes were made is learned, with every day built on it.",
)
def late_executions_sensor(
    context: dg.SensorEvaluationContext, lotus: dg.ResourceParam[Lotus]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for the days from the oldest that is due to the last committed one."""
    branch, longest_s = lotus.settings.branch, max(lotus.settings.manifest.outcomes.horizons_s)
    with lotus.databases.reader("sig", autocommit=True) as sig:
        late = late_executions(sig, branch, longest_s)
        if why := reason_to_wait(sig, branch, late):
            return dg.SkipReason(why)
        last = max(late[-1].day, *committed_days(sig, branch, LAST_STAGE)[-1:])
    state = state_of(branch, late)
    number = attempt(context.instance, state, time.time())
    if number is None:
        return dg.SkipReason(f"asked for: {state}")
    tags = range_tags(late[0].day, last) | {STATE_TAG: state}
    return dg.RunRequest(run_key=f"{state} | {number}", tags=tags)
