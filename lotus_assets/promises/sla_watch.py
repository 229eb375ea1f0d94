"""`sla_watch`: every five minutes the promises of `sla.yaml` against what is there, and alarms that wait to be told.

The schedule only looks; a run begins when there is something to tell: a promise that is broken this hour, or an alarm
of the queue that the user's command has not had. `failed_runs` tells of runs that failed. Who hears of it is
`outward`'s.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
import numpy as np

from lotus.hashing import natural_id
from lotus.microtape.completeness import TAPE_COMPLETENESS
from lotus.modules.intents import Module
from lotus.modules.messages.monitoring import WORD, MonitorAlert, Severity, alert_key, shown
from lotus.monitoring.sla import broken, shipped_promises
from lotus.timebase import HOUR_MS, day_start_ms, next_day
from lotus_assets.bodies import failure_words, stage_context
from lotus_assets.stages.chain import last_committed_day
from lotus_assets.stages.context import StageContext
from lotus_live.reports.health import SILENT_S, read_status
from lotus_modules.handlers import HOT, SLOW
from lotus_resources.lotus_resource import Lotus
from lotus_resources.outward import tell
from lotus_store.ledger.beliefs.expert_stats import slowest_expert_ns
from lotus_store.ledger.curation_queue import QueuedAlert, untold_alerts, was_claimed
from lotus_store.ledger.day_commits import commits_of_days
from lotus_store.ledger.messages.boxes import inbox_lag_s, oldest_dead_h

WHOLE = 0.99  # share of its expected seconds from which a minute is whole
NIGHT_DUE = timedelta(hours=2)
PARITY_DAYS = 7
LAG_WINDOW_S = 300.0
ERROR: Final = "error"


def facts_of(ctx: StageContext, now: datetime) -> dict[str, float | None]:
    """Return what is known of each promise at `now`; None where there is nothing to look at."""
    today = now.astimezone(UTC).date().isoformat()
    yesterday, committed = next_day(today, -1), last_committed_day(ctx)
    recorded = ctx.tape.has(yesterday)
    late = now - datetime.fromisoformat(today).replace(tzinfo=UTC) - NIGHT_DUE
    is_due = recorded and committed is not None and committed < yesterday
    status = fresh_status(ctx, now)
    age_ms = now.timestamp() * 1000 - day_start_ms(next_day(committed)) if committed else 0.0
    return {
        "minutes_whole": whole_minutes(ctx, yesterday) if recorded else None,
        "night_late": max(0.0, late.total_seconds() / 60.0) if is_due else 0.0,
        "beliefs_age": age_ms / HOUR_MS if committed and (recorded or status) else None,
        "inbox_hot": _lag(ctx, {m: tuple(HOT.get(m, ())) for m in Module}) if status else None,
        "inbox_slow": _lag(ctx, {m: tuple(SLOW.get(m, ())) for m in Module}),
        "wire_to_score": _p99_us(status),
        "expert_latency": slowest_expert_ns(ctx.sig, ctx.branch),
        "parity": parity_share(ctx, today),
        "dead_letters": max(_dead_h(ctx, module) for module in (Module.SIG, Module.DM, Module.TR)),
    }


def fresh_status(ctx: StageContext, now: datetime) -> Mapping[str, object]:
    """Return what a daemon that runs wrote about itself in the last half minute, empty where there is none."""
    status = read_status(ctx.settings.home)
    is_fresh = bool(status) and abs(now.timestamp() - float(status.get("time", 0.0))) <= SILENT_S
    return status if is_fresh and not str(status.get("state", "")).startswith("stopped") else {}


def whole_minutes(ctx: StageContext, day: str) -> float | None:
    """Return the share of a day's expected minutes that are whole, None before the day's tape was counted."""
    if not ctx.lake.exists(TAPE_COMPLETENESS.name, ctx.tape_branch, day):
        return None
    minutes = ctx.lake.read(TAPE_COMPLETENESS.name, ctx.tape_branch, day, columns=("expected_s", "covered_s"))
    expected = np.asarray(minutes["expected_s"], np.float64) > 0.0
    whole = np.asarray(minutes["covered_s"], np.float64) >= WHOLE * np.asarray(minutes["expected_s"], np.float64)
    return float(whole[expected].mean()) if expected.any() else None


def parity_share(ctx: StageContext, today: str) -> float | None:
    """Return the share of the last week's compared days on which the daemon's log is what batch says."""
    days = [next_day(today, -k) for k in range(1, PARITY_DAYS + 1)]
    commits = [c for c in commits_of_days(ctx.sig, ctx.branch, days) if c.stage == "signal_events"]
    checks = [check for c in commits for check in c.notes["checks"] if check["name"] == "live_parity"]
    compared = [bool(check["passed"]) for check in checks if not check.get("unseen", False)]
    return sum(compared) / len(compared) if compared else None


def breaches(ctx: StageContext, now: datetime) -> list[MonitorAlert]:
    """Return an alarm for each promise that is broken, named by the hour of `now`."""
    hour_ms = int(now.timestamp() * 1000) // HOUR_MS * HOUR_MS
    return [
        MonitorAlert(
            branch=ctx.branch,
            time_ms=hour_ms,
            kind="sla",
            subject=promise.name,
            found=f"{found:.6g} {promise.unit}",
            expected=promise.words,
            severity=ERROR,
        )
        for promise, found in broken(shipped_promises(), facts_of(ctx, now))
    ]


def due(ctx: StageContext, now: datetime) -> list[MonitorAlert]:
    """Return the alarms that nobody was told of: broken promises of this hour, and of the queue those of a day."""
    new = [alert for alert in breaches(ctx, now) if not was_claimed(ctx.sig, ctx.branch, alert_key(alert))]
    return [*new, *map(_of_queue, untold_alerts(ctx.sig, ctx.branch))]


def _of_queue(row: QueuedAlert) -> MonitorAlert:
    severity: Severity = "error" if row.severity == "error" else "warn"
    return MonitorAlert(
        branch=row.branch,
        time_ms=row.time_ms,
        kind=row.kind,
        subject=row.subject,
        found=row.found,
        expected=row.expected,
        severity=severity,
        act_id=row.act_id,
    )


def _lag(ctx: StageContext, intents: Mapping[Module, tuple[str, ...]]) -> float:
    """Return the p99 lag of the inbox in which it is longest, s."""
    waits = [0.0]
    for module, names in intents.items():
        if names:
            with ctx.databases.connect(module.value) as connection:
                waits.append(inbox_lag_s(connection, module.value, ctx.branch, names, LAG_WINDOW_S))
    return max(waits)


def _dead_h(ctx: StageContext, module: Module) -> float:
    with ctx.databases.connect(module.value) as connection:
        return oldest_dead_h(connection, module.value)


def _p99_us(status: Mapping[str, object]) -> float | None:
    latency = status.get("latency_us")
    p99 = latency.get("0.99") if isinstance(latency, Mapping) else None
    return float(p99) if isinstance(p99, int | float) else None


@dg.op(description="Send every alarm that nobody was told of to the queue, and to the command of [alerts].")
def tell_alarms(context: dg.OpExecutionContext, lotus: dg.ResourceParam[Lotus]) -> None:
    """Look again, since a run begins later than it was asked for, and tell what is still new."""
    with stage_context(lotus) as ctx:
        told_now = tell(ctx.sig, ctx.settings, due(ctx, datetime.now(UTC)))
    for alert in told_now:
        context.log.warning("%s %s: found %s; expected %s", alert.kind, alert.subject, alert.found, alert.expected)


@dg.job(name="alarms", executor_def=dg.in_process_executor)
def telling() -> None:
    """Tell the alarms that are due."""
    tell_alarms()


@dg.schedule(
    name="sla_watch",
    job=telling,
    cron_schedule="*/5 * * * *",
    execution_timezone="UTC",
    description="Look at the promises of the deployment; a run begins when one is broken, or an alarm waits.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def sla_watch(context: dg.ScheduleEvaluationContext, lotus: dg.ResourceParam[Lotus]) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run where there is something to tell; the same alarms are asked for once."""
    with stage_context(lotus) as ctx:
        alerts = due(ctx, datetime.now(UTC))
    if not alerts:
        return dg.SkipReason("every promise is kept, and every alarm was told")
    return dg.RunRequest(run_key=f"alarms {natural_id(*sorted(alert_key(alert) for alert in alerts))}")


@dg.run_failure_sensor(
    name="failed_runs",
    description="Tell of a run that failed: to the queue of curation, and to the command of [alerts].",
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failed_runs(context: dg.RunFailureSensorContext, lotus: dg.ResourceParam[Lotus]) -> None:
    """Tell of a failed run, once an hour for each job, in the words of the step that failed."""
    run = context.dagster_run
    record = context.instance.get_run_record_by_id(run.run_id)
    ended_s = (record and (record.end_time or record.update_timestamp.timestamp())) or 0.0
    alert = MonitorAlert(
        branch=lotus.settings.branch,
        time_ms=int(ended_s * 1000) // HOUR_MS * HOUR_MS,
        kind="run_failed",
        subject=shown(run.job_name, WORD),
        found=shown(failure_words(context.get_step_failure_events()) or context.failure_event.message or ""),
        expected="a run that succeeds",
        severity=ERROR,
    )
    with stage_context(lotus) as ctx:
        tell(ctx.sig, ctx.settings, [alert])
