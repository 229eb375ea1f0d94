"""Calibration: evidence to probability and |z| to confidence, by the knots of an isotonic fit or by the defaults.

One kernel for one row and for many, so live and batch agree bit for bit. Fitting is not done here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.experts.fusion import ExpertSet, Knots
from lotus.jit import kernel

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class KnotTable:
    """Knots of several columns one after the other: column k owns [first[k], first[k + 1]) of xs and ys."""

    first: NDArray[np.int64]
    xs: Floats
    ys: Floats


def table_of(columns: Sequence[Knots]) -> KnotTable:
    """Return the arrays of the knots of each column (an empty one means the default)."""
    first = np.cumsum([0, *(len(knots) for knots in columns)])
    flat = [pair for knots in columns for pair in knots] or [(0.0, 0.0)]
    return KnotTable(first.astype(np.int64), np.array([x for x, _ in flat]), np.array([y for _, y in flat]))


def evidence_table(experts: ExpertSet) -> KnotTable:
    """Return the calibration of mx_evidence."""
    return table_of([experts.fusion.evidence])


def confidences(z: Floats, experts: ExpertSet) -> Floats:
    """Return conf f8[n, experts] of z f8[n, experts]: the fitted confidence of |z|, else 2 logistic(|z|) - 1."""
    fitted: Mapping[str, Knots] = experts.fusion.confidence or {}
    table = table_of([fitted.get(name, ()) for name in experts.names])
    out = np.empty_like(z)
    fill_confidences(z, table.first, table.xs, table.ys, out)
    return out


@kernel
def fill_confidences(z: Floats, first: NDArray[np.int64], xs: Floats, ys: Floats, out: Floats) -> None:
    """Write conf of every z."""
    for i in range(z.shape[0]):
        for k in range(z.shape[1]):
            size = abs(z[i, k])
            if size != size:
                out[i, k] = math.nan
            elif first[k + 1] > first[k]:
                out[i, k] = between(size, xs, ys, first[k], first[k + 1])
            else:
                out[i, k] = 2.0 * mathx.logistic(size) - 1.0


@kernel
def calibrate(rows: Floats, column: int, xs: Floats, ys: Floats) -> None:
    """Replace one column of rows f8[n, columns] by its calibrated value; nulls stay."""
    for i in range(rows.shape[0]):
        if rows[i, column] == rows[i, column]:
            rows[i, column] = between(rows[i, column], xs, ys, 0, len(xs))


@kernel
def between(x: float, xs: Floats, ys: Floats, begin: int, end: int) -> float:
    """Return the line through the knots [begin, end) at x, flat outside them."""
    if x <= xs[begin]:
        return float(ys[begin])
    for k in range(begin + 1, end):
        if x < xs[k]:
            share = (x - xs[k - 1]) / (xs[k] - xs[k - 1])
            return float(ys[k - 1] + share * (ys[k] - ys[k - 1]))
    return float(ys[end - 1])
