"""Adversarial audits: the same stretch with its tape disturbed, scored again; how much of a detector is left?

Six disturbances of frames or of what trading costs, each drawn from a name. What is measured is the change of what a
detector says: its signed score and its signed chance of publication, window by window.
(Literature: stress testing, robustness to input perturbation.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.audits.sample import Columns, Score, rows_of, uniforms
from lotus.detectors.daemon_log import match_rows
from lotus.detectors.daily.quality import WEIGHTS
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.spec import DetectorSpec
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import (
    C_BASIS,
    C_DEPTH_ASK,
    C_DEPTH_BID,
    C_IMB_1,
    C_IMB_5,
    C_IMB_10,
    C_MICRO,
    C_MID,
    C_RET,
    C_SPREAD,
    C_VOLUME,
    I_ASSET,
    I_END,
    I_MID2,
)

ScoreUnder = Callable[[FrameBatch, Sequence[DayTables]], list[Columns]]  # one scoring under each of the tables
Name = tuple[str | int, ...]

SIZE_NOISE = 0.10  # relative, of depths and volume; absolute, of imbalances
PRICE_NOISE = 0.25  # of the spread
BAR_MS = 5_000  # a dropped bar
DROP_EVERY_MS = 1_200_000  # one dropped bar of each asset in this time
SPREAD_FACTOR = 3.0
VACUUM_MS = 30_000
VACUUM_SHARE = 0.2  # of the time
VACUUM_DEPTH = 0.1  # what is left of a depth
LATE_SHARE = 0.2  # of frames that show the frame before
COST_FACTOR = 2.0
FRAGILITY_BOUND = 0.6  # beyond it a detector is reported as fragile


@dataclass(frozen=True, slots=True)
class DisturbanceEffect:
    """What a disturbance did to one detector: shares in [0, 1], windows compared, publications before and after."""

    detector_id: str
    disturbance: str
    sigma: float
    publication: float
    windows: int
    published_before: int
    published_after: int


def adversarial_audits(
    frames: FrameBatch,
    scored: tuple[Columns, Columns],
    score: Score,
    detectors: Sequence[DetectorSpec],
    seed: int,
    day: str,
) -> list[DisturbanceEffect]:
    """Return the change of every detector under every disturbance.

    `scored`: the stretch as it is, and under `costlier` tables. It is scored again for each disturbance of frames.
    """
    plain, dearer = scored
    effects = []
    for name, disturb in DISTURBANCES.items():
        effects += changes(plain, score(disturb(frames, ("adversarial", name, seed, day))), name, detectors)
    return effects + changes(plain, dearer, "slippage_shock", detectors)


def changes(plain: Columns, other: Columns, name: str, detectors: Sequence[DetectorSpec]) -> list[DisturbanceEffect]:
    """Compare two scorings of one stretch: sum |x' - x| / sum (|x| + |x'|) over the windows of both.

    x = direction * det_sigma where eligible, and direction * pi: 0 = nothing changed, 1 = nothing is left or all turned
    round. Windows that a disturbance made impossible count as 0.
    """
    matched = match_rows(plain, other)
    effects = []
    for spec in detectors:
        own_rows = plain["detector_id"] == spec.detector_id
        theirs = np.zeros(len(own_rows), np.bool_)
        theirs[matched.ours] = True
        change = {}
        for what, weigh in (("sigma", _sigma), ("publication", _chance)):
            before, after = weigh(plain), np.zeros(len(own_rows))
            after[matched.ours] = weigh(other)[matched.theirs]
            change[what] = _change(before[own_rows], after[own_rows])
        effects.append(
            DisturbanceEffect(
                spec.detector_id,
                name,
                sigma=change["sigma"],
                publication=change["publication"],
                windows=int(np.count_nonzero(own_rows & theirs)),
                published_before=_published(plain, spec),
                published_after=_published(other, spec),
            )
        )
    return effects


def noise(frames: FrameBatch, name: Name) -> FrameBatch:
    """Multiply depths and volume by 1 +- 10 %, move imbalances by +- 0.1 and mids by +- a quarter of the spread.

    Draws are uniform. Columns relative to the mid (micro-price, basis) move with it.
    """
    ints, floats = frames.ints.copy(), frames.floats.copy()
    for column in (C_DEPTH_BID, C_DEPTH_ASK, C_VOLUME):
        floats[:, column] *= 1.0 + SIZE_NOISE * _centred(frames, name, column)
    for column in (C_IMB_1, C_IMB_5, C_IMB_10):
        floats[:, column] = np.clip(floats[:, column] + SIZE_NOISE * _centred(frames, name, column), -1.0, 1.0)
    spread = np.nan_to_num(floats[:, C_SPREAD])
    move_bps = PRICE_NOISE * spread * _centred(frames, name, C_MID)
    floats[:, C_MICRO] -= move_bps
    floats[:, C_BASIS] += move_bps
    ints[:, I_MID2] = np.rint(ints[:, I_MID2] * (1.0 + 1e-4 * move_bps)).astype(np.int64)
    return _repriced(frames, ints, floats)


def dropped_bars(frames: FrameBatch, name: Name) -> FrameBatch:
    """Take out one bar of 5 s of each asset in every twenty minutes: the state is born again behind it."""
    began, asset = frames.ints[:, I_END] - frames.cadence_ms, frames.ints[:, I_ASSET]
    slot, offset = began // DROP_EVERY_MS, began % DROP_EVERY_MS // BAR_MS
    slots, which = np.unique(np.stack([slot, asset]), axis=1, return_inverse=True)
    drawn = (uniforms(slots.shape[1], *name) * (DROP_EVERY_MS // BAR_MS)).astype(np.int64)
    return rows_of(frames, offset != drawn[which.ravel()])


def widened_spread(frames: FrameBatch, name: Name) -> FrameBatch:
    """Make every spread three times as wide around its mid; the micro-price drifts as far as the spread is wide."""
    floats = frames.floats.copy()
    floats[:, [C_SPREAD, C_MICRO]] *= SPREAD_FACTOR
    return replace(frames, floats=floats)


def depth_vacuum(frames: FrameBatch, name: Name) -> FrameBatch:
    """Leave a tenth of the depth on one side, drawn, during a fifth of all half minutes."""
    floats = frames.floats.copy()
    slot, asset = frames.ints[:, I_END] // VACUUM_MS, frames.ints[:, I_ASSET]
    slots, which = np.unique(np.stack([slot, asset]), axis=1, return_inverse=True)
    hit = (uniforms(slots.shape[1], *name, "hit") < VACUUM_SHARE)[which.ravel()]
    bid = (uniforms(slots.shape[1], *name, "side") < 0.5)[which.ravel()]
    floats[hit & bid, C_DEPTH_BID] *= VACUUM_DEPTH
    floats[hit & ~bid, C_DEPTH_ASK] *= VACUUM_DEPTH
    return replace(frames, floats=floats)


def time_jitter(frames: FrameBatch, name: Name) -> FrameBatch:
    """Let a fifth of the frames show what the frame of their asset before them showed."""
    ints, floats = frames.ints.copy(), frames.floats.copy()
    late = uniforms(len(frames), *name) < LATE_SHARE
    for index in range(len(frames.universe)):
        rows = np.flatnonzero(ints[:, I_ASSET] == index)
        held = np.flatnonzero(late[rows[1:]]) + 1
        floats[rows[held]] = frames.floats[rows[held - 1]]
        ints[rows[held], I_MID2] = frames.ints[rows[held - 1], I_MID2]
    return _repriced(frames, ints, floats)


def costlier(tables: DayTables) -> DayTables:
    """Return the tables with twice the cost of trading inside sq_score, where a detector's cost is known.

    q = cost / (cost + edge) becomes k q / (k q + 1 - q); the other terms stay.
    """
    scores = []
    for sq, parts in zip(tables.sq_score, tables.quality, strict=True):
        q = parts.get("cost")
        if q is not None:
            dearer = COST_FACTOR * q / (COST_FACTOR * q + 1.0 - q)
            sq = min(max(sq + WEIGHTS["cost"] * (dearer - q), 0.0), 1.0)
        scores.append(sq)
    return replace(tables, sq_score=tuple(scores))


def fragility(effects: Sequence[DisturbanceEffect]) -> float:
    """Return the mean change of score over disturbances, in [0, 1]; 0 without any."""
    return sum(c.sigma for c in effects) / len(effects) if effects else 0.0


DISTURBANCES: Mapping[str, Callable[[FrameBatch, Name], FrameBatch]] = {
    "noise": noise,
    "dropped_bars": dropped_bars,
    "widened_spread": widened_spread,
    "depth_vacuum": depth_vacuum,
    "time_jitter": time_jitter,
}
NAMES = (*DISTURBANCES, "slippage_shock")


def _centred(frames: FrameBatch, name: Name, column: int) -> NDArray[np.float64]:
    return 2.0 * uniforms(len(frames), *name, column) - 1.0


def _repriced(frames: FrameBatch, ints: NDArray[np.int64], floats: NDArray[np.float64]) -> FrameBatch:
    """Return the frames with `mid` and `ret_bps` of their `mid2`."""
    for index in range(len(frames.universe)):
        rows = np.flatnonzero((ints[:, I_ASSET] == index) & (ints[:, I_MID2] > 0))
        mid = ints[rows, I_MID2].astype(np.float64)
        before = np.concatenate([mid[:1], mid[:-1]])
        floats[rows, C_MID] = mid / 2.0
        has_return = np.isfinite(frames.floats[rows, C_RET])
        floats[rows, C_RET] = np.where(has_return, 1e4 * (mid - before) / np.maximum(before, 1.0), np.nan)
    return replace(frames, ints=ints, floats=floats)


def _sigma(events: Columns) -> NDArray[np.float64]:
    eligible = events["eligible"].astype(np.float64)
    return np.sign(events["s"].astype(np.float64)) * events["det_sigma"].astype(np.float64) * eligible


def _chance(events: Columns) -> NDArray[np.float64]:
    return np.sign(events["s"].astype(np.float64)) * events["pi"].astype(np.float64)


def _published(events: Columns, spec: DetectorSpec) -> int:
    return int(np.count_nonzero(events["published"][events["detector_id"] == spec.detector_id]))


def _change(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    total = float(np.sum(np.abs(before)) + np.sum(np.abs(after)))
    return float(np.sum(np.abs(after - before))) / total if total > 0.0 else 0.0
