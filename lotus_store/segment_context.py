"""The segment of stored windows, from their own context and the list in the tables that their day was scored under.

Segments are stored nowhere: whoever matches rules with windows asks here. What a list is, is
`lotus.detectors.daily.segment_list`.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.segment_list import STORED_COLUMNS, stored_labels
from lotus.errors import LakeError
from lotus.priors.vocabulary import NULL_BIN
from lotus.timebase import DAY_MS, day_of
from lotus_store.day_tables import tables_of_day
from lotus_store.lake import Lake

Columns = Mapping[str, NDArray[np.generic]]
_EVENTS = "signal_events"
_AT = ("asset", "window_end_ms")


def segment_bins(lake: Lake, branch: str, windows: Columns, days: NDArray[np.int64]) -> NDArray[np.uint8]:
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
        stored = lake.read(_EVENTS, branch, day, columns=(*_AT, *STORED_COLUMNS))
        coins = {name: place for place, name in enumerate(tables.assets)}
        keys, first = np.unique(_keys(stored, coins), return_index=True)
        wanted = _keys({name: np.asarray(windows[name])[own] for name in _AT}, coins)
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
