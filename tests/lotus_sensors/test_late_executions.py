"""The sensor on late executions: which days are due, when it waits, and that one state is asked for once."""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, RUN_KEY_TAG, SENSOR_NAME_TAG

from lotus.modules.intents import Intent, Module
from lotus.timebase import day_start_ms
from lotus_herald.identity import serves
from lotus_resources.lotus_resource import Lotus
from lotus_sensors import late_executions as sensor
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.day_commits import DayCommit, commit_day
from lotus_store.ledger.signals.executions import EXECUTIONS_TOLD, Execution, LateDay, late_executions, put_execution
from lotus_store.ledger.signals.live_log import Run, begin_run

DAYS = ("2026-03-04", "2026-03-05")
LONGEST_S = 3600
NOON_MS = 12 * 3_600_000


@pytest.fixture
def sig(databases: Databases) -> Iterator[Connection]:
    """A connection on which two days are committed, whose outcomes know of no execution."""
    with databases.connect("sig", autocommit=True) as connection:
        for day in DAYS:
            commit(connection, day, told=0)
            commit_day(connection, DayCommit("main", day, sensor.LAST_STAGE, "h", 1, "i", {}))
        yield connection


def commit(connection: Connection, day: str, told: int | None) -> None:
    notes: dict[str, Any] = {"notes": {} if told is None else {EXECUTIONS_TOLD: told}}
    commit_day(connection, DayCommit("main", day, "signal_eval", f"h{told}", 1, "i", notes))


def put(connection: Connection, name: str, end_ms: int, venue: str = "local") -> None:
    put_execution(connection, "main", Execution(name, "d", "BTC", end_ms, venue, "closed", 1.0, {}), "m")


def due(connection: Connection) -> list[tuple[str, str, int]]:
    return [(late.day, late.venue, late.told) for late in late_executions(connection, "main", LONGEST_S)]


def test_a_window_is_late_for_the_day_on_which_its_longest_horizon_is_over(sig: Connection) -> None:
    assert due(sig) == []
    last_ms = day_start_ms(DAYS[1]) - 1000 * LONGEST_S
    put(sig, "a", last_ms - 1)
    assert due(sig) == [(DAYS[0], "local", 1)]
    put(sig, "b", last_ms)
    assert due(sig) == [(DAYS[0], "local", 1), (DAYS[1], "local", 1)]
    commit(sig, DAYS[0], told=1)
    assert due(sig) == [(DAYS[1], "local", 1)]
    put(sig, "c", day_start_ms(DAYS[0]) + NOON_MS)
    assert [day for day, _, _ in due(sig)] == list(DAYS)


def test_the_venue_that_answered_for_most_counts_and_an_old_commit_without_the_note_is_due(sig: Connection) -> None:
    for k, venue in enumerate(("paper", "local", "local")):
        put(sig, f"e{k}", day_start_ms(DAYS[0]) + NOON_MS + k, venue)
    assert due(sig) == [(DAYS[0], "local", 2)]
    commit(sig, DAYS[0], told=2)
    assert due(sig) == []
    commit(sig, DAYS[0], told=None)
    assert due(sig) == [(DAYS[0], "local", 2)]


def test_what_was_told_long_ago_or_of_days_that_are_not_committed_is_nobodys_business(sig: Connection) -> None:
    put(sig, "future", day_start_ms("2026-03-09"))
    assert due(sig) == []


def test_it_waits_for_quiet_and_for_a_replay_that_trades(sig: Connection) -> None:
    late = [LateDay(DAYS[0], "local", 1, sensor.QUIET_S + 1)]
    assert "every execution" in sensor.reason_to_wait(sig, "main", [])
    assert sensor.reason_to_wait(sig, "main", late) == ""
    assert "still being told" in sensor.reason_to_wait(sig, "main", [LateDay(DAYS[0], "local", 1, 0.5)])
    for run_id, replayed in (("trade-main-2026-03-04", True), ("main.live", False)):
        begin_run(sig, Run(run_id, "main", "t", replayed))
    live = serves(Module.SIG, "daemon main.live", {Intent.EXEC_REPORT})
    live.register(sig)
    assert sensor.reason_to_wait(sig, "main", late) == "", "a daemon at the venue never ends"
    replay = serves(Module.SIG, "daemon trade-main-2026-03-04", {Intent.EXEC_REPORT})
    replay.register(sig)
    assert sensor.reason_to_wait(sig, "main", late) == "trade-main-2026-03-04 still trades"
    assert sensor.reason_to_wait(sig, "other", late) == ""
    replay.end(sig)
    assert sensor.reason_to_wait(sig, "main", late) == ""


def test_one_state_is_asked_for_once_and_again_after_failures(persistent: dg.DagsterInstance) -> None:
    state, now_s = "main: 2026-03-04 1", time.time()

    def made(status: dg.DagsterRunStatus) -> None:
        with_tags = {SENSOR_NAME_TAG: sensor.NAME, sensor.STATE_TAG: state}
        persistent.create_run_for_job(nothing, tags=with_tags, status=status)

    assert sensor.attempt(persistent, state, now_s) == 0
    made(dg.DagsterRunStatus.FAILURE)
    assert sensor.attempt(persistent, state, now_s + sensor.RETRY_S + 60) == 1
    made(dg.DagsterRunStatus.SUCCESS)
    assert sensor.attempt(persistent, state, now_s + sensor.RETRY_S + 60) is None
    assert sensor.attempt(persistent, "main: 2026-03-04 2", now_s) == 0


def test_a_tick_asks_for_the_days_from_the_late_one_to_the_last(
    settings: Settings, sig: Connection, persistent: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor, "QUIET_S", 0.0)
    lotus = Lotus.open(settings)
    try:
        context = dg.build_sensor_context(instance=persistent, resources={"lotus": lotus})
        assert isinstance(sensor.late_executions_sensor(context), dg.SkipReason)
        put(sig, "a", day_start_ms(DAYS[0]) + NOON_MS)
        asked = sensor.late_executions_sensor(context)
        assert isinstance(asked, dg.RunRequest)
        assert asked.run_key == "main: 2026-03-04 1 | 0"
        assert asked.tags[ASSET_PARTITION_RANGE_END_TAG] == DAYS[1]
        tags = {**asked.tags, SENSOR_NAME_TAG: sensor.NAME, RUN_KEY_TAG: str(asked.run_key)}
        persistent.create_run_for_job(nothing, tags=tags, status=dg.DagsterRunStatus.STARTED)
        assert isinstance(sensor.late_executions_sensor(context), dg.SkipReason)
    finally:
        lotus.close()


@dg.job
def nothing() -> None:
    """Stand for the night."""
