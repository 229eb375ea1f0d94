"""What breaks a promise, that it is told once an hour, and that alarms of the queue are told too."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from lotus.modules.intents import Module
from lotus.modules.messages.monitoring import MonitorAlert, alert_key
from lotus_assets.promises.sla_watch import breaches, due, facts_of, failed_runs, sla_watch, tell_alarms
from lotus_assets.stages.context import StageContext
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.sig.monitored import tell_monitor
from lotus_resources.lotus_resource import Lotus
from lotus_resources.outward import tell
from lotus_store.ledger.day_commits import DayCommit, commit_day
from lotus_store.postgres.queries import query

DAY = "2026-01-06"


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the day after the tape's second day."""
    return datetime(2026, 1, 7, hour, minute, tzinfo=UTC)


def commit(ctx: StageContext, day: str, stage: str, checks: list[dict[str, object]] | None = None) -> None:
    """Record a stage of a day."""
    commit_day(ctx.sig, DayCommit(ctx.branch, day, stage, "x", 1, "y", {"notes": {}, "checks": checks or []}))


def test_a_home_in_which_nothing_happened_breaks_nothing(ctx: StageContext) -> None:
    assert breaches(ctx, at(12)) == []


def test_a_late_night_and_a_day_that_differs_are_told_once_an_hour(ctx: StageContext, days: list[str]) -> None:
    commit(ctx, days[0], "active_priors")
    assert facts_of(ctx, at(1, 59))["night_late"] == 0.0
    assert facts_of(ctx, at(3))["night_late"] == 60.0
    parity = [{"name": "live_parity", "passed": False, "text": "", "numbers": {}}]
    commit(ctx, days[1], "signal_events", parity)
    found = due(ctx, at(3))
    assert {alert.subject for alert in found} == {"night_late", "parity"}
    assert len(tell(ctx.sig, ctx.settings, found)) == 2
    assert due(ctx, at(3, 55)) == []
    assert len(due(ctx, at(4))) == 2
    commit(ctx, days[1], "active_priors")
    assert {alert.subject for alert in due(ctx, at(4))} == {"parity"}
    next_morning = {alert.subject for alert in due(ctx, at(4) + timedelta(hours=30))}
    assert next_morning == {"beliefs_age", "night_late", "parity"}, "the tape has a third day"


def test_the_lag_of_an_inbox_is_the_p99_of_what_waits_and_of_what_was_taken_lately(ctx: StageContext) -> None:
    """A hundred messages taken after 0.1 s and one after 50 s: the one in a hundred is beyond the p99."""
    put = (
        "INSERT INTO sig_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope, "
        "received_at, consumed_at, outcome) SELECT %(name)s || g, 'tr', %(name)s || g, 't', %(branch)s, %(intent)s, 1, "
        "'{}', now() - make_interval(secs => %(age)s), CASE WHEN %(age)s >= %(lag)s AND %(lag)s >= 0 THEN "
        "now() - make_interval(secs => %(age)s - %(lag)s) END, CASE WHEN %(lag)s >= 0 THEN 'applied' END "
        "FROM generate_series(1, %(rows)s) g"
    )

    def messages(name: str, rows: int, age: float, lag: float) -> None:
        values = {"name": name, "branch": ctx.branch, "intent": str(next(iter(SLOW[Module.SIG]))), "age": age}
        ctx.sig.execute(put, values | {"lag": lag, "rows": rows})

    def lag() -> float:
        found = facts_of(ctx, datetime.now(UTC))["inbox_slow"]
        assert found is not None
        return found

    assert lag() == 0.0
    messages("quick", 199, 60.0, 0.1)
    messages("slow", 1, 60.0, 50.0)
    assert lag() == pytest.approx(0.1, abs=0.01)
    messages("old", 50, 4000.0, 3000.0)
    assert lag() == pytest.approx(0.1, abs=0.01), "taken longer ago than five minutes"
    messages("waiting", 3, 400.0, -1.0)
    assert lag() == pytest.approx(400.0, abs=30.0), "what waits counts, however long ago it came"
    assert "inbox_slow" in {alert.subject for alert in breaches(ctx, datetime.now(UTC))}


