"""What audits share: the stretch of a day that is scored again, forward returns from its mids, draws, and statistics.

Every choice is drawn from a name by a counter-based generator (Philox, as in `lotus.detectors.scoring.draw`), so an
audit is repeated bit for bit. Scoring is a function that the caller brings. (Literature: information coefficient.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.spec import DetectorSpec
from lotus.hashing import key64
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import I_ASSET, I_END, I_MID2

Columns = dict[str, NDArray[np.generic]]
Score = Callable[[FrameBatch], Columns]  # frames from a blank state to AUDITED columns of SIGNAL_EVENTS
AUDITED = (
    "detector_id", "asset", "window_end_ms", "s", "uncert", "kairos", "eligible", "det_sigma", "pi", "published",
)  # fmt: skip

BUDGET_FRAMES = 60_000  # frames of a day that are scored again: about 67 minutes of three assets at 200 ms
SHORT_FRAMES = 30_000  # the first of them: what is scored many times (cut short, disturbed) is scored on these
MAX_HORIZON_S = 300  # returns over more than this need more tape than the stretch has
FRESH_MS = 2_000  # a mid older than this is no mid
MIN_ROWS = 30  # signals below which a correlation says nothing
MIN_INDEPENDENT = 100  # returns that do not overlap, below which not even the planted column is judged


def stretch(frames: FrameBatch, seed: int, day: str, budget: int = BUDGET_FRAMES) -> FrameBatch:
    """Return at most `budget` consecutive frames, at a place drawn from (seed, day)."""
    spare = len(frames) - budget
    first = key64("audit stretch", seed, day) % (spare + 1) if spare > 0 else 0
    return rows_of(frames, slice(first, first + budget))


def rows_of(frames: FrameBatch, rows: slice | NDArray[np.generic]) -> FrameBatch:
    """Return some frames in their order, without quotes and gaps."""
    ints, floats = frames.ints[rows], frames.floats[rows]
    return replace(frames, ints=ints, floats=floats, quotes=frames.quotes[:0], gaps=frames.gaps[:0])


def uniforms(count: int, *name: str | int) -> NDArray[np.float64]:
    """Return f8[count] in [0, 1): the upper 53 bits of Philox words under the key of a name."""
    bits = np.random.Philox(key=key64(*name)).random_raw(count)
    return (bits >> np.uint64(11)).astype(np.float64) / 2.0**53


def closed_in(frames: FrameBatch, events: Columns) -> Columns:
    """Return the rows of `events` whose window is closed by one of `frames`."""
    closed = np.isin(_packed(asset_index(frames, events), events["window_end_ms"].astype(np.int64)),
                     _packed(frames.ints[:, I_ASSET], frames.ints[:, I_END]))  # fmt: skip
    return {name: values[closed] for name, values in events.items()}


@dataclass(frozen=True, slots=True)
class Mids:
    """The mids of a stretch by asset: ends of the frames that have one, i8[m], and twice their mids, f8[m]."""

    of_assets: tuple[tuple[NDArray[np.int64], NDArray[np.float64]], ...]

    @staticmethod
    def of(frames: FrameBatch) -> "Mids":
        """Return the mids of frames."""
        end, mid2, asset = (np.ascontiguousarray(frames.ints[:, k]) for k in (I_END, I_MID2, I_ASSET))
        rows = [np.flatnonzero((asset == index) & (mid2 > 0)) for index in range(len(frames.universe))]
        return Mids(tuple((end[own_rows], mid2[own_rows].astype(np.float64)) for own_rows in rows))

    def returns(
        self, asset: NDArray[np.int64], from_ms: NDArray[np.int64], to_ms: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return 1e4 (mid(to) / mid(from) - 1) of each row, bps; NaN where a mid is missing or past `FRESH_MS`."""
        out = np.full(len(asset), np.nan)
        for index, (end, mid) in enumerate(self.of_assets):
            own_rows = asset == index
            if len(end) and own_rows.any():
                out[own_rows] = 1e4 * (_mid_at(end, mid, to_ms[own_rows]) / _mid_at(end, mid, from_ms[own_rows]) - 1.0)
        return out


def forward_returns(
    frames: FrameBatch, asset: NDArray[np.int64], from_ms: NDArray[np.int64], to_ms: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the `Mids.returns` of one set of rows."""
    return Mids.of(frames).returns(asset, from_ms, to_ms)


def horizons_ms(detectors: Sequence[DetectorSpec]) -> dict[str, int]:
    """Return the horizon over which each detector's signals are audited, ms."""
    return {d.detector_id: min(d.horizon_s, MAX_HORIZON_S) * 1000 for d in detectors}


def asset_index(frames: FrameBatch, events: Mapping[str, NDArray[np.generic]]) -> NDArray[np.int64]:
    """Return the position in the universe of each event's asset."""
    place = {asset.name: k for k, asset in enumerate(frames.universe)}
    return np.fromiter(map(place.__getitem__, events["asset"]), np.int64, len(events["asset"]))


def correlation(s: NDArray[np.float64], r: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation of signals and returns; 0 below `MIN_ROWS` rows or when one is constant.

    Ranks, because one crash would otherwise be most of a day's covariance.
    """
    finite = np.isfinite(s) & np.isfinite(r)
    if int(np.count_nonzero(finite)) < MIN_ROWS:
        return 0.0
    a, b = _ranks(s[finite]), _ranks(r[finite])
    scale = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / scale if scale > 0.0 else 0.0


def independent(asset: NDArray[np.int64], end_ms: NDArray[np.int64], horizon_ms: int) -> int:
    """Return how many returns do not overlap: distinct (asset, block of one horizon)."""
    return len(np.unique(asset * 2**40 + end_ms // horizon_ms))


def _packed(asset: NDArray[np.int64], end_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    return (asset << 48) | end_ms


def _mid_at(end: NDArray[np.int64], mid: NDArray[np.float64], times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mid of the last frame that ends by `times`, NaN before the first, beyond the last or stale."""
    k = np.searchsorted(end, times, side="right") - 1
    value = mid[np.maximum(k, 0)]
    fine = (k >= 0) & (times - end[np.maximum(k, 0)] <= FRESH_MS)
    mids: NDArray[np.float64] = np.where(fine, value, np.nan)
    return mids


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return centred ranks, ties shared."""
    _, back, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank: NDArray[np.float64] = (np.cumsum(counts) - 0.5 * (counts - 1))[back]
    centred: NDArray[np.float64] = rank - rank.mean()
    return centred
