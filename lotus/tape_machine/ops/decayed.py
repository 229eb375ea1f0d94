"""Rank and quantile over long windows: a decayed histogram of 64 bins that fits itself to the values.

A bin is a centre and its mass. A new value joins the bin with just that centre, or is a bin of its own; when all 64 are
taken, the two neighbours with the least mass together become one (the new value among them), so bins hold about equal
mass whatever the scale and level of the values, and values that repeat keep a bin of their own, exactly. Masses fade
with a half-life of w / 2 rows because the weight of new values grows; everything is divided by 2**40, exactly, when it
gets large. O(64) per row.
Error of a rank: a few thousandths, rarely three hundredths (more where values spread over hundreds of decades).
Y. Ben-Haim, E. Tom-Tov, "A streaming parallel decision tree algorithm", JMLR 2010; forward decay: G. Cormode et al.,
ICDE 2009. Windows up to 600 rows are exact, in `rank`.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.tape_machine.ops.rank import between
from lotus.tape_machine.ops.table import BINS

Column = NDArray[np.float64]
Ints = NDArray[np.int64]

RESCALE: Final[float] = 1099511627776.0  # 2**40
# floats: weight of the next row, weight of all rows and of the known ones, then of BINS bins the centres (rising), the
# masses, and whether each was joined from others
CENTRES: Final[int] = 3
MASSES: Final[int] = CENTRES + BINS
JOINED: Final[int] = MASSES + BINS
SEEN, SIZE = 0, 1


@kernel
def spread_half(floats: Column, k: int) -> float:
    """Return the mass of bin k that lies on each side of its centre: none as long as only equal values are in it."""
    return float(0.5 * floats[MASSES + k]) if floats[JOINED + k] > 0.0 else 0.0


@kernel
def bin_at(floats: Column, size: int, x: float) -> int:
    """Return the first bin whose centre is not below x (`size` if all are), by halving."""
    low, many = 0, size
    while many > 0:
        half = (many + 1) >> 1
        low += half if floats[CENTRES + low + half - 1] < x else 0
        many -= half
    return int(low)


@kernel
def mass_before(floats: Column, k: int) -> float:
    """Return the mass of the bins before bin k, in four partial sums."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for j in range(0, k - 3, 4):
        a += floats[MASSES + j]
        b += floats[MASSES + j + 1]
        c += floats[MASSES + j + 2]
        d += floats[MASSES + j + 3]
    for j in range(k & ~3, k):
        a += floats[MASSES + j]
    return float((a + b) + (c + d))


@kernel
def share_below(floats: Column, size: int, k: int, x: float) -> float:
    """Return the mass below x and half of the mass at x; joined bins are spread evenly between the centres.

    k = `bin_at` of x.
    """
    mass = mass_before(floats, k)
    if k == size:
        return mass
    centre = floats[CENTRES + k]
    if x == centre:
        return float(mass + 0.5 * floats[MASSES + k])
    if k == 0:
        return 0.0
    last, reached = floats[CENTRES + k - 1], mass - spread_half(floats, k - 1)
    gap = 0.5 * centre - 0.5 * last
    part = (0.5 * x - 0.5 * last) / gap if gap > 0.0 else 0.5
    return float(reached + (mass + spread_half(floats, k) - reached) * min(part, 1.0))


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
def add_value(floats: Column, ints: Ints, k: int, x: float, weight: float) -> None:
    """Give x its mass, k = `bin_at` of x; with a bin too many, join the two lightest neighbours."""
    size = ints[SIZE]
    if k < size and floats[CENTRES + k] == x:
        floats[MASSES + k] += weight
    elif size < BINS:
        shift(floats, k, size, 1)
        put(floats, k, x, weight, 0.0)
        ints[SIZE] = size + 1
    else:
        below = floats[MASSES + k - 1] if k > 0 else math.inf
        above = floats[MASSES + k] if k < BINS else math.inf
        at = lightest_pair(floats, k - 1)
        if weight + min(below, above) <= floats[MASSES + at] + floats[MASSES + at + 1]:
            join(floats, k - 1 if below <= above else k, x, weight)
        else:
            join(floats, at, floats[CENTRES + at + 1], floats[MASSES + at + 1])
            if at >= k:
                shift(floats, k, at + 1, 1)
                put(floats, k, x, weight, 0.0)
            else:
                shift(floats, at + 2, k, -1)
                put(floats, k - 1, x, weight, 0.0)


