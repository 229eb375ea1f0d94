"""Scores by maturity day, kept as a few numbers a window; the columns that `lotus.learning` reads are made when asked.

A window needs less than half of what it needs as PAYOFF_SCORES. Rows stand by (day, detector, time, asset), so a day
and a detector's part of it are slices. How a score is defined is `lotus.learning.payoff_scores`; what of it follows
from earlier days (strata, and the level that stands in for paper payoffs) is given.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.learning.payoff_scores import Columns, score
from lotus.learning.strata import LEVEL_ZERO, Strata, block_weights
from lotus.own_signals.table import Floats, Ints

_EXTREME = 1e-6  # p is clipped by it before its logit is taken
_SOURCES = np.array(["", "tape_sim", "venue"], dtype=object)
_PLAIN = ("published", "block", "p", "payoff_p", "payoff_y")

Pasts = Mapping[tuple[str, str], Strata]  # (day, detector) -> strata, from the days before
_HATS = ("stratum", "share", "level")
_MADE = (*_HATS, "weight")


@dataclass(frozen=True, slots=True)
class SignalWindows:
    """Arrays [n] over windows, by (day, detector, ts, asset); `event` is the window's place in the files' table.

    `asset` holds codes in the order of names. `payoff_y` is NaN where nothing was published. Without propensities
    (`unlogged`) a window is an association: weight 1/4, one stratum, its payoff as it is.
    """

    detectors: tuple[str, ...]
    assets: tuple[str, ...]
    bin_names: tuple[str, ...]
    horizon_s: Mapping[str, int]
    fill_source: Mapping[str, int]
    unlogged: bool
    event: NDArray[np.int32]
    detector: NDArray[np.int32]
    asset: NDArray[np.int32]
    end_ms: Ints
    block: NDArray[np.uint8]
    p: Floats
    published: NDArray[np.bool_]
    payoff_p: Floats
    payoff_y: Floats
    bins: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DayColumns(Mapping[str, NDArray[np.generic]]):
    """The windows of one day from `start` to `stop` as columns of PAYOFF_SCORES, each made when asked for."""

    windows: SignalWindows
    day: str
    start: int
    stop: int
    pasts: Pasts

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        """Return a column; raises KeyError for one that there is not."""
        w, rows = self.windows, slice(self.start, self.stop)
        if name in w.bin_names:
            return w.bins[rows, w.bin_names.index(name)]
        if w.unlogged and name in ("p", "u0", "h", "f"):
            return self._association(name)
        if name in _HATS:
            return self._placed(name)
        if name == "weight":
            return self._weights()
        if name in _PLAIN:
            plain: NDArray[np.generic] = getattr(w, name)[rows]
            return plain
        return self._made(name)

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        made = ("event_id", "detector_id", "spec_version", "asset", "horizon_s", "window_end_ms", "u0", "hit")
        yield from (*made, "fill_source", "h", "f", *_MADE, *_PLAIN, *self.windows.bin_names)

    def __len__(self) -> int:
        """Return the number of columns."""
        return 11 + len(_MADE) + len(_PLAIN) + len(self.windows.bin_names)

    def _made(self, name: str) -> NDArray[np.generic]:
        w, rows = self.windows, slice(self.start, self.stop)
        p, published, n = w.p[rows], w.published[rows], self.stop - self.start
        match name:
            case "event_id":
                return w.event[rows].astype(np.int64)
            case "detector_id":
                return np.array(w.detectors, dtype=object)[w.detector[rows]]
            case "spec_version":
                return np.ones(n, dtype=np.int32)
            case "asset":
                return np.array(w.assets, dtype=object)[w.asset[rows]]
            case "horizon_s":
                return np.array([w.horizon_s[name] for name in w.detectors], dtype=np.int32)[w.detector[rows]]
            case "window_end_ms":
                return w.end_ms[rows]
            case "u0":
                clipped = np.clip(p, _EXTREME, 1.0 - _EXTREME)
                return np.log(clipped / (1.0 - clipped))
            case "hit":
                best = np.where(np.isnan(w.payoff_y[rows]), w.payoff_p[rows], w.payoff_y[rows])
                return np.where(np.isnan(best), np.nan, best > 0.0)
            case "fill_source":
                source = np.array([w.fill_source[name] for name in w.detectors], dtype=np.int64)[w.detector[rows]]
                return np.asarray(_SOURCES[np.where(published, source, 0)])
            case "h":
                return p * (1.0 - p)
            case "f":
                return score(p, published, self._control(), w.payoff_y[rows])
        raise KeyError(name)

    def _placed(self, name: str) -> NDArray[np.generic]:
        """Return one of `_HATS`, every detector by its strata of the day."""
        w, u0 = self.windows, np.asarray(self["u0"], dtype=np.float64)
        codes, out = w.detector[self.start : self.stop], np.zeros(self.stop - self.start)
        for code in np.unique(codes).tolist():
            rows = np.flatnonzero(codes == code)
            strata = LEVEL_ZERO if w.unlogged else self.pasts[self.day, w.detectors[code]]
            if name == "level":
                out[rows] = strata.level_at(u0[rows])
            else:
                basis = strata.basis(u0[rows])
                out[rows] = basis.left if name == "stratum" else basis.share
        return out

    def _weights(self) -> Floats:
        """Return the weight of each window's block, every detector by its own scatter."""
        w, out = self.windows, np.ones(self.stop - self.start)
        if w.unlogged:
            return out
        codes, block = w.detector[self.start : self.stop], w.block[self.start : self.stop]
        f, h, level = (np.asarray(self[name], dtype=np.float64) for name in ("f", "h", "level"))
        for code in np.unique(codes).tolist():
            rows = np.flatnonzero(codes == code)
            noise = self.pasts[self.day, w.detectors[code]].noise
            out[rows] = block_weights(f[rows], h[rows], level[rows], block[rows], noise)
        return out

    def _control(self) -> Floats:
        """Return P, or the level of earlier days for detectors whose day has a null among its paper payoffs."""
        w, out = self.windows, self.windows.payoff_p[self.start : self.stop].copy()
        codes = w.detector[self.start : self.stop]
        for code in np.unique(codes[np.isnan(out)]).tolist():
            rows = np.flatnonzero(codes == code)
            out[rows] = np.nan_to_num(np.asarray(self._placed("level"))[rows])
        return out

    def _association(self, name: str) -> Floats:
        w, rows = self.windows, slice(self.start, self.stop)
        paid = np.where(np.isnan(w.payoff_y[rows]), w.payoff_p[rows], w.payoff_y[rows])
        fixed = {"p": 0.5, "u0": 0.0, "h": 0.25}
        return np.full(len(paid), fixed[name]) if name in fixed else 0.25 * paid


