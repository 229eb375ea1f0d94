"""Frames of the tape around one window, as series for pictures: price, spread, book, trades, and what experts called.

A picture has at most `MOST_POINTS` stretches of equal time. What stands at a moment is the newest of its stretch, what
flows is summed over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LakeError
from lotus.experts.annotation_spec import EXPERTS
from lotus.timebase import day_of
from lotus_store.config import Settings
from lotus_store.lake import Lake
from lotus_store.tape.store import TapeStore

STANDING: Final = ("mid", "spread_bps", "imb_5", "depth_bid_usd", "depth_ask_usd")
FLOWING: Final = ("buy_usd", "sell_usd", "trade_n")
_STORED: Final = ("end_ms", *STANDING, "volume_usd", "aggr_imb", "trade_n")
BEFORE_MS, AFTER_MS = 60_000, 300_000  # of a picture around its window
MOST_POINTS = 180
REMEMBERED = 256  # pictures, some 50 kB each
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WindowCalls:
    """What the experts said at the ends of windows.

    `end_ms` i8[n]; `z` f8[n, experts] log-likelihood ratios of up (nat), `conf` f8[n, experts] 2 P(right) - 1, `stands`
    bool[n, experts] the patterns; columns in the order of `EXPERTS`.
    """

    end_ms: NDArray[np.int64]
    z: Floats
    conf: Floats
    stands: NDArray[np.bool_]

    def at(self, end_ms: int) -> list[dict[str, Any]]:
        """Return the calls of the window that ends then, the strongest first; none where it is not stored."""
        rows = np.flatnonzero(self.end_ms == end_ms)
        return self._row(int(rows[0])) if len(rows) else []

    def all(self) -> list[dict[str, Any]]:
        """Return every call, by time and within a time the strongest first."""
        return [call for k in range(len(self.end_ms)) for call in self._row(k)]

    def _row(self, k: int) -> list[dict[str, Any]]:
        spoke = np.flatnonzero((np.nan_to_num(self.z[k]) != 0.0) | self.stands[k])
        calls = [
            {"time_ms": int(self.end_ms[k]), "expert_id": EXPERTS[e], "z": float(self.z[k, e]),
             "calls": "up" if self.z[k, e] > 0 else "down" if self.z[k, e] < 0 else "neither",
             "right": (1.0 + float(self.conf[k, e])) / 2.0, "stands": bool(self.stands[k, e])}
            for e in spoke
        ]  # fmt: skip
        return sorted(calls, key=lambda call: -abs(np.nan_to_num(call["z"])))


NO_CALLS: Final = WindowCalls(
    np.empty(0, np.int64), np.empty((0, len(EXPERTS))), np.empty((0, len(EXPERTS))),
    np.empty((0, len(EXPERTS)), np.bool_),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """Series by name over equal stretches of time from `from_ms` to `until_ms`; `note` says why there are none.

    The price is in units of quote, amounts are USD.
    """

    from_ms: int
    until_ms: int
    series: Mapping[str, Floats]
    calls: WindowCalls = NO_CALLS
    note: str = ""

    def place(self, time_ms: int) -> float:
        """Return where a time lies, 0 at the left edge and 1 at the right."""
        return (time_ms - self.from_ms) / (self.until_ms - self.from_ms)

    def rows(self) -> list[dict[str, Any]]:
        """Return the numbers of the picture, a row for each stretch that holds a frame, named by its end (ms UTC)."""
        if not self.series:
            return []
        points = len(self.series["mid"])
        ends = self.from_ms + (self.until_ms - self.from_ms) * np.arange(1, points + 1) // points
        there = np.flatnonzero(np.isfinite(self.series["mid"]))
        return [
            {"time_ms": int(ends[k]), **{name: float(values[k]) for name, values in self.series.items()}} for k in there
        ]


class FrameReader:
    """Frames of one home's tape; pictures are remembered, since equal lines give equal frames."""

    def __init__(self, settings: Settings) -> None:
        """Read nothing yet."""
        self._settings, self._lake = settings, Lake(settings.lake_root)
        self._ticks = {a.name: 10.0**a.px_decimals for a in settings.manifest.universe}
        self._cadence_ms = settings.manifest.kernel.cadence_ms
        self._drawn = lru_cache(REMEMBERED)(self._read)

    def around(self, asset: str, start_ms: int, end_ms: int, horizon_s: int) -> Around:
        """Return the frames from a minute before a window to its horizon, at most `AFTER_MS` after it.

        They are those of the tape of the settings, or of the branch's own where that one is not there.
        """
        from_ms, until_ms = start_ms - BEFORE_MS, end_ms + min(1000 * horizon_s, AFTER_MS)
        store = TapeStore(self._settings.home, self._settings.tape, self._settings.segments_url)
        tape = f"tape.{store.tape if store.exists() else self._settings.branch}"
        days = sorted({day_of(from_ms), day_of(start_ms), day_of(until_ms)})
        there = tuple(day for day in days if self._lake.exists("microtape_frames", tape, day, asset))
        if not there:
            return Around(from_ms, until_ms, {}, note=f"{tape} has no frames of {asset} on {days[0]}")
        try:
            return self._drawn(tape, there, asset, from_ms, until_ms)
        except LakeError as error:
            return Around(from_ms, until_ms, {}, note=str(error))

    def _read(self, tape: str, days: tuple[str, ...], asset: str, from_ms: int, until_ms: int) -> Around:
        parts = [self._frames(tape, day, asset, from_ms, until_ms) for day in days]
        frames = {name: np.concatenate([part[name] for part in parts]) for name in _STORED}
        points = min(MOST_POINTS, max(2, len(frames["end_ms"])))
        stretch = ((frames["end_ms"] - from_ms - 1) * points // (until_ms - from_ms)).astype(np.int64)
        series = {name: _newest(frames[name], stretch, points) for name in STANDING}
        series["mid"] /= self._ticks.get(asset, 1.0)
        side = np.nan_to_num(frames["aggr_imb"])
        flows = (frames["volume_usd"] * (1.0 + side) / 2.0, frames["volume_usd"] * (1.0 - side) / 2.0)
        for name, values in zip(FLOWING, (*flows, frames["trade_n"]), strict=True):
            series[name] = np.bincount(stretch, np.nan_to_num(values), minlength=points).astype(np.float64)
        called = [c for day in days if (c := self._calls(tape, day, asset, from_ms, until_ms)) is not None]
        return Around(from_ms, until_ms, series, _joined(called) if called else NO_CALLS)

    def _frames(self, tape: str, day: str, asset: str, from_ms: int, until_ms: int) -> dict[str, NDArray[Any]]:
        within = ("end_ms", from_ms + 1, until_ms)
        return self._lake.read("microtape_frames", tape, day, asset, columns=_STORED, within=within)

    def _calls(self, tape: str, day: str, asset: str, from_ms: int, until_ms: int) -> WindowCalls | None:
        """Return the calls of the set of experts that spoke that day: the branch's own where it has one."""
        own = self._settings.branch
        branch = own if self._lake.exists("dsi_windows", own, day, asset) else tape
        if not self._lake.exists("dsi_windows", branch, day, asset):
            return None
        within = ("frame_idx", from_ms // self._cadence_ms + 1, until_ms // self._cadence_ms)
        table = self._lake.read("dsi_windows", branch, day, asset, within=within)
        columns = ("frame_idx", "fired")
        flags = self._lake.read("dsi_annotations", branch, day, asset, columns=columns, within=within)
        if not len(table["frame_idx"]) or not len(flags["frame_idx"]):
            return None
        at = np.searchsorted(flags["frame_idx"], table["frame_idx"])
        bits = flags["fired"].astype(np.uint64)[np.minimum(at, len(flags["fired"]) - 1), None]
        return WindowCalls(
            end_ms=table["frame_idx"].astype(np.int64) * self._cadence_ms,
            z=_by_expert(table, "z"),
            conf=_by_expert(table, "conf"),
            stands=(bits >> np.arange(len(EXPERTS), dtype=np.uint64) & np.uint64(1)).astype(np.bool_),
        )


def _by_expert(table: Mapping[str, NDArray[Any]], what: str) -> Floats:
    """Return a value of every expert f8[n, experts], NaN for one that the day's set did not have."""
    silent = np.full(len(table["frame_idx"]), np.nan)
    names = [f"{what}_{expert}" for expert in EXPERTS]
    return np.column_stack([table[n].astype(np.float64) if n in table else silent for n in names])


def _joined(parts: list[WindowCalls]) -> WindowCalls:
    names = ("end_ms", "z", "conf", "stands")
    return WindowCalls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _newest(values: NDArray[Any], stretch: NDArray[np.int64], points: int) -> Floats:
    """Return the newest finite value of each stretch, NaN where there is none."""
    out = np.full(points, np.nan)
    finite = np.isfinite(values)
    out[stretch[finite]] = values[finite]  # of several the last one stays
    return out
