"""`lotus_store/asset_context.py`: the segment beside the bins of stored windows, by the list of their day."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import LakeError
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.asset_context import ASSET_COLUMN
from lotus.priors.segment_context import SEGMENT_COLUMN
from lotus.priors.vocabulary import NULL_BIN
from lotus.timebase import day_start_ms
from lotus_store.asset_context import with_asset_bins, with_groups
from lotus_store.day_tables import write_day_tables
from lotus_store.lake import Lake

ON = Manifest(learning=LearningDefaults(segment_context=True))
SUNDAY, MONDAY = "2026-01-11", "2026-01-12"
MIDNIGHT = day_start_ms(MONDAY)
CALM, WILD = "vol <= 2bps/sqrt(min)", "vol > 2bps/sqrt(min)"
Windows = dict[str, np.ndarray]


def scored(lake: Lake, day: str, windows: Windows, vol: list[float], *flags: str) -> None:
    """A day of these windows and volatilities, under a list for BTC and ETH."""
    tables = day_tables(day, [], ON, ON.universe, shipped_detectors())
    write_day_tables(lake, "main", replace(tables, segments=(flags, flags, ()) if flags else ()))
    rows = {c.name: np.zeros(len(vol), SIGNAL_EVENTS.numpy_dtype(c.name)) for c in SIGNAL_EVENTS.columns}
    for name in ("event_id", "branch", "detector_id", "priors_ver", "tables_ver", "source"):
        rows[name] = np.full(len(vol), "x", object)
    lake.write(SIGNAL_EVENTS, "main", day, {**rows, **windows, "x_vol": np.array(vol), "mid2": np.ones(len(vol), int)})


def windows(*places: tuple[str, int]) -> Windows:
    """Windows by coin and end after midnight in windows."""
    names, ends = zip(*places, strict=True)
    return {"asset": np.array(names, dtype=object), "window_end_ms": MIDNIGHT + 5_000 * np.array(ends, dtype=np.int64)}


def test_a_window_has_the_label_of_the_day_on_which_it_began(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    scored(lake, SUNDAY, windows(("BTC", -1), ("BTC", 0)), [1.0, 3.0])
    scored(lake, MONDAY, windows(("BTC", 1), ("ETH", 1), ("SOL", 1), ("BTC", 2)), [1.0, 3.0, 3.0, 5.0], CALM, WILD)
    found = windows(("BTC", 2), ("BTC", 0), ("SOL", 1), ("ETH", 1), ("BTC", 1), ("BTC", 2), ("DOGE", 1))
    labels = with_asset_bins(lake, "main", ON, found)[SEGMENT_COLUMN]
    assert labels.tolist() == [1, NULL_BIN, NULL_BIN, 1, 0, 1, NULL_BIN]
    rows = [{"asset": "ETH", "window_end_ms": MIDNIGHT + 5_000, "s": 1.0}]
    assert with_groups(lake, "main", ON, rows) == [rows[0] | {ASSET_COLUMN: 1}]
    assert with_groups(lake, "main", Manifest(), rows) == [rows[0] | {ASSET_COLUMN: 1}]  # the coin's own place


def test_labels_of_earlier_days_are_the_same_under_later_lists(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    scored(lake, SUNDAY, windows(("BTC", -1), ("ETH", 0)), [1.0, 3.0], CALM, WILD)
    found = windows(("ETH", 0), ("BTC", -1))
    before = with_asset_bins(lake, "main", ON, found)[SEGMENT_COLUMN].tolist()
    scored(lake, MONDAY, windows(("BTC", 1)), [1.0], WILD, CALM)
    assert with_asset_bins(lake, "main", ON, found)[SEGMENT_COLUMN].tolist() == before == [1, 0]


def test_a_window_without_an_event_is_an_error(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    scored(lake, MONDAY, windows(("BTC", 1)), [1.0], CALM, WILD)
    with pytest.raises(LakeError, match="without an event"):
        with_asset_bins(lake, "main", ON, windows(("BTC", 2)))
    with pytest.raises(LakeError, match="no day tables"):
        with_asset_bins(lake, "main", ON, windows(("BTC", -2)))
