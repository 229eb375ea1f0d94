"""Rank and quantile over long windows: a decayed histogram of 64 bins that fits itself to the values.

A bin is a centre and its mass. A new value is a bin of its own (or joins the one with just that centre); when there are
65, the two neighbours with the least mass together become one, so bins hold about equal mass whatever the scale and
level of the values, and values that repeat keep a bin of their own, exactly. Masses fade with a half-life of w / 2 rows
because the weight of new values grows; everything is divided by 2**40, exactly, when it gets large. O(64) per row.
Error of a rank: a few thousandths, rarely three hundredths (more where values spread over hundreds of decades).
Y. Ben-Haim, E. Tom-Tov, "A streaming parallel decision tree algorithm", JMLR 2010; forward decay: G. Cormode et al.,
ICDE 2009. Windows up to 600 rows are exact, in `ops_rank`.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.tape_machine.ops_rank import between
from lotus.tape_machine.ops_table import BINS

Column = NDArray[np.float64]
Ints = NDArray[np.int64]

RESCALE: Final[float] = 1099511627776.0  # 2**40
# floats: weight of the next row, weight of all rows so far, then of BINS + 1 bins the centres (rising), the masses, and
# whether each was joined from others
CENTRES: Final[int] = 2
MASSES: Final[int] = CENTRES + BINS + 1
JOINED: Final[int] = MASSES + BINS + 1
SEEN, SIZE = 0, 1


@kernel
def spread_half(floats: Column, k: int) -> float:
    """Return the mass of bin k that lies on each side of its centre: none as long as only equal values are in it."""
    return float(0.5 * floats[MASSES + k]) if floats[JOINED + k] > 0.0 else 0.0


@kernel
def share_below(floats: Column, size: int, x: float) -> float:
    """Return the mass below x and half of the mass at x; joined bins are spread evenly between the centres."""
    mass, reached, last = 0.0, 0.0, 0.0  # of the bins before; mass up to the last centre, that centre
    for k in range(size):
        centre, own, side = floats[CENTRES + k], floats[MASSES + k], spread_half(floats, k)
        if x == centre:
            return float(mass + 0.5 * own)
        if x < centre:
            gap = 0.5 * centre - 0.5 * last
            part = (0.5 * x - 0.5 * last) / gap if gap > 0.0 else 0.5
            return reached + (mass + side - reached) * min(part, 1.0) if k > 0 else 0.0
        mass += own
        reached, last = mass - side, centre
    return mass


@kernel
def value_below(floats: Column, size: int, wanted: float) -> float:
    """Return the value with this mass below it, the inverse of `share_below`."""
    mass, reached, last = 0.0, 0.0, floats[CENTRES]
    for k in range(size):
        centre, side = floats[CENTRES + k], spread_half(floats, k)
        here = mass + side
        if wanted < here:
            part = (wanted - reached) / (here - reached) if here > reached else 1.0
            return between(last, centre, max(part, 0.0))
        mass += floats[MASSES + k]
        reached, last = mass - side, centre
        if wanted <= reached:
            break
    return float(last)


@kernel
def add_value(floats: Column, ints: Ints, x: float, weight: float) -> None:
    """Give x its mass; with a bin too many, join the two lightest neighbours."""
    size, k = ints[SIZE], 0
    while k < size and floats[CENTRES + k] < x:
        k += 1
    if k < size and floats[CENTRES + k] == x:
        floats[MASSES + k] += weight
        return
    for j in range(size, k, -1):
        move(floats, j - 1, j)
    floats[CENTRES + k], floats[MASSES + k], floats[JOINED + k] = x, weight, 0.0
    size += 1
    if size > BINS:
        join_lightest(floats, size)
        size -= 1
    ints[SIZE] = size


@kernel
def move(floats: Column, source: int, target: int) -> None:
    """Copy one bin over another."""
    floats[CENTRES + target] = floats[CENTRES + source]
    floats[MASSES + target] = floats[MASSES + source]
    floats[JOINED + target] = floats[JOINED + source]


@kernel
def join_lightest(floats: Column, size: int) -> None:
    """Make one bin of the two neighbours with the least mass together (the lower pair of equals)."""
    at, least = 0, math.inf
    for j in range(size - 1):
        both = floats[MASSES + j] + floats[MASSES + j + 1]
        if both < least:
            at, least = j, both
    part = floats[MASSES + at + 1] / least if least > 0.0 else 0.5
    floats[CENTRES + at] = between(floats[CENTRES + at], floats[CENTRES + at + 1], part)
    floats[MASSES + at], floats[JOINED + at] = least, 1.0
    for j in range(at + 1, size - 1):
        move(floats, j + 1, j)


@kernel
def decayed_rank(
    out: Column, x: Column, w: int, share: float, growth: float, is_rank: bool, floats: Column, ints: Ints, n: int
) -> None:
    """Rank of x or the `share`-quantile of the decayed histogram.

    Null while fewer than w rows were seen, where less than half of the decayed rows are known, and a rank where x is
    null. floats: see the file's head (a blank weight is 1), ints: rows seen up to w, bins in use.
    """
    weight, rows = floats[0], floats[1]
    if ints[SEEN] == 0:
        weight = 1.0
    for i in range(n):
        v = x[i]
        known = v == v
        size = ints[SIZE]
        under = share_below(floats, size, v) if known and is_rank else 0.0
        total = 0.0
        for k in range(size):
            total += floats[MASSES + k]
        rows += weight
        if known:
            add_value(floats, ints, v, weight)
            total += weight
        ints[SEEN] = min(ints[SEEN] + 1, w)
        if not (ints[SEEN] == w and 2.0 * total >= rows and (known or not is_rank)):
            out[i] = math.nan
        elif is_rank:
            out[i] = min((under + 0.5 * weight) / total, 1.0)
        else:
            out[i] = value_below(floats, ints[SIZE], share * total)
        weight *= growth
        if weight >= RESCALE:
            weight /= RESCALE
            rows /= RESCALE
            for k in range(BINS):
                floats[MASSES + k] /= RESCALE
    floats[0], floats[1] = weight, rows
