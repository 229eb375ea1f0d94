"""The groups of coins beside the bins of windows: by name for few coins, by the tables of its day for many."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import LakeError
from lotus.manifest import Asset, LearningDefaults, Manifest
from lotus.priors.asset_context import ASSET_COLUMN
from lotus.priors.vocabulary import NULL_BIN
from lotus.timebase import day_start_ms
from lotus_store.asset_context import with_asset_bins, with_groups
from lotus_store.day_tables import write_day_tables
from lotus_store.lake import Lake

MANY = tuple(Asset(f"A{k}", 2) for k in range(6))
ON = Manifest(universe=MANY, learning=LearningDefaults(asset_context=True))
SUNDAY, MONDAY = "2026-01-11", "2026-01-12"


def windows(*places: tuple[str, int]) -> dict[str, np.ndarray]:
    """Windows by coin and end."""
    names, ends = zip(*places, strict=True)
    return {"asset": np.array(names, dtype=object), "window_end_ms": np.array(ends, dtype=np.int64)}


def scored(lake: Lake, day: str, fifths: tuple[int, ...]) -> None:
    """A day whose tables hold these fifths, without an event."""
    tables = day_tables(day, [], ON, MANY, shipped_detectors())
    write_day_tables(lake, "main", replace(tables, asset_fifths=fifths))
    empty = {c.name: np.zeros(0, SIGNAL_EVENTS.numpy_dtype(c.name)) for c in SIGNAL_EVENTS.columns}
    lake.write(SIGNAL_EVENTS, "main", day, empty)


def test_few_coins_are_known_by_name_and_one_has_no_column(tmp_path: Path) -> None:
    lake, found = Lake(tmp_path), windows(("SOL", 5_000), ("BTC", 5_000), ("DOGE", 5_000))
    assert with_asset_bins(lake, "main", Manifest(), found)[ASSET_COLUMN].tolist() == [2, 0, NULL_BIN]
    assert ASSET_COLUMN not in with_asset_bins(lake, "main", Manifest(universe=MANY[:1]), found)


def test_a_window_of_many_coins_is_in_the_fifth_of_the_day_on_which_it_began(tmp_path: Path) -> None:
    lake, midnight = Lake(tmp_path), day_start_ms(MONDAY)
    scored(lake, SUNDAY, (0, 1, 2, 3, 4, NULL_BIN))
    scored(lake, MONDAY, (4, 3, 2, 1, 0, 0))
    found = windows(("A0", midnight - 5_000), ("A0", midnight), ("A0", midnight + 5_000), ("A5", midnight))
    assert with_asset_bins(lake, "main", ON, found)[ASSET_COLUMN].tolist() == [0, 0, 4, NULL_BIN]
    later = windows(("A0", midnight + 86_405_000))
    with pytest.raises(LakeError, match="no day tables"):
        with_asset_bins(lake, "main", ON, later)


def test_windows_as_mappings_get_the_same_groups_and_one_coin_has_none(tmp_path: Path) -> None:
    lake, midnight = Lake(tmp_path), day_start_ms(MONDAY)
    scored(lake, SUNDAY, (0, 1, 2, 3, 4, NULL_BIN))
    scored(lake, MONDAY, (4, 3, 2, 1, 0, 0))
    rows = [
        {"asset": name, "window_end_ms": end, "s": 1.0} for name, end in (("A0", midnight), ("A0", midnight + 5_000))
    ]
    assert [row[ASSET_COLUMN] for row in with_groups(lake, "main", ON, rows)] == [0, 4]
    assert with_groups(lake, "main", Manifest(universe=MANY[:1]), rows[:1]) == [rows[0] | {ASSET_COLUMN: NULL_BIN}]
    assert with_groups(lake, "main", ON, []) == []