def test_the_slowest_expert_of_the_newest_measurement_has_a_quota(ctx: StageContext) -> None:
    now = datetime.now(UTC)
    assert facts_of(ctx, now)["expert_latency"] is None
    for day, expert, p95 in (("2026-01-05", "a", 9000.0), ("2026-01-12", "a", 150.0), ("2026-01-12", "b", 1999.0)):
        row = [ctx.branch, day, expert, "s", 1, 1.0, 1.0, 1.0, p95, 31]
        ctx.sig.execute(query("sig", "put_expert_cost"), row)
    assert facts_of(ctx, now)["expert_latency"] == 1999.0
    ctx.sig.execute("UPDATE dsi_expert_costs SET latency_p95_ns = 2001")
    assert "expert_latency" in {alert.subject for alert in breaches(ctx, now)}


def test_an_alarm_of_the_queue_is_told_and_then_rests(ctx: StageContext, lotus: Lotus) -> None:
    alert = MonitorAlert(
        branch=ctx.branch, time_ms=1, kind="drift_data", subject="BTC spread_bps", found="2", expected="1"
    )
    keys = Keys(ctx.settings.keys_root)
    tell_monitor(ctx.sig, alert, keys)
    carry(ctx.databases, ctx.branch, senders=(Module.SIG,))
    consume(ctx.databases, Module.SIG, SLOW[Module.SIG], keys, 0, ctx.branch)
    assert due(ctx, at(1)) == [alert]
    with dg.build_op_context(resources={"lotus": lotus}) as context:
        tell_alarms(context)
    assert due(ctx, at(1)) == []
    with dg.build_schedule_context(resources={"lotus": lotus}) as scheduled:
        assert isinstance(sla_watch.evaluate_tick(scheduled).skip_message, str)


@pytest.mark.process("a Dagster run that fails")
def test_a_run_that_failed_is_told_whatever_its_error_says(lotus: Lotus, ctx: StageContext) -> None:
    @dg.op
    def breaks() -> None:
        raise ValueError("\x00'; DROP TABLE braids; -- \ud800" + "x" * 9_000)

    @dg.job
    def broken_job() -> None:
        breaks()

    with dg.DagsterInstance.ephemeral() as instance:
        result = broken_job.execute_in_process(instance=instance, raise_on_error=False)
        for _ in range(2):
            context = dg.build_run_status_sensor_context(
                sensor_name="failed_runs", dagster_event=result.get_run_failure_event(), dagster_instance=instance,
                dagster_run=result.dagster_run, resources={"lotus": lotus},
            ).for_run_failure()  # fmt: skip
            failed_runs(context)
    rows = ctx.sig.execute("SELECT dedupe_key FROM sig_outbox WHERE intent = 'WATCHDOG_ALERT'").fetchall()
    assert len(rows) == 1


def test_a_run_that_a_check_stopped_is_told_with_the_check(
    lotus: Lotus, ctx: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "microtape_frames[2026-01-06] check no_look_ahead: microtape_frames cut at input row 7: imb_5 differs"

    @dg.op
    def stopped() -> None:
        raise dg.Failure(words, allow_retries=False)

    @dg.job
    def nightly() -> None:
        stopped()

    heard: list[MonitorAlert] = []
    monkeypatch.setattr("lotus_assets.promises.sla_watch.tell", lambda sig, settings, alerts: heard.extend(alerts))
    with dg.DagsterInstance.ephemeral() as instance:
        result = nightly.execute_in_process(instance=instance, raise_on_error=False)
        failed_runs(
            dg.build_run_status_sensor_context(
                sensor_name="failed_runs", dagster_event=result.get_run_failure_event(), dagster_instance=instance,
                dagster_run=result.dagster_run, resources={"lotus": lotus},
            ).for_run_failure()
        )  # fmt: skip
    assert [(alert.subject, alert.found) for alert in heard] == [("nightly", words)]


def test_an_alarm_is_named_by_all_that_it_says() -> None:
    assert len(alert_key(MonitorAlert(branch="m", time_ms=0, kind="k", subject="s", found="", expected=""))) == 32
