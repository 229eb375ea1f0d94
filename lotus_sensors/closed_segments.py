"""Sensor on closed tape segments: a day with a new segment gets a run of raw_tape to dsi_annotations.

The run key is tape, day and number of segments, so the same state asks once. The cursor is the number of segments per
day that was last asked for: it compares states and cannot skip a segment that becomes visible late.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg

from lotus_resources.lotus_resource import Lotus
from lotus_sensors.waiting import read_or_wait
from lotus_store.tape.segment import SUFFIX

CHANNEL = "lotus_tape"


def segment_counts(folder: Path) -> dict[str, int]:
    """Return the number of closed segments per day of a tape's folder (names only; nothing is read)."""
    return dict(Counter(path.parent.name for path in folder.glob(f"????-??-??/*{SUFFIX}")))


def due_days(counts: Mapping[str, int], cursor: str | None) -> dict[str, int]:
    """Return the days whose number of closed segments is not the one of the cursor, oldest first."""
    asked = json.loads(cursor) if cursor else {}
    return {day: counts[day] for day in sorted(counts) if asked.get(day) != counts[day]}


@dg.sensor(
    name="closed_segments",
    target=dg.AssetSelection.groups("tape"),
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A closed segment of tape makes its day's frames and annotations due.",
)
def closed_segments(
    context: dg.SensorEvaluationContext, lotus: dg.ResourceParam[Lotus]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the days whose tape grew."""
    tape, folder, cursor = lotus.settings.tape, lotus.tape.folder, context.cursor
    with lotus.databases.connect("sig", autocommit=True) as connection:
        due = read_or_wait(connection, CHANNEL, lambda: due_days(segment_counts(folder), cursor))
    if not due:
        yield dg.SkipReason(f"no new segment on tape {tape}")
        return
    for day, count in due.items():
        yield dg.RunRequest(run_key=f"{tape}|{day}|{count}", partition_key=day)
    asked = json.loads(cursor) if cursor else {}
    context.update_cursor(json.dumps({**asked, **due}, sort_keys=True))
