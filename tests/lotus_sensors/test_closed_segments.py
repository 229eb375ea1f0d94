"""Closed segments: what is due follows from state, and one state asks once."""

import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG, SENSOR_NAME_TAG

from lotus_assets.jobs import apply_inbox
from lotus_resources.lotus_resource import Lotus
from lotus_resources.span import DaySpan
from lotus_sensors.asking import RETRY_S
from lotus_sensors.closed_segments import (
    CHANNEL,
    LAST,
    LOOK_BACK_S,
    NAME,
    closed_segments,
    due_days,
    run_key,
    segment_counts,
    to_repeat,
)
from lotus_sensors.new_inbox import new_inbox
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals.segments import Segment, put_segment

from .ticks import close_segment

pytestmark = pytest.mark.clock("sensors wait for notifications")


@pytest.fixture
def lotus(settings: Settings) -> Iterator[Lotus]:
    """The open home."""
    opened = Lotus.open(settings)
    yield opened
    opened.close()


def test_due_days_compare_states() -> None:
    counts = {"2026-01-06": 2, "2026-01-05": 1}
    assert list(due_days(counts, None)) == ["2026-01-05", "2026-01-06"]
    assert due_days(counts, json.dumps({"2026-01-05": 1})) == {"2026-01-06": 2}
    assert due_days(counts, json.dumps(counts)) == {}
    assert due_days({"2026-01-05": 2}, json.dumps({"2026-01-05": 1, "2026-01-06": 9})) == {"2026-01-05": 2}


def test_open_segments_do_not_count(lotus: Lotus) -> None:
    close_segment(lotus, "2026-01-05", "080000-0000")
    assert segment_counts(lotus.tape.folder) == {"2026-01-05": 1}
    assert segment_counts(Path("nowhere")) == {}


def test_a_closed_segment_asks_once_and_again_when_the_day_grows(lotus: Lotus) -> None:
    close_segment(lotus, "2026-01-05", "080000-0000")
    first = _tick(lotus, None)
    assert [(r.partition_key, r.run_key) for r in first.run_requests or []] == [("2026-01-05", "live|2026-01-05|1")]
    close_segment(lotus, "2026-01-05", "081500-0001")
    second = _tick(lotus, first.cursor)
    assert [r.run_key for r in second.run_requests or []] == ["live|2026-01-05|2"]


def test_a_day_that_is_made_of_these_segments_is_not_asked_for(lotus: Lotus) -> None:
    day, other = "2026-01-05", "2026-01-06"
    close_segment(lotus, day, "080000-0000")
    close_segment(lotus, other, "080000-0000")
    with lotus.databases.connect("sig") as sig, dg.DagsterInstance.ephemeral() as instance:
        for name in LAST:
            instance.report_runless_asset_event(dg.AssetMaterialization(name, partition=day))
        assert [r.partition_key for r in _tick(lotus, None, instance).run_requests or []] == [day, other], "not listed"
        put_segment(sig, Segment("live", "x", day, "", 1, 1, 0, 0))
        sig.commit()
        first = _tick(lotus, None, instance)
        assert [r.partition_key for r in first.run_requests or []] == [other]
        close_segment(lotus, day, "081500-0001")
        assert [r.partition_key for r in _tick(lotus, first.cursor, instance).run_requests or []] == [day]


