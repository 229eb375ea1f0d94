"""Exact rank and quantile over windows of at most 600 rows, O(sqrt w) per row whatever the values.

The known values of the window stand sorted in a tiered vector: blocks of about sqrt(w) values, each a ring, all full
but the last. To insert or remove one value moves values inside one block and one value per block behind it. The state
counts those moves, so that a test can bound them. M. Goodrich, J. Kloss, "Tiered vectors: efficient dynamic arrays
for rank-based sequences", WADS 1999. Longer windows are in `ops_decayed`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.tape_machine.ops_elementwise import finite_or_null

Column = NDArray[np.float64]
Ints = NDArray[np.int64]

# ints: rows seen up to w, place in the ring, known values, moves since birth, then the first place of each block
SEEN, AT, SIZE, MOVES, HEADS = 0, 1, 2, 3, 4


@kernel
def value_at(tier: Column, heads: Ints, shift: int, rank: int) -> float:
    """Return the value of this rank (0 = least)."""
    block, mask = rank >> shift, (1 << shift) - 1
    return float(tier[(block << shift) + ((heads[HEADS + block] + rank) & mask)])


@kernel
def below(tier: Column, ints: Ints, shift: int, x: float, or_equal: bool) -> int:
    """Return how many values are below x, or not above it; halving without branches that depend on values."""
    low, many = 0, ints[SIZE]
    while many > 0:
        half = (many + 1) >> 1
        v = value_at(tier, ints, shift, low + half - 1)
        low += half if (v < x) | (or_equal & (v == x)) else 0
        many -= half
    return int(low)


@kernel
def insert(tier: Column, ints: Ints, shift: int, x: float) -> int:
    """Put x behind all values not above it and return its rank; there must be room."""
    rank, size = below(tier, ints, shift, x, True), ints[SIZE]
    mask, block, last = (1 << shift) - 1, rank >> shift, size >> shift
    for b in range(last, block, -1):
        moved = value_at(tier, ints, shift, (b << shift) - 1)
        ints[HEADS + b] = (ints[HEADS + b] - 1) & mask
        tier[(b << shift) + ints[HEADS + b]] = moved
    base, head = block << shift, ints[HEADS + block]
    end = min(mask, size - base)
    for k in range(end, rank - base, -1):
        tier[base + ((head + k) & mask)] = tier[base + ((head + k - 1) & mask)]
    tier[base + ((head + rank) & mask)] = x
    ints[SIZE] = size + 1
    ints[MOVES] += (last - block) + (end - (rank - base)) + 1
    return int(rank)


@kernel
def remove(tier: Column, ints: Ints, shift: int, x: float) -> None:
    """Take out one value equal to x; there must be one."""
    rank, size = below(tier, ints, shift, x, False), ints[SIZE]
    mask, block, last = (1 << shift) - 1, rank >> shift, (size - 1) >> shift
    base, head = block << shift, ints[HEADS + block]
    end = min(mask, size - 1 - base)
    for k in range(rank - base, end):
        tier[base + ((head + k) & mask)] = tier[base + ((head + k + 1) & mask)]
    for b in range(block + 1, last + 1):
        moved = tier[(b << shift) + ints[HEADS + b]]
        tier[((b - 1) << shift) + ((ints[HEADS + b - 1] + mask) & mask)] = moved
        ints[HEADS + b] = (ints[HEADS + b] + 1) & mask
    ints[SIZE] = size - 1
    ints[MOVES] += (last - block) + (end - (rank - base)) + 1


@kernel
def exact_rank(
    out: Column, x: Column, w: int, share: float, shift: int, is_rank: bool, floats: Column, ints: Ints, n: int
) -> None:
    """Rank of x (ties half) or the `share`-quantile (linear between ranks) of the known rows of the window.

    Null while fewer than w rows were seen, where fewer than half are known, and a rank where x is null. floats: ring
    f8[w] of the rows, then the tiered vector.
    """
    ring, tier = floats[:w], floats[w:]
    for i in range(n):
        if ints[SEEN] == w:
            leaving = ring[ints[AT]]
            if leaving == leaving:
                remove(tier, ints, shift, leaving)
        else:
            ints[SEEN] += 1
        ring[ints[AT]] = x[i]
        ints[AT] = ints[AT] + 1 if ints[AT] + 1 < w else 0
        mine = insert(tier, ints, shift, x[i]) if x[i] == x[i] else 0
        valid = ints[SEEN] == w and 2 * ints[SIZE] >= w and (x[i] == x[i] or not is_rank)
        if not valid:
            out[i] = math.nan
        elif is_rank:
            tied = mine > 0 and value_at(tier, ints, shift, mine - 1) == x[i]
            low = below(tier, ints, shift, x[i], False) if tied else mine
            out[i] = 0.5 * (low + mine + 1) / ints[SIZE]
        else:
            place = share * (ints[SIZE] - 1)
            low = int(place)
            a = value_at(tier, ints, shift, low)
            b = value_at(tier, ints, shift, min(low + 1, ints[SIZE] - 1))
            out[i] = between(a, b, place - low)


@kernel
def between(a: float, b: float, part: float) -> float:
    """Return a + part (b - a) for a <= b, without overflow and never outside them."""
    if a == b:
        return a
    return min(max(finite_or_null((1.0 - part) * a + part * b), a), b)
