"""`lotus_console/pages/atoms.py`: cells are weighted means with intervals over blocks, and lead to their windows."""

import math

import numpy as np
import pytest
from sown import DAY, columns_of, put_window

from lotus.errors import ConfigError, LakeError
from lotus.learning.axes import axes
from lotus.learning.cube import LESSON_ATOMS
from lotus_console.pages.atoms import atoms_facts, cell_facts
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection
from lotus_store.lake import Lake
from tests.support.asgi_client import AsgiClient

PAIR = int(np.flatnonzero((axes().subsets == [-1, 3, 5]).all(axis=1))[0])  # depth_slope, oi
ROWS = [  # block, bin of depth_slope, bin of oi, r, h, n
    (0, 0, 1, 30.0, 10.0, 7), (1, 0, 1, 10.0, 10.0, 3), (2, 0, 1, 20.0, 10.0, 5), (0, 4, 2, -50.0, 10.0, 9),
]  # fmt: skip


def sow(reading: HomeReading, day: str = DAY, detector: str = "micro_drift") -> None:
    block, first, second, r, h, n = map(list, zip(*ROWS, strict=True))
    cell = [5 * a + b for a, b in zip(first, second, strict=True)]
    part = columns_of(LESSON_ATOMS, len(ROWS), detector_id=detector, day=day, triple=PAIR, block=block, cell=cell,
                      r=r, h=h, n=n)  # fmt: skip
    Lake(reading.settings.lake_root).write(LESSON_ATOMS, "main", day, part)


def test_a_cell_is_the_weighted_mean_with_an_interval_over_blocks(reading: HomeReading) -> None:
    sow(reading)
    facts = atoms_facts(reading, {})
    best, worst = facts["listed"]
    assert (best["first"], best["second"], best["n"], best["blocks"]) == ("0", "1", 15, 3)
    assert best["mean_bps"] == pytest.approx(2.0)
    half = 1.96 * math.sqrt((10.0**2 + 10.0**2) * 3 / 2) / 30.0
    assert best["high_bps"] - best["mean_bps"] == pytest.approx(half)
    assert worst["mean_bps"] == pytest.approx(-5.0)
    assert math.isnan(worst["low_bps"]), "one block has no scatter"
    assert facts["title"] == "Micro drift pays most where depth_slope = 0 and oi = 1: +2.0 bps"
    swapped = atoms_facts(reading, {"first": "oi", "second": "depth_slope"})["listed"][0]
    assert (swapped["first"], swapped["second"], swapped["mean_bps"]) == ("1", "0", best["mean_bps"])
    grid = {cell["bins"]: cell["n"] for row in facts["rows"] for cell in row["cells"]}
    assert (len(grid), grid[0, 1], grid[4, 2], grid[3, 3]) == (25, 15, 9, 0)


def test_days_that_are_looked_back_on_are_counted(reading: HomeReading, browser: AsgiClient) -> None:
    for k in range(1, 10):
        sow(reading, f"2026-01-0{k}")
    assert (atoms_facts(reading, {"days": "7"})["number"], atoms_facts(reading, {"days": "14"})["number"]) == (7, 9)
    without = browser.get("/atoms?first=vol&second=spread")
    assert (without.status, "no lesson atoms of vol and spread" in without.text) == (400, True)
    assert browser.get("/atoms?days=8").status == browser.get("/atoms?detector=x").status == 400


def test_features_and_bins_that_are_none_are_refused(reading: HomeReading, browser: AsgiClient) -> None:
    with pytest.raises(LakeError, match="backfill"):
        atoms_facts(reading, {})
    sow(reading)
    for first, second in (("vol", "vol"), ("vol", ""), ("vol", 'spread"; DROP TABLE lessons'), ("x" * 999, "oi")):
        with pytest.raises(ConfigError):
            atoms_facts(reading, {"first": first, "second": second})
    cell = {"first": "depth_slope", "second": "oi", "detector": "micro_drift"}
    for a in ("", "5", "-1", "1e9", "٣", "0 OR 1"):
        with pytest.raises(ConfigError):
            cell_facts(reading, cell | {"a": a, "b": "0"})
    assert browser.get("/atoms/windows?first=u)&second=oi&a=0&b=0").status == 400


def test_a_cell_leads_to_its_published_windows(reading: HomeReading, sig: Connection) -> None:
    put_window(sig, 1, b_depth_slope=4, b_oi=2)
    put_window(sig, 2, b_depth_slope=4, b_oi=2)
    for k, changes in enumerate([{"b_oi": 1}, {"published": False}, {"detector_id": "basis_shock"}, {"branch": "x"}]):
        put_window(sig, 10 + k, **{"b_depth_slope": 4, "b_oi": 2} | changes)
    asked = {"first": "depth_slope", "second": "oi", "a": "4", "b": "2", "detector": "micro_drift"}
    facts = cell_facts(reading, asked)
    assert [int(row["event_id"], 16) for row in facts["rows"]] == [2, 1]
    assert facts["title"] == "2 published windows where depth_slope = 4 and oi = 2"
