"""Sensor on closed tape segments: a day with a new segment gets a run of raw_tape to dsi_annotations.

The run key is tape, day and number of segments, so the same state asks once; when that run fails it is asked for again,
twice at most, under keys that count. Days that are made already, of the very segments that are there, are not asked
for: a backfill made them. The cursor is the number of segments per day that was last asked for: it compares states and
cannot skip a segment that becomes visible late, and one that is lost asks for what was asked, by the same keys, which
Dagster knows.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from lotus_resources.dagster_internals import run_key_of, tags_of_run_key, tags_of_sensor
from lotus_resources.lotus_resource import Lotus
from lotus_resources.span import span_of_environment
from lotus_sensors.asking import FAILED, RETRY_S
from lotus_sensors.waiting import TICK_S, read_or_wait
from lotus_store.databases import Connection
from lotus_store.ledger.signals.segments import read_segments
from lotus_store.tape.segment import SUFFIX

LAST = ("dsi_annotations", "sanity_table")  # what of a day's tape is made after all else
CHANNEL, NAME = "lotus_tape", "closed_segments"
ATTEMPTS = 3  # of one state of a day: what fails three times fails again until the day grows or a hand helps
LOOK_BACK_S = 86_400.0  # failures older than this are left to a hand
Key = tuple[str, str, int, int]  # tape, day, closed segments, attempts before this one


def segment_counts(folder: Path) -> dict[str, int]:
    """Return the number of closed segments per day of a tape's folder (names only; nothing is read)."""
    return dict(Counter(path.parent.name for path in folder.glob(f"????-??-??/*{SUFFIX}")))


def due_days(counts: Mapping[str, int], cursor: str | None) -> dict[str, int]:
    """Return the days whose number of closed segments is not the one of the cursor, oldest first."""
    asked = json.loads(cursor) if cursor else {}
    return {day: counts[day] for day in sorted(counts) if asked.get(day) != counts[day]}


def run_key(tape: str, day: str, count: int, before: int = 0) -> str:
    """Return the key of an attempt at a day's state."""
    return "|".join([tape, day, str(count), *([str(before)] if before else [])])


def to_repeat(instance: dg.DagsterInstance, tape: str, counts: Mapping[str, int], now_s: float) -> dict[str, str]:
    """Return key and day of what failed a while ago, is still the state of its day, and was not asked for again."""
    failed = dg.RunsFilter(
        tags=tags_of_sensor(NAME),
        statuses=list(FAILED),
        updated_after=datetime.fromtimestamp(now_s - LOOK_BACK_S, UTC),
    )
    repeats = {}
    for record in instance.get_run_records(failed):
        its_tape, day, count, before = _parts(run_key_of(record.dagster_run.tags))
        rested = (record.end_time or 0.0) <= now_s - RETRY_S
        if its_tape == tape and counts.get(day) == count and rested and before + 1 < ATTEMPTS:
            key = run_key(tape, day, count, before + 1)
            if not instance.get_runs(filters=dg.RunsFilter(tags=tags_of_run_key(key)), limit=1):
                repeats[key] = day
    return repeats


def made_days(
    instance: dg.DagsterInstance, connection: Connection, tape: str, counts: Mapping[str, int]
) -> frozenset[str]:
    """Return those of the days that Dagster knows as made, when as many segments were listed as there are now."""
    if not counts:
        return frozenset()
    made = [instance.get_materialized_partitions(dg.AssetKey(name)) for name in LAST]
    return frozenset(
        day
        for day, n in counts.items()
        if all(day in k for k in made) and len(read_segments(connection, tape, day)) == n
    )


@dg.sensor(
    name=NAME,
    target=dg.AssetSelection.groups("tape"),
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A closed segment of tape makes its day's frames and annotations due.",
)
def closed_segments(
    context: dg.SensorEvaluationContext, lotus: dg.ResourceParam[Lotus]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the days whose tape grew, and again for those whose run failed."""
    tape, folder, cursor, span = lotus.settings.tape, lotus.tape.folder, context.cursor, span_of_environment()
    asked = json.loads(cursor) if cursor else {}
    again = to_repeat(context.instance, tape, segment_counts(folder), time.time())
    with lotus.databases.reader("sig", autocommit=True) as connection:
        wait_s = 0.0 if again else TICK_S
        due = read_or_wait([connection], CHANNEL, lambda: due_days(segment_counts(folder), cursor), wait_s)
        made = made_days(context.instance, connection, tape, {day: due[day] for day in due if day not in asked})
    again = {key: day for key, day in again.items() if day not in due and day in span}
    unshown = [day for day in due if day not in span]  # `lotus up` shows them in a moment, then they are due
    context.update_cursor(json.dumps({**asked, **{day: n for day, n in due.items() if day in span}}, sort_keys=True))
    due = {day: n for day, n in due.items() if day in span and day not in made}
    if not due and not again:
        yield dg.SkipReason(f"{len(unshown)} days are not shown yet" if unshown else f"no new segment on tape {tape}")
        return
    for key, day in {**{run_key(tape, day, count): day for day, count in due.items()}, **again}.items():
        yield dg.RunRequest(run_key=key, partition_key=day)


def _parts(key: str) -> Key:
    words = [*key.split("|"), "0"]
    if len(words) < 4:
        return "", "", 0, 0
    return words[0], words[1], int(words[2]), int(words[3])
