"""Lesson atoms in coarser rows: per day or per week, summed over blocks. In the literature: roll-ups.

When a day is made coarser is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.learning.cube import LESSON_ATOMS, SUMS
from lotus_store.columns import Columns, concatenated

_COLUMNS = (
    Column("detector_id", "text", "", "detector"),
    Column("made_of", "text", "", "the days summed here with the content hash of their atoms: day=hash, by spaces"),
    Column("triple", "i2", "", "subset of features, as in lesson_atoms", low=0, high=297),
    Column("cell", "i2", "", "bins of the subset, as in lesson_atoms", low=0, high=124),
    Column("r", "f8", "bps", "sum of scores demeaned in the day"),
    Column("h", "f8", "", "sum of overlap weights", low=0),
    Column("rest_r", "f8", "bps", "the same against the rest of the day; null where a day was kept before that", True),
    Column("rest_h", "f8", "", "sum of its weights; null likewise", True, low=0),
    Column("n", "i8", "", "published windows", low=0),
)
DAILY = TableSpec("lesson_atoms_daily", ("detector_id", "triple", "cell"), _COLUMNS)
WEEKLY = replace(DAILY, name="lesson_atoms_weekly")
TABLES = (LESSON_ATOMS.name, DAILY.name, WEEKLY.name)


def summed(parts: Sequence[Columns], made_of: str) -> dict[str, NDArray[np.generic]]:
    """Return rows of `DAILY` and `WEEKLY`: sums per detector, subset and cell over the rows of `parts`, in order."""
    kept = ("detector_id", "triple", "cell", *SUMS, "n")
    rows = concatenated([{name: part.get(name, np.full(len(part["r"]), np.nan)) for name in kept} for part in parts])
    texts = rows["detector_id"].tolist()
    names = sorted(set(texts))
    place = {name: i for i, name in enumerate(names)}
    code = np.array([place[x] for x in texts], dtype=np.int64)
    key = (code * (1 << 16) + rows["triple"].astype(np.int64)) * (1 << 16) + rows["cell"].astype(np.int64)
    cells, group = np.unique(key, return_inverse=True)

    def total(name: str) -> NDArray[np.float64]:
        sums = np.bincount(group, weights=rows[name].astype(np.float64), minlength=len(cells))
        return np.asarray(sums, dtype=np.float64)

    return {
        "detector_id": np.array(names, dtype=object)[cells >> 32],
        "made_of": np.full(len(cells), made_of, dtype=object),
        "triple": (cells >> 16 & 0xFFFF).astype(np.int16),
        "cell": (cells & 0xFFFF).astype(np.int16),
        **{name: total(name) for name in SUMS},
        "n": np.rint(total("n")).astype(np.int64),
    }
