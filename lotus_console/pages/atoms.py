"""Atoms: where a detector wins and loses, over the bins of any two features; a cell leads to its windows."""

import math
from collections.abc import Mapping
from typing import Any

from psycopg import sql

from lotus.errors import ConfigError
from lotus.priors.vocabulary import FEATURE_NAMES, FEATURES
from lotus.timebase import day_start_ms
from lotus_console.pictures import shade
from lotus_console.reading import HomeReading, named
from lotus_console.views import Facts, PageView
from lotus_store.facts.heat import HeatCell, heat_of, label_of
from lotus_store.facts.words import clock

DAYS = (7, 14, 30, 90)
FIRST, SECOND, NEWEST = "depth_slope", "oi", 14
SHOWN = 50


def atoms_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the cells of two features; raises `ConfigError` for others than those of the vocabulary."""
    first, second = given.get("first", FIRST), given.get("second", SECOND)
    days = _choice(given.get("days", str(NEWEST)), DAYS)
    heat = heat_of(reading.settings, given.get("detector") or None, (first, second), days)
    by_bins = {cell.bins: cell for cell in heat.cells}
    largest = max((abs(c.mean_bps) for c in heat.cells if _sure(c)), default=0.0)
    rows = [
        {"label": label_of(first, a), "cells": [_cell(by_bins.get((a, b)), largest, (a, b)) for b in _bins(second)]}
        for a in reversed(_bins(first))
    ]
    listed = [
        {"first": label_of(first, c.bins[0]), "second": label_of(second, c.bins[1]), "n": c.n, "blocks": c.blocks,
         "mean_bps": c.mean_bps, "low_bps": c.mean_bps - c.half_bps, "high_bps": c.mean_bps + c.half_bps}
        for c in sorted(heat.cells, key=lambda c: -c.mean_bps)
    ]  # fmt: skip
    return {
        "title": _title(heat.detector_id, heat.cells, first, second),
        "detector": heat.detector_id, "detectors": heat.detectors, "first": first, "second": second,
        "features": FEATURE_NAMES, "units": {f.name: f.unit for f in FEATURES}, "days": days, "choices": DAYS,
        "from": heat.days[0], "to": heat.days[-1], "columns": [label_of(second, b) for b in _bins(second)],
        "rows": rows, "listed": listed, "number": len(heat.days),
    }  # fmt: skip


def _sure(cell: HeatCell) -> bool:
    """Tell whether a cell's interval leaves zero out."""
    return math.isfinite(cell.half_bps) and abs(cell.mean_bps) > cell.half_bps


def _title(detector: str, cells: tuple[HeatCell, ...], first: str, second: str) -> str:
    sure = [c for c in cells if _sure(c)]
    name = detector.replace("_", " ").capitalize()
    if not sure:
        return f"{name} pays alike wherever {first} and {second} are"
    best = max(sure, key=lambda c: abs(c.mean_bps))
    more = "most" if best.mean_bps > 0.0 else "least"
    where = f"{first} = {label_of(first, best.bins[0])} and {second} = {label_of(second, best.bins[1])}"
    return f"{name} pays {more} where {where}: {best.mean_bps:+.1f} bps"


def _cell(cell: HeatCell | None, largest: float, bins: tuple[int, int]) -> dict[str, Any]:
    if cell is None:
        return {"n": 0, "mean_bps": None, "half_bps": None, "shade": "none", "bins": bins}
    colour = shade(cell.mean_bps, largest) if _sure(cell) else "mid"
    return {"n": cell.n, "mean_bps": cell.mean_bps, "half_bps": cell.half_bps, "shade": colour, "bins": bins}


def _bins(feature: str) -> list[int]:
    return list(range(FEATURES[FEATURE_NAMES.index(feature)].bins))


def _choice(text: str, choices: tuple[int, ...]) -> int:
    found = next((x for x in choices if str(x) == text), None)
    if found is None:
        raise ConfigError(f"found {text[:20]!r}", f"one of {', '.join(map(str, choices))}")
    return found


ATOMS = PageView(
    "/atoms", "Atoms", "Where does a detector win and lose?", atoms_facts, "atoms.html",
    accepts=("detector", "first", "second", "days"),
)  # fmt: skip


def cell_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the newest published windows of one cell; raises `ConfigError` for features or bins that are none."""
    first, second = given.get("first", ""), given.get("second", "")
    for name in (first, second):
        if name not in FEATURE_NAMES:
            raise ConfigError(f"feature {name[:40]!r}", f"one of {', '.join(FEATURE_NAMES)}")
    a = _choice(given.get("a", ""), tuple(_bins(first)))
    b = _choice(given.get("b", ""), tuple(_bins(second)))
    there = reading.lake.days("payoff_scores", reading.settings.branch)
    newest = there[-_choice(given.get("days", str(NEWEST)), DAYS) :]
    text = sql.SQL(named("sig", "windows_of_cell").decode()).format(
        first=sql.Identifier(f"b_{first}"), second=sql.Identifier(f"b_{second}")
    )
    detector = given.get("detector", "")
    wanted = {"detector_id": detector, "a": a, "b": b, "since": day_start_ms(newest[0]) if newest else 0, "most": SHOWN}
    rows = reading.composed("sig", text, wanted)
    shown = [row | {"when": clock(int(row["window_end_ms"]))[:19].replace("T", " ")} for row in rows]
    where = f"{first} = {label_of(first, a)} and {second} = {label_of(second, b)}"
    return {
        "title": f"{len(rows)}{' newest' if len(rows) == SHOWN else ''} published windows where {where}",
        "detector": detector, "first": first, "second": second, "rows": shown,
    }  # fmt: skip


CELL = PageView(
    "/atoms/windows", "Windows of a cell", "Which windows are in this cell?", cell_facts, "atoms_cell.html",
    accepts=("detector", "first", "second", "a", "b", "days"),
)  # fmt: skip
