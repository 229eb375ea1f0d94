"""LESSON_ATOMS: the cube of one maturity day as rows, one per non-empty cell, additive over days.

r is demeaned on the hats of u0 alone; once lessons are believed, the night rebuilds r from the scores with their
indicators in the baseline. Searching does not belong here.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.learning.axes import N_CELLS, axes
from lotus.learning.cube import accumulate
from lotus.learning.demean import demean
from lotus.learning.payoff_scores import Columns, Table
from lotus.learning.rows import DetectorRows, rows_by_detector
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
_DTYPES = {
    "detector_id": object,
    "day": object,
    "block": np.uint8,
    "triple": np.int16,
    "cell": np.int16,
    "r": np.float64,
    "h": np.float64,
    "n": np.int32,
}


def lesson_atoms(scores: Columns, day: str) -> Table:
    """Return LESSON_ATOMS of one day from its PAYOFF_SCORES, all detectors, in key order."""
    parts = [_of_detector(rows, day) for rows in rows_by_detector({day: scores}, 1).values()]
    if not parts:
        return {name: np.zeros(0, dtype=dtype) for name, dtype in _DTYPES.items()}
    return {name: np.concatenate([part[name] for part in parts]) for name in LESSON_ATOMS.names}


def _of_detector(rows: DetectorRows, day: str) -> Table:
    space = axes().subsets
    block = rows.lane_slot[rows.lane]
    values = {
        "r": demean(rows.basis(), rows.h, rows.f, rows.day, 1),
        "h": rows.h,
        "n": rows.published.astype(np.float64),
    }
    cubes = {name: accumulate(rows.bins, block, value, BLOCKS_PER_DAY, space) for name, value in values.items()}
    at = np.nonzero((cubes["h"] != 0.0) | (cubes["n"] != 0.0) | (cubes["r"] != 0.0))
    out: Table = {
        "detector_id": np.full(len(at[0]), rows.detector_id, dtype=object),
        "day": np.full(len(at[0]), day, dtype=object),
    }
    out |= dict(zip(("block", "triple", "cell"), at, strict=True))
    out |= {name: cube[at] for name, cube in cubes.items()}
    return {name: out[name].astype(_DTYPES[name]) for name in LESSON_ATOMS.names}


def cube_of(atoms: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.float64]:
    """Return the dense cube [4, subsets, 125] of one statistic (r, h or n) from rows of one detector and day."""
    out = np.zeros((BLOCKS_PER_DAY, len(axes().subsets), N_CELLS))
    at = tuple(np.asarray(atoms[key], dtype=np.int64) for key in ("block", "triple", "cell"))
    out[at] = np.asarray(atoms[name], dtype=np.float64)
    return out
