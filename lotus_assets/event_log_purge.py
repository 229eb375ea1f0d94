"""Dagster's own log is kept bounded: of runs that ended `dagster.keep_days` ago only what is still needed stays.

Needed is the newest materialisation of every asset and partition, with its run and checks: Dagster shows by it which
days are there and from which code and data. `lotus explain` and the lineage of beliefs read the module databases and
the lake, never this log. So an old run that holds no such record goes whole, through Dagster's own calls (events before
the run, so that a kill in between leaves a run without events to the next purge, never events without a run); of the
others the lines between go: steps, logs, engine. Failed days of old runs are then shown as missing rather than failed.
What the learning itself wrote is not touched. Batches are small, every statement commits, and a purge that was killed
anywhere and run again ends the same. PostgreSQL keeps the freed pages for new rows, so files hardly shrink.
(Literature: log retention, compaction that keeps the latest record of a key.)
The same asset lets go what `[retention]` of the settings lets go (`lotus_assets.retention`).
"""

import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import dagster as dg

from lotus_assets.bodies import stage_context
from lotus_assets.catalogue import OWNERS
from lotus_assets.retention.frames import let_frames_go
from lotus_assets.retention.rows import let_rows_go
from lotus_assets.stages.chain import BranchHeldError, branch_lane
from lotus_resources.dagster_internals import delete_runs, stored_bytes, trim_runs
from lotus_resources.lotus_resource import Lotus
from lotus_store.databases import Connection

NAME, GROUP = "event_log_purge", "upkeep"
DAY_S = 86_400.0
ENDED = [s.value for s in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)]


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge removed (runs, rows of all tables) and the size of Dagster's database before and after, in bytes."""

    runs: int
    rows: int
    bytes_before: int
    bytes_after: int


def purge(instance: dg.DagsterInstance, dagster: Connection, before_s: float) -> Purged:
    """Purge what ended before a time (seconds UTC) from the instance whose database is `dagster` (autocommit)."""
    size = stored_bytes(dagster)
    runs, rows = delete_runs(instance, dagster, before_s, ENDED)
    rows += trim_runs(dagster, before_s, ENDED)
    return Purged(runs, rows, size, stored_bytes(dagster))


def retained(lotus: Lotus, now_s: float) -> dict[str, Any]:
    """Let go what [retention] lets go at a time (seconds UTC), and say it; nothing is looked at where it is off."""
    keeping = lotus.settings.retention
    if not (keeping.frames_days or keeping.rows_days):
        return {}
    settings: dict[str, Any] = {"frames_days": keeping.frames_days, "rows_days": keeping.rows_days}
    try:
        with stage_context(lotus) as ctx, branch_lane(ctx):
            frames = let_frames_go(ctx, keeping.frames_days, now_s)
            rows = let_rows_go(lotus.databases, keeping.rows_days, now_s, ctx.tape_branch, ctx.branch)
    except BranchHeldError as held:
        return settings | {"retention": f"not looked at: {held}"}
    stay = "\n".join(f"- {day}: {reason}" for day, reason in frames.stay)
    return settings | {
        "frames_gone": ", ".join(frames.days) or "none",
        "frames_bytes_gone": frames.bytes_gone,
        "frames_waiting": frames.waiting,
        "frames_stay": dg.MetadataValue.md(stay or "none"),
        "months_gone": ", ".join(rows.months) or "none",
        "months_waiting": ", ".join(rows.busy) or "none",
        "rows_gone": ", ".join(f"{table} {n}" for table, n in rows.rows.items()) or "none",
    }


@dg.asset(
    name=NAME,
    group_name=GROUP,
    kinds={"postgres"},
    owners=OWNERS,
    description="Dagster's log without what ended dagster.keep_days ago and is no asset's newest record.",
)
def event_log_purge(context: dg.AssetExecutionContext, lotus: dg.ResourceParam[Lotus]) -> dg.MaterializeResult[Any]:
    """Purge; with `dagster.keep_days` 0 nothing of the log is removed, and what [retention] does not name stays."""
    keep_days, now_s = lotus.settings.dagster.keep_days, time.time()
    before_s = now_s - keep_days * DAY_S if keep_days else 0.0
    with closing(lotus.databases.connect("dagster", autocommit=True)) as dagster:
        done = purge(context.instance, dagster, before_s)
    metadata: dict[str, Any] = {
        "keep_days": keep_days,
        "runs_removed": done.runs,
        "rows_removed": done.rows,
        "bytes_before": done.bytes_before,
        "bytes_after": done.bytes_after,
    }
    metadata |= retained(lotus, now_s)
    return dg.MaterializeResult(metadata=metadata)
