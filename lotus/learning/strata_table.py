"""PAYOFF_STRATA: the histograms of a day (`strata`) as rows, one per detector, version and cell that holds anything.

A day of scores leaves them beside it, so the strata of the next twenty days are had without reading any window.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.learning.payoff_scores import Columns, Table
from lotus.learning.strata import N_CELLS, SUMS, Histogram, Strata, histogram, strata_of

PAYOFF_STRATA = TableSpec(
    "payoff_strata",
    ("detector_id", "spec_version", "cell"),
    (
        Column("detector_id", "text", "", "detector"),
        Column("spec_version", "i4", "", "version of its specification"),
        Column("cell", "i2", "", "sixteenth of a logit from -16 on", low=0, high=N_CELLS - 1),
        Column("weight", "f8", "", "sum of overlap weights p (1 - p)", low=0),
        Column("taken", "f8", "", "sum of A (1 - p) over executed windows", low=0),
        Column("paid", "f8", "bps", "sum of A (1 - p) Y over executed windows"),
        Column("square", "f8", "", "sum of squares of the overlap weights", low=0),
        Column("scatter", "f8", "bps^2", "sum of squares of f - h level", low=0),
    ),
)
Histograms = dict[tuple[str, int], Histogram]


def histograms_of(scores: Columns) -> Histograms:
    """Return the histogram of every detector's version in PAYOFF_SCORES of one day."""
    names, versions = np.asarray(scores["detector_id"]), np.asarray(scores["spec_version"])
    out: Histograms = {}
    for name in sorted(set(names.tolist())):
        for version in np.unique(versions[names == name]).tolist():
            mine = (names == name) & (versions == version)
            wanted = ("u0", "p", "payoff_y", "f", "level")
            u0, p, paid, f, level = (np.asarray(scores[key], dtype=np.float64)[mine] for key in wanted)
            published = np.asarray(scores["published"], dtype=np.bool_)[mine]
            out[name, int(version)] = histogram(u0, p, published, paid, f, level)
    return out


def strata_rows(found: Histograms) -> Table:
    """Return histograms as rows of PAYOFF_STRATA: cells that hold anything."""
    cells = {key: np.flatnonzero((one.weight > 0.0) | (one.taken > 0.0)) for key, one in found.items()}
    sizes = [len(cells[key]) for key in found]

    def column(name: str) -> NDArray[np.generic]:
        parts = [getattr(one, name)[cells[key]] for key, one in found.items()]
        return np.concatenate(parts) if parts else np.zeros(0)

    return {
        "detector_id": np.repeat(np.array([name for name, _ in found], dtype=object), sizes),
        "spec_version": np.repeat(np.array([version for _, version in found], dtype=np.int32), sizes),
        "cell": np.concatenate([*cells.values(), np.zeros(0)]).astype(np.int16),
        **{name: column(name) for name in SUMS},
    }


def histograms_in(rows: Columns) -> Histograms:
    """Return the histograms of rows of PAYOFF_STRATA."""
    names, versions = np.asarray(rows["detector_id"]), np.asarray(rows["spec_version"])
    cell = np.asarray(rows["cell"], dtype=np.int64)
    out: Histograms = {}
    for name, version in sorted(set(zip(names.tolist(), versions.tolist(), strict=True))):
        mine = (names == name) & (versions == version)
        parts = [np.bincount(cell[mine], weights=np.asarray(rows[key])[mine], minlength=N_CELLS) for key in SUMS]
        out[name, int(version)] = Histogram(*(part.astype(np.float64) for part in parts))
    return out


def pasts_of_days(days: Iterable[Histograms]) -> dict[tuple[str, int], Strata]:
    """Return the strata that these earlier days (the newest `HISTORY_DAYS`) give to each detector's version."""
    held: dict[tuple[str, int], list[Histogram]] = {}
    for day in days:
        for key, one in day.items():
            held.setdefault(key, []).append(one)
    return {key: strata_of(found) for key, found in held.items()}
