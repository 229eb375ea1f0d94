"""WindowFacts: what the market was like, an asset and hour a row, in closed slots of numbers.

The table `window_facts` names assets as the lake does. `HourFacts`, the rows of a prompt, number them in the order of
the universe, and days from the oldest: nothing that a venue names has a place there.
In the literature: summary statistics as the only view of a proposer on the data (statistical disclosure control).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.errors import ConfigError
from lotus.experts.annotation_spec import EXPERTS
from lotus.outcomes.signal_eval import OK

HOUR_MS: Final = 3_600_000
HOURS: Final = 24
MOST_ROWS: Final = 192  # of a prompt: eight assets for a day
DIGITS: Final = 4  # significant ones of a fact
HORIZONS_S: Final = (30, 300, 3600)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FactSlot:
    """One number of a row: its name, unit and formula over the frames of the hour."""

    name: str
    unit: str
    formula: str


MARKET_SLOTS: Final = (
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
EXPERT_SLOTS: Final = tuple(FactSlot(f"fires_{name}", "1", "share of frames with its pattern") for name in EXPERTS)
OUTCOME_SLOTS: Final = (
    *(FactSlot(f"move_{h}", "bps", f"mean move over {h} s from the first quote after a window") for h in HORIZONS_S),
    FactSlot("payoff", "bps", "mean of payoff_p of the detectors' windows"),
)
SLOTS: Final = MARKET_SLOTS + EXPERT_SLOTS + OUTCOME_SLOTS
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
        if not all(type(n) is int for n in whole) or not (self.asset > 0 < self.day and 0 <= self.hour < HOURS):
            raise ConfigError(
                f"facts of asset {whole[0]!r}, day {whole[1]!r}, hour {whole[2]!r}", "numbers from 1, 1, 0"
            )
        if len(self.values) != len(SLOTS) or not all(type(x) is float for x in self.values):
            raise ConfigError(f"{len(self.values)} facts of an hour", f"{len(SLOTS)} floats, one a slot")


WINDOW_FACTS: Final = TableSpec(
    "window_facts",
    ("asset", "hour"),
    (
        Column("asset", "text", "", "venue name of the perpetual"),
        Column("hour", "i8", "h", "hour of the day (UTC) in which frames and windows end", low=0, high=HOURS - 1),
        Column("frames", "i8", "rows", "frames that the row rests on", low=1),
        *(Column(slot.name, "f8", slot.unit, f"{slot.formula}; null where not known", True) for slot in SLOTS),
    ),
)


def fact_table(
    assets: Sequence[str],
    frames: Mapping[str, Mapping[str, NDArray[Any]]],
    fired: Mapping[str, NDArray[np.uint64]],
    evaluated: Mapping[str, NDArray[Any]],
    start_ms: int,
) -> dict[str, NDArray[Any]]:
    """Return the rows of `WINDOW_FACTS` of the day that begins at `start_ms`.

    By asset, `frames` has the columns `READ` in order and `fired` the experts' patterns of the same frames, as bits;
    `evaluated` are columns of `signal_eval` that matured on the day. A window belongs to the hour in which it ends; the
    last hour's longest move matures on the next day and is not known here. An hour without frames has no row.
    """
    names: list[str] = []
    numbers: list[tuple[int, int]] = []
    rows: list[tuple[float, ...]] = []
    for asset in sorted(assets):
        hour = _hours(frames[asset]["end_ms"], start_ms)
        columns = {name: frames[asset][name].astype(np.float64) for name in READ if name != "end_ms"}
        outcomes = _outcomes(evaluated, asset, start_ms)
        for at in np.unique(hour[hour >= 0]).tolist():
            inside = hour == at
            market = _market({name: values[inside] for name, values in columns.items()})
            found = (*market, *_rates(fired[asset][inside]), *outcomes[at])
            names.append(asset)
            numbers.append((at, int(inside.sum())))
            rows.append(tuple(float(f"{x:.{DIGITS}g}") + 0.0 for x in found))
    whole = np.array(numbers, np.int64).reshape(-1, 2)
    values = np.array(rows, np.float64).reshape(-1, len(SLOTS))
    slots = {slot.name: values[:, k].copy() for k, slot in enumerate(SLOTS)}
    return {"asset": np.array(names, object), "hour": whole[:, 0].copy(), "frames": whole[:, 1].copy(), **slots}


def facts_of_table(table: Mapping[str, NDArray[Any]], universe: Sequence[str], day: int = 1) -> tuple[HourFacts, ...]:
    """Return the rows of a table for a prompt, its assets by their number in the universe, at most `MOST_ROWS`."""
    return tuple(_of_table(table, universe, day))[:MOST_ROWS]


def _of_table(table: Mapping[str, NDArray[Any]], universe: Sequence[str], day: int) -> Iterator[HourFacts]:
    for number, name in enumerate(universe, 1):
        for row in np.flatnonzero(table["asset"] == name).tolist():
            values = tuple(float(table[slot.name][row]) for slot in SLOTS)
            yield HourFacts(number, day, int(table["hour"][row]), int(table["frames"][row]), values)


def _hours(end_ms: NDArray[Any], start_ms: int) -> NDArray[np.int64]:
    """Return the hour of the day in which each end lies, 24:00 to the last, -1 outside of the day."""
    hour = (end_ms.astype(np.int64) - 1 - start_ms) // HOUR_MS
    return np.where((hour >= 0) & (hour < HOURS), hour, -1)


def _rates(fired: NDArray[np.uint64]) -> list[float]:
    return [float(np.mean((fired >> np.uint64(k)) & np.uint64(1))) for k in range(len(EXPERTS))]


def _outcomes(evaluated: Mapping[str, NDArray[Any]], asset: str, start_ms: int) -> list[tuple[float, ...]]:
    """Return the means of the outcomes of an asset's windows by the hour of their end, [24][slots]."""
    rows = (evaluated["asset"] == asset) & (evaluated["status"] == OK)
    ends = evaluated["window_end_ms"][rows]
    _, first = np.unique(ends, return_index=True)  # every detector has the move of the window
    hours, payoff = _hours(ends, start_ms), evaluated["payoff_p"][rows].astype(np.float64)
    moves = [
        evaluated[name][rows].astype(np.float64)[first] if name in evaluated else np.full(len(first), np.nan)
        for name in (f"fwd_ret_bps_{h}" for h in HORIZONS_S)
    ]
    return [(*(_mean(move[hours[first] == at]) for move in moves), _mean(payoff[hours == at])) for at in range(HOURS)]


def _market(c: Mapping[str, Floats]) -> tuple[float, ...]:
    """Return the values of the market slots of one hour's frames."""
    ret = _finite(c["ret_bps"])
    spread, centred = ret.std() if len(ret) else 0.0, ret - ret.mean() if len(ret) else ret
    skew = float((centred**3).mean() / spread**3) if spread > 0 else math.nan
    kurtosis = float((centred**4).mean() / spread**4) - 3.0 if spread > 0 else math.nan
    return (
        _mean(c["rv_bps"]), skew, kurtosis, _median(c["spread_bps"]), _mean(c["micro_drift_bps"]),
        _median(c["depth_bid_usd"] + c["depth_ask_usd"]), _mean(c["imb_5"]), _mean(c["depth_slope"]),
        float(np.count_nonzero(_finite(c["sweep"]))), _mean(c["cancel_rate"]), _mean(c["aggr_imb"]),
        _mean(np.abs(c["runlen_aggr"])),
    )  # fmt: skip


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _mean(values: Floats) -> float:
    finite = _finite(values)
    return float(finite.mean()) if len(finite) else math.nan


def _median(values: Floats) -> float:
    finite = _finite(values)
    return float(np.median(finite)) if len(finite) else math.nan
