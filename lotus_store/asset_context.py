"""What stands in the thirteenth place of a window's context: the group of its coin, or its segment.

Of coins only a universe of more than five reads tables; what groups are is `lotus.detectors.daily.asset_groups`, what
segments are `lotus.detectors.daily.segment_list`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.asset_groups import groups_by_name
from lotus.detectors.daily.segment_list import STORED_COLUMNS, stored_labels
from lotus.errors import LakeError
from lotus.manifest import Manifest
from lotus.priors.asset_context import ASSET_COLUMN, MAX_OWN_GROUPS, asset_bins
from lotus.priors.segment_context import SEGMENT_COLUMN, has_segments
from lotus.priors.vocabulary import NULL_BIN
from lotus.timebase import DAY_MS, day_of
from lotus_store.day_tables import tables_of_day
from lotus_store.lake import Lake

Columns = Mapping[str, NDArray[np.generic]]
_EVENTS = "signal_events"
AT_COLUMNS = ("asset", "window_end_ms")  # what names a window's coin and day


def with_asset_bins(lake: Lake, branch: str, manifest: Manifest, windows: Columns) -> dict[str, NDArray[np.generic]]:
    """Return the columns of windows, `AT_COLUMNS` among them, and the bins of their coins where there are several.

    Of segments, where those are context. Raises `LakeError` when the tables of a day of a large universe, or the events
    of a day with segments, are not there.
    """
    if has_segments(manifest):
        return {**windows, SEGMENT_COLUMN: _segment_bins(lake, branch, windows, _days(manifest, windows))}
    names, count = np.asarray(windows["asset"]), len(manifest.universe)
    if count < 2:
        return dict(windows)
    if count <= MAX_OWN_GROUPS:
        groups = {asset.name: place for place, asset in enumerate(manifest.universe)}
        return {**windows, ASSET_COLUMN: asset_bins(names, groups)}
    return {**windows, ASSET_COLUMN: _bins(lake, branch, names, _days(manifest, windows))}


def with_groups(
    lake: Lake, branch: str, manifest: Manifest, windows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return windows, a mapping each, with what stands in the thirteenth place under `ASSET_COLUMN`, null without.

    Raises `LakeError` when the tables of a day of a large universe are not there.
    """
    columns = {name: np.array([window[name] for window in windows], dtype=object) for name in AT_COLUMNS}
    place = SEGMENT_COLUMN if has_segments(manifest) else ASSET_COLUMN
    groups = with_asset_bins(lake, branch, manifest, columns).get(place, np.full(len(windows), NULL_BIN))
    return [{**window, ASSET_COLUMN: group} for window, group in zip(windows, groups.tolist(), strict=True)]


def _days(manifest: Manifest, windows: Columns) -> NDArray[np.int64]:
    """Return the day on which each window begins, counted since 1970."""
    starts = np.asarray(windows["window_end_ms"], dtype=np.int64) - manifest.kernel.window_ms
    return starts // DAY_MS


def _bins(lake: Lake, branch: str, names: NDArray[np.generic], days: NDArray[np.int64]) -> NDArray[np.uint8]:
    out = np.zeros(len(names), dtype=np.uint8)
    for number in np.unique(days).tolist():
        own_rows, tables = days == number, tables_of_day(lake, branch, day_of(number * DAY_MS))
        out[own_rows] = asset_bins(names[own_rows], groups_by_name(tables))
    return out


def _segment_bins(lake: Lake, branch: str, windows: Columns, days: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the segment of windows that began on `days` (counted since 1970), null where none was in force, u1 [n].

    Raises `LakeError` when a day's tables or events are not there.
    """
    out = np.full(len(days), NULL_BIN, dtype=np.uint8)
    for number in np.unique(days).tolist():
        day = day_of(number * DAY_MS)
        tables = tables_of_day(lake, branch, day)
        own = np.flatnonzero((days == number) & np.isin(windows["asset"].astype(str), tables.assets))
        if not tables.segments or not len(own):
            continue
        stored = lake.read(_EVENTS, branch, day, columns=(*AT_COLUMNS, *STORED_COLUMNS))
        coins = {name: place for place, name in enumerate(tables.assets)}
        keys, first = np.unique(_keys(stored, coins), return_index=True)
        wanted = _keys({name: np.asarray(windows[name])[own] for name in AT_COLUMNS}, coins)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        if len(keys) == 0 or np.any(keys[at] != wanted):
            raise LakeError(f"windows of {day} without an event", "every window in signal_events", "a pruned lake")
        rows = first[at]
        columns = {name: stored[name][rows] for name in STORED_COLUMNS}
        out[own] = stored_labels(tables, wanted % len(coins), columns)
    return out


def _keys(windows: Columns, coins: Mapping[str, int]) -> NDArray[np.int64]:
    place = np.fromiter((coins[str(name)] for name in windows["asset"].tolist()), np.int64, len(windows["asset"]))
    return np.asarray(windows["window_end_ms"], np.int64) * len(coins) + place