@kernel
def put(floats: Column, k: int, centre: float, mass: float, joined: float) -> None:
    """Write bin k."""
    floats[CENTRES + k], floats[MASSES + k], floats[JOINED + k] = centre, mass, joined


@kernel
def join(floats: Column, k: int, centre: float, mass: float) -> None:
    """Take another bin into bin k."""
    own, mine = floats[CENTRES + k], floats[MASSES + k]
    both = mine + mass
    part = mass / both if both > 0.0 else 0.5
    middle = between(own, centre, part) if own <= centre else between(centre, own, 1.0 - part)
    put(floats, k, middle, both, 1.0)


@kernel
def shift(floats: Column, first: int, last: int, by: int) -> None:
    """Move the bins [first, last) one place up (by = 1) or down (by = -1)."""
    for base in (CENTRES, MASSES, JOINED):
        if by > 0:
            for j in range(base + last, base + first, -1):
                floats[j] = floats[j - 1]
        else:
            for j in range(base + first - 1, base + last - 1):
                floats[j] = floats[j + 1]


@kernel
def lightest_pair(floats: Column, skipped: int) -> int:
    """Return the first bin of the two neighbours with the least mass together (not pair `skipped`); all bins are full.

    Four quarters side by side, since each comparison waits for the one before it.
    """
    quarter = BINS // 4
    a, b, c, d = 0, quarter, 2 * quarter, 3 * quarter
    least_a, least_b, least_c, least_d = math.inf, math.inf, math.inf, math.inf
    for j in range(quarter):
        k = MASSES + j
        both = floats[k] + floats[k + 1] if j != skipped else math.inf
        a, least_a = (j, both) if both < least_a else (a, least_a)
        k += quarter
        both = floats[k] + floats[k + 1] if j + quarter != skipped else math.inf
        b, least_b = (j + quarter, both) if both < least_b else (b, least_b)
        k += quarter
        both = floats[k] + floats[k + 1] if j + 2 * quarter != skipped else math.inf
        c, least_c = (j + 2 * quarter, both) if both < least_c else (c, least_c)
        k += quarter
        last = j + 3 * quarter
        both = floats[k] + floats[k + 1] if last != skipped and last < BINS - 1 else math.inf
        d, least_d = (last, both) if both < least_d else (d, least_d)
    if least_b < least_a:
        a, least_a = b, least_b
    if least_d < least_c:
        c, least_c = d, least_d
    return int(c) if least_c < least_a else int(a)


@kernel
def decayed_rank(
    out: Column, x: Column, w: int, share: float, growth: float, is_rank: bool, floats: Column, ints: Ints, n: int
) -> None:
    """Rank of x or the `share`-quantile of the decayed histogram.

    Null while fewer than w rows were seen, where less than half of the decayed rows are known, and a rank where x is
    null. floats: see the file's head (a blank weight is 1), ints: rows seen up to w, bins in use.
    """
    weight, rows, total = floats[0], floats[1], floats[2]
    if ints[SEEN] == 0:
        weight = 1.0
    for i in range(n):
        v = x[i]
        known = v == v
        under = 0.0
        rows += weight
        if known:
            k = bin_at(floats, ints[SIZE], v)
            under = share_below(floats, ints[SIZE], k, v) if is_rank else 0.0
            add_value(floats, ints, k, v, weight)
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
            total /= RESCALE
            for k in range(BINS):
                floats[MASSES + k] /= RESCALE
    floats[0], floats[1], floats[2] = weight, rows, total
