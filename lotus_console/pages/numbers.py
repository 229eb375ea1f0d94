"""Small tables of the lake as pages read them: parts of one day, each read once for as long as it is the same file."""

import math
from functools import lru_cache
from typing import Any

from lotus.errors import LakeError
from lotus_console.reading import HomeReading
from lotus_store.lake import Lake

PARTS = 64  # remembered


def part_of_day(reading: HomeReading, table: str, branch: str, day: str) -> dict[str, Any]:
    """Return the columns of a table's day by name, none where it is not stored."""
    try:
        return _read(reading.lake, table, branch, day, reading.lake.hash_of(table, branch, day))
    except LakeError:
        return {}


@lru_cache(PARTS)
def _read(lake: Lake, table: str, branch: str, day: str, _content: str) -> dict[str, Any]:
    return {name: column.tolist() for name, column in lake.read(table, branch, day).items()}


def share_covered(reading: HomeReading, branch: str, day: str) -> float | None:
    """Return the covered share of a day's expected seconds of all assets, None where none was expected."""
    minutes = part_of_day(reading, "tape_completeness", branch, day)
    expected = sum(minutes.get("expected_s", ()))
    covered = sum(map(min, minutes.get("covered_s", ()), minutes.get("expected_s", ())))  # unexpected seconds add none
    return covered / expected if expected else None


def percent(share: float) -> str:
    """Return a share as percent, never rounded up to the whole.

    >>> percent(1.0), percent(0.99999), percent(0.5)
    ('100 %', '99.99 %', '50.00 %')
    """
    return "100 %" if share >= 1.0 else f"{math.floor(10_000 * share) / 100:.2f} %"