def test_days_outside_of_the_pages_wait_until_they_are_shown(lotus: Lotus, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in ("2026-01-05", "2026-01-06", "2026-01-09"):
        close_segment(lotus, day, "080000-0000")
    for name, value in DaySpan("2026-01-06", "2026-01-08").environment.items():
        monkeypatch.setenv(name, value)
    first = _tick(lotus, None)
    assert [r.partition_key for r in first.run_requests or []] == ["2026-01-06"]
    monkeypatch.setenv("LOTUS_LAST_DAY", "")
    monkeypatch.setenv("LOTUS_FIRST_DAY", "2026-01-05")
    later = _tick(lotus, first.cursor)
    assert [r.partition_key for r in later.run_requests or []] == ["2026-01-05", "2026-01-09"]


def test_nothing_waits_in_an_empty_inbox(lotus: Lotus) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(
            instance=instance, resources={"lotus": lotus}, definitions=_definitions(lotus)
        )
        data = new_inbox.evaluate_tick(context)
    assert not data.run_requests
    assert "no message waits" in (data.skip_message or "")


def test_a_listed_segment_names_its_tape_and_day(databases: Databases) -> None:
    segment = Segment("live", "2026-01-05/080000-0000.zst", "2026-01-05", "0" * 64, 1, 1, 1, 1)
    with databases.connect("sig", autocommit=True) as connection, databases.connect("sig") as writer:
        connection.execute("LISTEN lotus_tape")
        for one in (segment, replace(segment, path="2026-01-05/081500-0001.zst"), segment):
            put_segment(writer, one)
            writer.commit()
        heard = [(n.channel, n.payload) for n in connection.notifies(timeout=1.0)]
    assert heard == [(CHANNEL, "live/2026-01-05")] * 2


def _definitions(lotus: Lotus) -> dg.Definitions:
    return dg.Definitions(
        assets=[_tape_asset()],
        sensors=[closed_segments, new_inbox],
        jobs=[apply_inbox],
        resources={"lotus": dg.ResourceDefinition.hardcoded_resource(lotus)},
    )


def _tape_asset() -> dg.AssetsDefinition:
    @dg.asset(group_name="tape", partitions_def=dg.DailyPartitionsDefinition("2026-01-01", end_offset=1))
    def raw_tape() -> None:
        """Stand-in for the group that the sensor selects."""

    return raw_tape


def _tick(lotus: Lotus, cursor: str | None, known: dg.DagsterInstance | None = None) -> dg.SensorResult:
    with nullcontext(known) if known else dg.DagsterInstance.ephemeral() as instance:
        definitions = _definitions(lotus)
        context = dg.build_sensor_context(
            instance=instance, cursor=cursor, definitions=definitions, resources={"lotus": lotus}
        )
        data = closed_segments.evaluate_tick(context)
    return dg.SensorResult(run_requests=data.run_requests, cursor=data.cursor)


def test_a_day_whose_run_failed_is_asked_for_again_under_keys_that_count(
    persistent: dg.DagsterInstance,
) -> None:
    day, count = "2026-01-05", {"2026-01-05": 2}

    def fail(key: str) -> None:
        tags = {SENSOR_NAME_TAG: NAME, RUN_KEY_TAG: key}
        persistent.report_run_failed(persistent.create_run_for_job(_nothing, tags=tags))

    def repeated(wait_s: float = RETRY_S + 1.0) -> dict[str, str]:
        return to_repeat(persistent, "live", count, time.time() + wait_s)

    fail(run_key("live", day, 1))
    assert repeated() == {}, "the day has grown since: its new state was asked for"
    fail(run_key("live", day, 2))
    assert repeated(0.0) == {}, "it rests"
    assert repeated() == {"live|2026-01-05|2|1": day}
    fail("live|2026-01-05|2|1")
    assert repeated() == {"live|2026-01-05|2|2": day}
    fail("live|2026-01-05|2|2")
    assert repeated() == {}, "three attempts at one state"
    assert repeated(LOOK_BACK_S + 1.0) == {}


def test_a_tick_repeats_a_failed_day_once_it_has_rested(
    lotus: Lotus, persistent: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_segment(lotus, "2026-01-05", "080000-0000")
    tags = {SENSOR_NAME_TAG: NAME, RUN_KEY_TAG: run_key("live", "2026-01-05", 1)}
    persistent.report_run_failed(persistent.create_run_for_job(_nothing, tags=tags))
    monkeypatch.setattr("lotus_sensors.closed_segments.TICK_S", 0.0)
    cursor = json.dumps({"2026-01-05": 1})
    assert not _tick(lotus, cursor, persistent).run_requests
    monkeypatch.setattr("lotus_sensors.closed_segments.RETRY_S", 0.0)
    again = _tick(lotus, cursor, persistent)
    assert [(r.partition_key, r.run_key) for r in again.run_requests or []] == [("2026-01-05", "live|2026-01-05|1|1")]
    assert again.cursor == cursor
    lost = _tick(lotus, None, persistent)
    assert [r.run_key for r in lost.run_requests or []] == ["live|2026-01-05|1"], "a key that Dagster knows"


@dg.job(name="nothing")
def _nothing() -> None:
    """Stand-in for the job of the tape's assets."""
