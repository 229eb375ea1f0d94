"""FEED_HEALTH: how whole a day's feed was, per coin and series; what the data curator compares with the days before.

Series are the float columns of a frame (share of nulls; of `MEDIANS` the median too: `mid` in units of prices, `oi` in
those of sizes), `receive_lag_ms` (99 % point of receive minus venue time of quotes) and `size_decimals` (the unit of
sizes in the tape's header). Nothing is judged here. (Literature: data profiling.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.manifest import Asset
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_MID, C_OI, FLOAT_NAMES, I_ASSET
from lotus.timebase import NS_PER_MS

Columns = Mapping[str, NDArray[np.generic]]
MID, OI, LAG, DECIMALS = "mid", "oi", "receive_lag_ms", "size_decimals"
MEDIANS: Final = {MID: C_MID, OI: C_OI}  # the unit of prices shows in the one, that of sizes in the other

FEED_HEALTH: Final = TableSpec(
    "feed_health",
    ("asset", "series"),
    (
        Column("asset", "text", "", "venue name of the perpetual"),
        Column("series", "text", "", f"column of a frame, {LAG} or {DECIMALS}"),
        Column("rows", "i8", "", "frames, or quotes", low=0),
        Column("null_share", "f8", "1", "share of them without a value", False, 0, 1),
        Column(
            "value", "f8", "see series", f"{MID}, {OI}: median; {LAG}: 99 % point, ms; {DECIMALS}: the number", True
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class FeedDay:
    """One day of the table: null shares and values by (asset, series)."""

    day: str
    nulls: Mapping[tuple[str, str], float]
    values: Mapping[tuple[str, str], float]


def feed_health(
    frames: FrameBatch, quotes: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]], units: Sequence[Asset]
) -> dict[str, NDArray[np.generic]]:
    """Return the rows of a day in key order.

    `quotes`: receive stamps (ns) and venue times (ms) of each coin's quotes; `units`: the coins as the tape's header
    has them. Coins without a frame have no rows of columns.
    """
    rows: list[tuple[str, str, int, float, float]] = []
    for a, asset in enumerate(frames.universe):
        floats = frames.floats[frames.ints[:, I_ASSET] == a]
        if len(floats):
            shares = np.isnan(floats).mean(axis=0)
            medians = {name: _median(floats[:, column]) for name, column in MEDIANS.items()}
            rows += [
                (asset.name, name, len(floats), float(share), medians.get(name, np.nan))
                for name, share in zip(FLOAT_NAMES, shares, strict=True)
            ]
        received, times = quotes.get(asset.name, (np.zeros(0, np.int64), np.zeros(0, np.int64)))
        if len(received):
            lag = float(np.quantile(received / NS_PER_MS - times, 0.99))
            rows.append((asset.name, LAG, len(received), 0.0, lag))
    rows += [(unit.name, DECIMALS, 1, 0.0, float(unit.sz_decimals)) for unit in units]
    rows.sort(key=lambda row: row[:2])
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(FEED_HEALTH.columns)
    names = FEED_HEALTH.names
    return {n: np.array(v, dtype=FEED_HEALTH.numpy_dtype(n)) for n, v in zip(names, columns, strict=True)}


def feed_day(day: str, rows: Columns) -> FeedDay:
    """Return one day of the table by (asset, series)."""
    keys = list(zip(rows["asset"].tolist(), rows["series"].tolist(), strict=True))
    values = dict(zip(keys, rows["value"].tolist(), strict=True))
    nulls = dict(zip(keys, rows["null_share"].tolist(), strict=True))
    return FeedDay(day, nulls, {key: value for key, value in values.items() if value == value})


def _median(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")
