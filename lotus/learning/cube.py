"""The cube (step C): additive sums of a number per window over (block, subset of features, cell), and its lake form.

Every rule of at most three literals is a box in one of the sub-cubes, so its sums are exact without going back to the
windows. A null bin (255) counts in no cell of any subset that reads its feature. Blocks are blocks of time over all
assets together. In the literature: a data cube with additive aggregates.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.jit import allocating_kernel
from lotus.learning.axes import N_CELLS, axes
from lotus.timebase import BLOCKS_PER_DAY

LESSON_ATOMS = TableSpec(
    "lesson_atoms",
    ("detector_id", "block", "triple", "cell"),
    (
        Column("detector_id", "text", "", "detector"),
        Column("day", "text", "", "day on which the windows matured"),
        Column("block", "u1", "", "six-hour block of the maturity", low=0, high=3),
        Column(
            "triple", "i2", "", "subset of features: 0-219 triples, 220-285 pairs, 286-297 single ones", low=0, high=297
        ),
        Column("cell", "i2", "", "bins of the subset in base 5, the last feature fastest", low=0, high=124),
        Column("r", "f8", "bps", "sum of scores demeaned in the day"),
        Column("h", "f8", "", "sum of overlap weights", low=0),
        Column("n", "i4", "", "published windows", low=0),
    ),
)


_CHUNK = 1 << 15  # windows whose bins and positions stay in the cache while all subsets pass


@allocating_kernel
def accumulate_all(
    bins: NDArray[np.uint8],
    lane: NDArray[np.int64],
    values: NDArray[np.float64],
    n_lanes: int,
    subsets: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return sums [k, n_lanes, subsets, 125] of `values` [k, n] of windows with bins uint8 [n, features] and lane [n].

    Each cell adds its windows in their order, so sums do not depend on what else is accumulated.
    """
    wanted, n, width = values.shape[0], values.shape[1], subsets.shape[0] * 125
    features = bins.shape[1]
    out = np.zeros((wanted, n_lanes * width))
    column = np.zeros((features + 1, _CHUNK), dtype=np.uint8)  # the last one, of an unused axis, stays 0
    at = np.zeros(_CHUNK, dtype=np.int64)
    for start in range(0, n, _CHUNK):
        m = min(_CHUNK, n - start)
        for f in range(features):
            for i in range(m):
                column[f, i] = bins[start + i, f]
        for k in range(subsets.shape[0]):
            fa, fb, fc = subsets[k] % (features + 1)
            for i in range(m):
                a, b, c = np.int64(column[fa, i]), np.int64(column[fb, i]), np.int64(column[fc, i])
                inside = a < 5 and b < 5 and c < 5
                at[i] = lane[start + i] * width + k * 125 + 25 * a + 5 * b + c if inside else -1
            for w in range(wanted):
                sums, value = out[w], values[w]
                for i in range(m):
                    if at[i] >= 0:
                        sums[at[i]] += value[start + i]
    return out.reshape((wanted, n_lanes, subsets.shape[0], 125))


def accumulate(
    bins: NDArray[np.uint8],
    lane: NDArray[np.int64],
    value: NDArray[np.float64],
    n_lanes: int,
    subsets: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the sums [n_lanes, subsets, 125] of one `value` [n], see `accumulate_all`."""
    sums: NDArray[np.float64] = accumulate_all(bins, lane, np.ascontiguousarray(value)[None], n_lanes, subsets)[0]
    return sums


def atoms_of(
    detector_id: str,
    day: str,
    bins: NDArray[np.uint8],
    block: NDArray[np.uint8],
    values: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.generic]]:
    """Return LESSON_ATOMS of one detector and day (non-empty cells); `values` holds r, h and n of each window."""
    lane = block.astype(np.int64)
    space = axes().subsets
    names = ("r", "h", "n")
    stacked = np.stack([values[name] for name in names])
    cubes = dict(zip(names, accumulate_all(bins, lane, stacked, BLOCKS_PER_DAY, space), strict=True))
    blocks, triple, cell = np.nonzero((cubes["h"] != 0.0) | (cubes["n"] != 0.0) | (cubes["r"] != 0.0))
    out: dict[str, NDArray[np.generic]] = {
        "detector_id": np.full(len(cell), detector_id, dtype=object),
        "day": np.full(len(cell), day, dtype=object),
        "block": blocks.astype(np.uint8),
        "triple": triple.astype(np.int16),
        "cell": cell.astype(np.int16),
    }
    for name in ("r", "h"):
        out[name] = cubes[name][blocks, triple, cell]
    out["n"] = cubes["n"][blocks, triple, cell].astype(np.int32)
    return out


def cube_of(atoms: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.float64]:
    """Return the dense cube [4, subsets, 125] of one statistic (r, h or n) from rows of one detector and day."""
    out = np.zeros((BLOCKS_PER_DAY, len(axes().subsets), N_CELLS))
    at = tuple(np.asarray(atoms[key], dtype=np.int64) for key in ("block", "triple", "cell"))
    out[at] = np.asarray(atoms[name], dtype=np.float64)
    return out
