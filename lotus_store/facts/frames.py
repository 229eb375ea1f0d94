"""Frames of the tape around one window, as series for pictures: price, spread, book, trades and experts' flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LakeError
from lotus.timebase import day_of
from lotus_store.config import Settings
from lotus_store.lake import Lake
from lotus_store.tape.store import TapeStore

SERIES = ("mid", "spread_bps", "imb_5", "depth_bid_usd", "depth_ask_usd", "aggr_imb", "trade_n")
FLAGS = "experts"  # how many experts' patterns stand in a frame
BEFORE_MS, AFTER_MS = 60_000, 300_000  # of a picture around its window
MOST_POINTS = 180


@dataclass(frozen=True, slots=True)
class Around:
    """Series by name over equal stretches of time from `from_ms` to `until_ms`; `note` says why there are none.

    The price is in ticks, `ticks` of which make a unit of quote.
    """

    from_ms: int
    until_ms: int
    series: Mapping[str, NDArray[np.float64]]
    note: str = ""
    ticks: float = 1.0

    def place(self, time_ms: int) -> float:
        """Return where a time lies, 0 at the left edge and 1 at the right."""
        return (time_ms - self.from_ms) / (self.until_ms - self.from_ms)


class FrameReader:
    """Frames of one tape; each day and coin is read once for as long as the reader lives."""

    def __init__(self, settings: Settings, names: Sequence[str] = SERIES, with_flags: bool = False) -> None:
        """Read the tape of the settings, the branch's own where that one is not there."""
        store = TapeStore(settings.home, settings.tape)
        self._tape = f"tape.{settings.tape if store.exists() else settings.branch}"
        self._lake, self._names, self._with_flags = Lake(settings.lake_root), tuple(names), with_flags
        self._ticks = {a.name: 10.0**a.px_decimals for a in settings.manifest.universe}
        self._parts: dict[tuple[str, str], Mapping[str, NDArray[Any]]] = {}

    def around(self, asset: str, start_ms: int, end_ms: int, horizon_s: int) -> Around:
        """Return the frames from a minute before a window to its horizon, at most `AFTER_MS` after it."""
        from_ms, until_ms = start_ms - BEFORE_MS, end_ms + min(1000 * horizon_s, AFTER_MS)
        try:
            days = sorted({day_of(from_ms), day_of(start_ms), day_of(until_ms)})
            parts = [self._part(day, asset) for day in days if self._exists(day, asset)]
        except LakeError as error:
            return Around(from_ms, until_ms, {}, str(error))
        if not parts:
            return Around(from_ms, until_ms, {}, f"{self._tape} has no frames of {asset} on {days[0]}")
        ends = np.concatenate([part["end_ms"] for part in parts]).astype(np.int64)
        chosen = (ends > from_ms) & (ends <= until_ms)
        points = min(MOST_POINTS, max(2, int(chosen.sum())))
        slot = ((ends[chosen] - from_ms - 1) * points // (until_ms - from_ms)).astype(np.int64)
        names = [*self._names, *([FLAGS] if self._with_flags else [])]
        series = {}
        for name in names:
            values = np.concatenate([part[name] for part in parts])[chosen].astype(np.float64)
            series[name] = _newest(values, slot, points)
        return Around(from_ms, until_ms, series, ticks=self._ticks.get(asset, 1.0))

    def _exists(self, day: str, asset: str) -> bool:
        return self._lake.exists("microtape_frames", self._tape, day, asset)

    def _part(self, day: str, asset: str) -> Mapping[str, NDArray[Any]]:
        if (day, asset) not in self._parts:
            frames = dict(self._lake.read("microtape_frames", self._tape, day, asset, columns=("end_ms", *self._names)))
            if self._with_flags:
                frames[FLAGS] = self._flags(day, asset, len(frames["end_ms"]))
            self._parts[day, asset] = frames
        return self._parts[day, asset]

    def _flags(self, day: str, asset: str, n: int) -> NDArray[np.float64]:
        if not self._lake.exists("dsi_annotations", self._tape, day, asset):
            return np.full(n, np.nan)
        fired = self._lake.read("dsi_annotations", self._tape, day, asset, columns=("fired",))["fired"]
        bits = np.unpackbits(np.ascontiguousarray(fired.astype(np.uint64)).view(np.uint8)).reshape(len(fired), 64)
        return bits.sum(axis=1).astype(np.float64) if len(fired) == n else np.full(n, np.nan)


def _newest(values: NDArray[np.float64], slot: NDArray[np.int64], points: int) -> NDArray[np.float64]:
    """Return the newest finite value of each stretch, NaN where there is none."""
    out = np.full(points, np.nan)
    finite = np.isfinite(values)
    out[slot[finite]] = values[finite]  # of several the last one stays
    return out
