"""CONDITION_STATS: what published windows did under each readable condition of one or two context bins, decayed.

For people and as raw material of meta braids; nothing here is tested, so nothing here may become a belief. A day's
table is a function of the day before's table and the day's windows, so its cost does not depend on the history. In the
literature: exponentially weighted moving averages by segment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec, repeated
from lotus.hashing import round_learned
from lotus.learning.axes import N_CELLS, SIDE, Axes, axes
from lotus.learning.cube import accumulate_all
from lotus.learning.payoff_scores import bins_of
from lotus.priors.vocabulary import FEATURES

Columns = Mapping[str, NDArray[np.generic]]
Table = dict[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
MAX_BINS = 2
MEASURES = ("hit_rate", "mfe_avg", "mae_avg")
LIFTS = ("lift_hit", "lift_mfe", "lift_mae")

CONDITION_STATS = TableSpec(
    "condition_stats",
    ("detector_id", "cond_key"),
    (
        Column("detector_id", "text", "", "detector"),
        Column("day", "text", "", "last day counted"),
        Column("cond_key", "text", "", "bins that hold, for example mx=3|session=US; all = no condition"),
        Column("samples", "i8", "", "published windows ever counted", low=1),
        Column("weight", "f8", "", "the same, decayed", low=0),
        Column("hit_rate", "f8", "", "decayed mean of hits at the decision horizon", low=0, high=1),
        Column("mfe_avg", "f8", "bps", "decayed mean of the largest move with the signal", low=0),
        Column("mae_avg", "f8", "bps", "decayed mean of the largest move against it", high=0),
        Column("lift_hit", "f8", "", "hit_rate less that of all windows"),
        Column("lift_mfe", "f8", "bps", "mfe_avg less that of all windows"),
        Column("lift_mae", "f8", "bps", "mae_avg less that of all windows"),
        Column("stability", "f8", "", "decayed share of days whose lift of hits kept its sign", low=0, high=1),
        Column("days_weight", "f8", "", "decayed number of days in stability", low=0),
    ),
)  # fmt: skip


def condition_stats(before: Columns | None, windows: Columns, day: str, half_life_days: float) -> Table:
    """Return the table after `day` from that of the day before and the day's published windows.

    `windows`: detector_id, the twelve bins, hit, mfe, mae [n]; rows with an unknown outcome do not count.
    """
    names = np.asarray(windows["detector_id"])
    held = set() if before is None else set(np.asarray(before["detector_id"]).tolist())
    parts = []
    for name in sorted(set(names.tolist()) | held):
        mine = {key: np.asarray(values)[names == name] for key, values in windows.items()}
        earlier = None
        if before is not None:
            at = np.asarray(before["detector_id"]) == name
            earlier = {key: np.asarray(values)[at] for key, values in before.items()}
        parts.append(_of_detector(name, earlier, mine, day, 2.0 ** (-1.0 / half_life_days)))
    if not parts:
        return {c.name: np.zeros(0, dtype=CONDITION_STATS.numpy_dtype(c.name)) for c in CONDITION_STATS.columns}
    return {key: np.concatenate([part[key] for part in parts]) for key in CONDITION_STATS.names}


def condition_keys(space: Axes) -> list[str]:
    """Return the readable key of every cell of `space`, and "all" last."""
    keys = []
    for position in space.cells:
        subset, cell = divmod(int(position), N_CELLS)
        digits = (cell // SIDE**2, cell // SIDE % SIDE, cell % SIDE)
        used = [(FEATURES[f], b) for f, b in zip(space.subsets[subset].tolist(), digits, strict=True) if f >= 0]
        keys.append("|".join(f"{feature.name}={feature.labels[b] if feature.labels else b}" for feature, b in used))
    return [*keys, "all"]


@dataclass(frozen=True, slots=True, eq=False)
class _Conditions:
    """The keys of all conditions, where each stands, and their alphabetical order i8 [c + 1]."""

    keys: NDArray[np.object_]
    place: Mapping[str, int]
    order: NDArray[np.int64]


@cache
def _conditions() -> _Conditions:
    keys = condition_keys(axes(MAX_BINS))
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    return _Conditions(np.array(keys, dtype=object), {key: k for k, key in enumerate(keys)}, order)


def _of_detector(name: str, before: Columns | None, windows: Columns, day: str, decay: float) -> Table:
    conditions = _conditions()
    sums = _day_sums(windows)
    n = sums[0]
    held = _aligned(before, conditions)
    weight = decay * held["weight"]
    total = weight + n
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [
            np.where(total > 0.0, (weight * held[key] + x) / total, 0.0)
            for key, x in zip(MEASURES, sums[1:], strict=True)
        ]
        today = np.where(n > 0.0, sums[1] / n, 0.0) - (sums[1][-1] / n[-1] if n[-1] else 0.0)
    judged = (n > 0.0) & (held["weight"] > 0.0)
    agrees = judged & (np.sign(today) == np.sign(held["lift_hit"]))
    days = decay * held["days_weight"] + judged
    kept_sign = decay * held["days_weight"] * held["stability"] + agrees
    share = np.where(days > 0.0, kept_sign / np.maximum(days, 1e-12), 0.0)
    samples = held["samples"].astype(np.int64) + np.rint(n).astype(np.int64)
    rows = conditions.order[samples[conditions.order] > 0]
    return {
        "detector_id": repeated(name, len(rows)),
        "day": repeated(day, len(rows)),
        "cond_key": conditions.keys[rows],
        "samples": samples[rows],
        "weight": round_learned(total[rows]),
        **{key: round_learned(x[rows]) for key, x in zip(MEASURES, means, strict=True)},
        **{key: round_learned(x[rows] - x[-1]) for key, x in zip(LIFTS, means, strict=True)},
        "stability": round_learned(share[rows]),
        "days_weight": round_learned(days[rows]),
    }


def _day_sums(windows: Columns) -> Floats:
    """Return [4, c + 1]: windows, hits, mfe and mae of every condition, of all windows last."""
    measured = np.stack([np.asarray(windows[key], dtype=np.float64) for key in ("hit", "mfe", "mae")])
    known = np.isfinite(measured).all(axis=0)
    values = np.concatenate([np.ones((1, int(known.sum()))), measured[:, known]])
    space = axes(MAX_BINS)
    lane = np.zeros(values.shape[1], dtype=np.int64)
    cubes = accumulate_all(bins_of(windows)[known], lane, values, 1, space.subsets)
    return np.concatenate([cubes.reshape(4, -1)[:, space.cells], values.sum(axis=1)[:, None]], axis=1)


def _aligned(before: Columns | None, conditions: _Conditions) -> dict[str, Floats]:
    wanted = ("samples", "weight", *MEASURES, "lift_hit", "stability", "days_weight")
    out = {name: np.zeros(len(conditions.keys)) for name in wanted}
    if before is not None:
        at = [conditions.place[key] for key in np.asarray(before["cond_key"]).tolist()]
        for name in wanted:
            out[name][at] = np.asarray(before[name], dtype=np.float64)
    return out