@dataclass(frozen=True, slots=True)
class Days(Mapping[str, Columns]):
    """Columns by maturity day, oldest first; `days[i]` stands from `bounds[i]` to `bounds[i + 1]`."""

    windows: SignalWindows
    days: tuple[str, ...]
    bounds: Ints
    pasts: Pasts

    def __getitem__(self, day: str) -> DayColumns:
        """Return the columns of a day, all detectors."""
        i = self.days.index(day) if day in self.days else -1
        if i < 0:
            raise KeyError(day)
        return DayColumns(self.windows, day, int(self.bounds[i]), int(self.bounds[i + 1]), self.pasts)

    def __contains__(self, day: object) -> bool:
        """Whether windows matured on the day."""
        return day in self.days

    def __iter__(self) -> Iterator[str]:
        """Yield the days."""
        return iter(self.days)

    def __len__(self) -> int:
        """Return the number of days."""
        return len(self.days)

    @property
    def detectors(self) -> tuple[str, ...]:
        """Detectors that have windows here, in the order of their names."""
        return tuple(self.windows.detectors[code] for code in np.unique(self.windows.detector).tolist())

    def of(self, detector_id: str) -> dict[str, DayColumns]:
        """Return one detector's columns by day; empty ones on days that hold only windows of others."""
        w, out = self.windows, {}
        code = w.detectors.index(detector_id)
        for day in self.days:
            whole = self[day]
            own_rows = w.detector[whole.start : whole.stop]
            low, high = (whole.start + int(i) for i in np.searchsorted(own_rows, [code, code + 1]))
            out[day] = DayColumns(w, day, low, high, self.pasts)
        return out
