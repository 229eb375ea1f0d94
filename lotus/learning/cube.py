"""The cube (step C): additive sums of a number per window over (block, subset of features, cell), and its lake form.

Every rule of at most three literals is a box in one of the sub-cubes, so its sums are exact without going back to the
windows. A null bin (255) counts in no cell of any subset that reads its feature. Blocks are blocks of time over all
assets together. In the literature: a data cube with additive aggregates.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec, repeated
from lotus.jit import allocating_kernel, kernel
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
        Column("rest_r", "f8", "bps", "the same against the rest of the day (lane F)"),
        Column("rest_h", "f8", "", "sum of its weights", low=0),
        Column("n", "i4", "", "published windows", low=0),
    ),
)

SUMS = ("r", "h", "rest_r", "rest_h")  # of both lanes
_CHUNK = 1 << 12  # windows whose bins stay in the cache while all subsets pass
_OUTSIDE = 125  # the cell of windows that have a null bin in the subset
_NULL = 1000  # digit of a null bin: with any others beyond every cell


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
    if np.any(lane[1:] < lane[:-1]):
        order = np.argsort(lane, kind="stable")
        bins, lane, values = bins[order], lane[order], values[:, order]
    return _accumulate(bins, lane, np.ascontiguousarray(values), n_lanes, subsets)


@allocating_kernel
def _accumulate(
    bins: NDArray[np.uint8],
    lane: NDArray[np.int64],
    values: NDArray[np.float64],
    n_lanes: int,
    subsets: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the sums of windows in the order of their lanes: one lane, chunk, subset and four values at a time."""
    wanted, n, features = values.shape[0], values.shape[1], bins.shape[1]
    out = np.zeros((wanted, n_lanes, subsets.shape[0], 125))
    digits = np.zeros((3, features + 1, _CHUNK), dtype=np.uint16)  # the last feature, of an unused axis, stays 0
    cell = np.zeros(_CHUNK, dtype=np.uint16)
    fours = np.zeros(((wanted + 3) // 4, _CHUNK, 4))
    sums = np.zeros((_OUTSIDE + 1, 4))
    start = 0
    while start < n:
        m, here = 1, lane[start]
        while m < min(_CHUNK, n - start) and lane[start + m] == here:
            m += 1
        _digits(bins, start, m, digits)
        for w in range(wanted):
            for i in range(m):
                fours[w // 4, i, w % 4] = values[w, start + i]
        for k in range(subsets.shape[0]):
            _cells(digits[2, subsets[k, 0]], digits[1, subsets[k, 1]], digits[0, subsets[k, 2]], m, cell)
            for w in range(0, wanted - 1, 4):
                _add_fours(cell, fours[w // 4], m, out[w : w + 4, here, k], sums)
            if wanted % 4 == 1:
                _add(cell, values[wanted - 1], start, m, out[wanted - 1, here, k], sums)
        start += m
    return out


@kernel
def _digits(bins: NDArray[np.uint8], start: int, m: int, digits: NDArray[np.uint16]) -> None:
    """Write the bins of m windows as the last, middle and first digit of a cell's number."""
    for f in range(bins.shape[1]):
        for i in range(m):
            b = bins[start + i, f]
            digits[0, f, i] = b if b < 5 else _NULL
        for i in range(m):
            b = digits[0, f, i]
            digits[1, f, i] = 5 * b if b < 5 else _NULL
            digits[2, f, i] = 25 * b if b < 5 else _NULL


@kernel
def _cells(
    a: NDArray[np.uint16], b: NDArray[np.uint16], c: NDArray[np.uint16], m: int, cell: NDArray[np.uint16]
) -> None:
    for i in range(m):
        at = np.uint16(a[i] + b[i] + c[i])
        cell[i] = at if at < _OUTSIDE else _OUTSIDE


@kernel
def _add_fours(
    cell: NDArray[np.uint16],
    fours: NDArray[np.float64],
    m: int,
    out: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Add up to four values of m windows to their cells; `sums` [126, 4] holds them beside each other meanwhile."""
    wanted = out.shape[0]
    for c in range(_OUTSIDE):
        for w in range(wanted):
            sums[c, w] = out[w, c]
    for i in range(m):
        to, four = sums[cell[i]], fours[i]
        to[0], to[1], to[2], to[3] = to[0] + four[0], to[1] + four[1], to[2] + four[2], to[3] + four[3]
    for c in range(_OUTSIDE):
        for w in range(wanted):
            out[w, c] = sums[c, w]


@kernel
def _add(
    cell: NDArray[np.uint16],
    value: NDArray[np.float64],
    start: int,
    m: int,
    out: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    for c in range(_OUTSIDE):
        sums[c, 0] = out[c]
    for i in range(m):
        sums[cell[i], 0] += value[start + i]
    for c in range(_OUTSIDE):
        out[c] = sums[c, 0]


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
    """Return LESSON_ATOMS of one detector and day (non-empty cells); `values` [n] by name of a sum."""
    lane = block.astype(np.int64)
    space = axes().subsets
    names = (*SUMS, "n")
    stacked = np.stack([values[name] for name in names])
    cubes = dict(zip(names, accumulate_all(bins, lane, stacked, BLOCKS_PER_DAY, space), strict=True))
    blocks, triple, cell = np.nonzero(np.any([cube != 0.0 for cube in cubes.values()], axis=0))
    out: dict[str, NDArray[np.generic]] = {
        "detector_id": repeated(detector_id, len(cell)),
        "day": repeated(day, len(cell)),
        "block": blocks.astype(np.uint8),
        "triple": triple.astype(np.int16),
        "cell": cell.astype(np.int16),
    }
    for name in SUMS:
        out[name] = cubes[name][blocks, triple, cell]
    out["n"] = cubes["n"][blocks, triple, cell].astype(np.int32)
    return out


def cube_of(atoms: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.float64]:
    """Return the dense cube [4, subsets, 125] of one of the sums from rows of one detector and day."""
    out = np.zeros((BLOCKS_PER_DAY, len(axes().subsets), N_CELLS))
    at = tuple(np.asarray(atoms[key], dtype=np.int64) for key in ("block", "triple", "cell"))
    out[at] = np.asarray(atoms[name], dtype=np.float64)
    return out
