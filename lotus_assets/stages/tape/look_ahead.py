"""The look-ahead check: what was computed on the whole day must be what a tape cut short would have given.

At three points, drawn from a seed of the day, the same pure function runs on the input up to the point; its last rows
must equal the day's rows at the same place bit for bit. Points lie in the first `BUDGET` rows, so that the check costs
about a second whatever the day's size: causality is a property of the code, not of the hour.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64
from lotus_assets.stages.context import CheckOutcome

POINTS = 3
BUDGET = 1_000_000
Columns = Mapping[str, NDArray[np.generic]]


def cut_points(seed: int, what: str, day: str, rows: int) -> list[int]:
    """Return up to three row counts in 1..min(rows, BUDGET), a pure function of seed, table and day."""
    reach = min(rows, BUDGET)
    if reach < 1:
        return []
    return sorted({1 + key64(seed, what, day, k) % reach for k in range(POINTS)})


def look_ahead_check(
    what: str, day: str, seed: int, rows: int, whole: Columns, recompute: Callable[[int], Columns]
) -> CheckOutcome:
    """Compare the rows computed from the first n input rows with the first rows of `whole`.

    `recompute(n)` gives those that it has not given for the point before, which are not compared again.
    """
    compared = given = 0
    points = cut_points(seed, what, day, rows)
    for point in points:
        part = recompute(point)
        column = first_difference(part, {name: whole[name][given:] for name in part})
        if column:
            text = f"{what} cut at input row {point} of {rows}: {column} differs from the whole day's"
            return CheckOutcome("no_look_ahead", False, text, {"points": len(points), "cut": point})
        given += _length(part)
        compared += given
    text = f"{len(points)} cuts, {compared} rows equal bit for bit"
    return CheckOutcome("no_look_ahead", True, text, {"points": len(points), "rows_compared": compared})


def first_difference(part: Columns, whole: Columns) -> str:
    """Return the first column in which `part` is not the beginning of `whole`, bit for bit; "" when there is none."""
    n = _length(part)
    if n > _length(whole):
        return "the number of rows"
    for name, values in part.items():
        if not same_bits(np.asarray(values), np.asarray(whole[name])[:n]):
            return name
    return ""


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 0


def same_bits(first: NDArray[np.generic], second: NDArray[np.generic]) -> bool:
    """Tell whether two arrays have the same type, shape and bits; objects are compared as what they are."""
    if first.dtype.kind == "O":
        return bool(np.array_equal(first, second))
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    bits = first.dtype.str.replace("f", "u")
    return bool(np.array_equal(np.ascontiguousarray(first).view(bits), np.ascontiguousarray(second).view(bits)))
