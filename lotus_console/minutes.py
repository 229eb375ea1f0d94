"""Drawings that pages need more than once, as plain values that a template puts into SVG."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

WHOLE: Final = 0.999
MINUTE_MS: Final = 60_000


class MinuteRun(TypedDict):
    """Minutes in a row of one state: the first (of the day), how many, `whole`, `thin` or `gone`."""

    first: int
    minutes: int
    state: str


class MinuteRow(TypedDict):
    """The minutes of one asset's day, those without anything expected left out."""

    name: str
    runs: list[MinuteRun]


def minute_rows(names: Sequence[str], minutes: Mapping[str, Sequence[Any]]) -> list[MinuteRow]:
    """Return a row for each asset out of the columns of `tape_completeness`, minutes of the same state together."""
    rows: list[MinuteRow] = [{"name": name, "runs": []} for name in names]
    columns = (minutes.get(name, ()) for name in ("asset", "minute_ms", "share", "expected_s"))
    for asset, minute_ms, share, expected_s in zip(*columns, strict=True):
        if not expected_s or asset >= len(rows):
            continue
        state, first = "whole" if share >= WHOLE else "thin" if share > 0 else "gone", minute_ms // MINUTE_MS % 1440
        runs = rows[asset]["runs"]
        if runs and runs[-1]["state"] == state and runs[-1]["first"] + runs[-1]["minutes"] == first:
            runs[-1]["minutes"] += 1
        else:
            runs.append({"first": first, "minutes": 1, "state": state})
    return rows
