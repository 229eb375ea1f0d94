"""WindowFacts: what the market was like, an asset and hour a row, in closed slots of numbers. No names, no texts.

Assets are numbered in the order of the universe, days from the oldest: nothing that a venue names has a place here.
In the literature: summary statistics as the only view of a proposer on the data (statistical disclosure control).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError

HOUR_MS: Final = 3_600_000
MOST_ROWS: Final = 512
DIGITS: Final = 4  # significant ones of a fact
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FactSlot:
    """One number of a row: its name, unit and formula over the frames of the hour."""

    name: str
    unit: str
    formula: str


SLOTS: Final = (
    FactSlot("vol", "bps/sqrt(min)", "mean of rv_bps"),
    FactSlot("skew", "1", "skewness of ret_bps"),
    FactSlot("kurtosis", "1", "kurtosis of ret_bps less 3"),
    FactSlot("spread", "bps", "median of spread_bps"),
    FactSlot("micro_drift", "bps", "mean of micro_drift_bps"),
    FactSlot("depth", "USD", "median of depth_bid_usd + depth_ask_usd"),
    FactSlot("imbalance", "1", "mean of imb_5"),
    FactSlot("slope", "1/bps", "mean of depth_slope"),
    FactSlot("sweeps", "1", "frames with a sweep"),
    FactSlot("cancels", "1", "mean of cancel_rate"),
    FactSlot("aggressor_imbalance", "1", "mean of aggr_imb over frames with trades"),
    FactSlot("runs", "trades", "mean of |runlen_aggr|"),
)
READ: Final = (
    "end_ms", "ret_bps", "rv_bps", "spread_bps", "micro_drift_bps", "depth_bid_usd", "depth_ask_usd", "imb_5",
    "depth_slope", "sweep", "cancel_rate", "aggr_imb", "runlen_aggr",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HourFacts:
    """One row: asset and day from 1, hour 0 to 23 (UTC), `frames` that it rests on, a value a slot (NaN: not known)."""

    asset: int
    day: int
    hour: int
    frames: int
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise `ConfigError` for anything but numbers in their ranges."""
        whole = (self.asset, self.day, self.hour, self.frames)
        if not all(type(n) is int for n in whole) or not (self.asset > 0 < self.day and 0 <= self.hour < 24):
            raise ConfigError(
                f"facts of asset {whole[0]!r}, day {whole[1]!r}, hour {whole[2]!r}", "numbers from 1, 1, 0"
            )
        if len(self.values) != len(SLOTS) or not all(type(x) is float for x in self.values):
            raise ConfigError(f"{len(self.values)} facts of an hour", f"{len(SLOTS)} floats, one a slot")


def facts_of_frames(asset: int, day: int, frames: Mapping[str, NDArray[Any]]) -> tuple[HourFacts, ...]:
    """Return the rows of one asset and day, an hour each, of frames in order with the columns `READ`.

    Null values are left out; an hour without frames has no row.
    """
    hour = frames["end_ms"] // HOUR_MS % 24
    columns = {name: frames[name].astype(np.float64) for name in READ if name != "end_ms"}
    rows = []
    for h in np.unique(hour):
        at = hour == h
        values = _values({name: column[at] for name, column in columns.items()})
        rows.append(HourFacts(asset, day, int(h), int(at.sum()), values))
    return tuple(rows)


def _values(c: Mapping[str, Floats]) -> tuple[float, ...]:
    ret = _finite(c["ret_bps"])
    spread, centred = ret.std() if len(ret) else 0.0, ret - ret.mean() if len(ret) else ret
    skew = float((centred**3).mean() / spread**3) if spread > 0 else math.nan
    kurtosis = float((centred**4).mean() / spread**4) - 3.0 if spread > 0 else math.nan
    out = (
        _mean(c["rv_bps"]), skew, kurtosis, _median(c["spread_bps"]), _mean(c["micro_drift_bps"]),
        _median(c["depth_bid_usd"] + c["depth_ask_usd"]), _mean(c["imb_5"]), _mean(c["depth_slope"]),
        float(np.count_nonzero(_finite(c["sweep"]))), _mean(c["cancel_rate"]), _mean(c["aggr_imb"]),
        _mean(np.abs(c["runlen_aggr"])),
    )  # fmt: skip
    return tuple(float(f"{x:.{DIGITS}g}") for x in out)


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _mean(values: Floats) -> float:
    finite = _finite(values)
    return float(finite.mean()) if len(finite) else math.nan


def _median(values: Floats) -> float:
    finite = _finite(values)
    return float(np.median(finite)) if len(finite) else math.nan
