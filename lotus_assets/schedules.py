"""The schedules: at 00:20 UTC learn from the days since the last committed one, every hour the watchdog, at 03:10 the
day of candidates in shadow, at 03:40 the purge of Dagster's log, at 05:10 the search that a Monday is due, and on
Sundays the compaction of old sums.

By then yesterday's last windows have matured (their day is that of their maturity) and its tape is closed. A nightly
run that was missed is made up for by the next one: the run covers the range in one go, oldest day first.
"""

from datetime import UTC, timedelta

import dagster as dg

from lotus.timebase import next_day
from lotus_assets.bodies import stage_context
from lotus_assets.breeding.forward import NAME as FORWARD
from lotus_assets.breeding.monday import NAME as BREEDING
from lotus_assets.catalogue import LEARNING_ASSETS
from lotus_assets.compaction_job import compact_atoms
from lotus_assets.event_log_purge import NAME as PURGE
from lotus_assets.jobs import watchdog
from lotus_assets.stages.chain import last_committed_day
from lotus_resources.dagster_internals import range_tags
from lotus_resources.lotus_resource import Lotus
from lotus_resources.span import span_of_environment


@dg.schedule(
    name="nightly",
    cron_schedule="20 0 * * *",
    execution_timezone="UTC",
    target=dg.AssetSelection.assets(*(entry.name for entry in LEARNING_ASSETS)),
    description="Learn from yesterday (and from missed nightly runs before it).",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def nightly(context: dg.ScheduleEvaluationContext, lotus: dg.ResourceParam[Lotus]) -> dg.RunRequest | dg.SkipReason:
    """Request one run over the days that are due."""
    yesterday = (context.scheduled_execution_time.astimezone(UTC) - timedelta(days=1)).date().isoformat()
    span = span_of_environment()
    if yesterday not in span:
        return dg.SkipReason(f"the pages show {span}: no day of the tape since")
    with stage_context(lotus) as ctx:
        return nightly_request(last_committed_day(ctx), yesterday)


hourly = dg.ScheduleDefinition(
    name="hourly_watchdog",
    job=watchdog,
    cron_schedule="50 * * * *",
    execution_timezone="UTC",
    description="End what has lived its time or died, without waiting for the nightly run.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

weekly = dg.ScheduleDefinition(
    name="weekly_compaction",
    job=compact_atoms,
    cron_schedule="30 4 * * 0",
    execution_timezone="UTC",
    description="Keep lesson atoms beyond the search window coarser; no nightly run reads what it touches.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


forward = dg.ScheduleDefinition(
    name="candidates_forward",
    target=dg.AssetSelection.assets(FORWARD),
    cron_schedule="10 3 * * *",
    execution_timezone="UTC",
    description="Score the day on candidates in shadow.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

purging = dg.ScheduleDefinition(
    name="nightly_purge",
    target=dg.AssetSelection.assets(PURGE),
    cron_schedule="40 3 * * *",
    execution_timezone="UTC",
    description="Keep Dagster's own log bounded.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

breeding = dg.ScheduleDefinition(
    name="weekly_breeding",
    target=dg.AssetSelection.assets(BREEDING),
    cron_schedule="10 5 * * *",
    execution_timezone="UTC",
    description="Search for detectors on the days up to a Monday, once; on the mornings after it, until it is done.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


def nightly_request(committed: str | None, yesterday: str) -> dg.RunRequest | dg.SkipReason:
    """Return the request for the days after `committed` (None: the branch begins) up to `yesterday`."""
    first = next_day(committed) if committed else yesterday
    if first > yesterday:
        return dg.SkipReason(f"{committed} is committed: nothing is due")
    return dg.RunRequest(run_key=f"nightly {yesterday}", tags=range_tags(first, yesterday))
