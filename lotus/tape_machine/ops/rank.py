"""Exact rank and quantile over windows of at most 600 rows.

A rank counts the values of the window below and at the row's, one pass over a ring that the processor takes several
values at a time. For a quantile the known values stand sorted; a row moves those between the place of the value that
leaves and the place of the one that comes. Either way the work is bounded by the window, whatever the length of the
tape. Longer windows are in `decayed`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.tape_machine.nulls import finite_or_null

Column = NDArray[np.float64]
Ints = NDArray[np.int64]

SEEN, AT, SIZE = 0, 1, 2  # ints: rows seen up to w, place in the ring, known values


@kernel
def exact_rank(out: Column, x: Column, w: int, floats: Column, ints: Ints, n: int) -> None:
    """Share of the known rows of the window below x, ties counting half.

    Null while fewer than w rows were seen, where fewer than half are known, and where x is null. floats: ring f8[w].
    """
    ring = floats[:w]
    for i in range(n):
        mine, leaving = x[i], ring[ints[AT]]
        ring[ints[AT]] = mine
        ints[AT] = ints[AT] + 1 if ints[AT] + 1 < w else 0
        ints[SIZE] += int(mine == mine) - int(ints[SEEN] == w and leaving == leaving)
        ints[SEEN] = min(ints[SEEN] + 1, w)
        out[i] = math.nan
        if ints[SEEN] == w and 2 * ints[SIZE] >= w and mine == mine:
            below, at = 0, 0
            for k in range(w):
                below += 1 if ring[k] < mine else 0
                at += 1 if ring[k] == mine else 0
            out[i] = 0.5 * (2 * below + at) / ints[SIZE]


@kernel
def place_of(known: Column, many: int, x: float, behind: bool) -> int:
    """Return how many of the first `many` values are below x, or not above it."""
    low = 0
    while many > 0:
        half = (many + 1) >> 1
        v = known[low + half - 1]
        low += half if (v < x) | (behind & (v == x)) else 0
        many -= half
    return int(low)


@kernel
def replace(known: Column, size: int, leaving: float, coming: float) -> None:
    """Take `leaving` out of the sorted values and put `coming` in; a null neither leaves nor comes."""
    gap = place_of(known, size, leaving, False) if leaving == leaving else size
    to = place_of(known, size, coming, True) if coming == coming else size
    if to > gap:
        for k in range(gap, min(to, size) - 1):
            known[k] = known[k + 1]
        to -= 1
    else:
        for k in range(gap, to, -1):
            known[k] = known[k - 1]
    if coming == coming:
        known[to] = coming


@kernel
def exact_quantile(out: Column, x: Column, w: int, share: float, floats: Column, ints: Ints, n: int) -> None:
    """The `share`-quantile, linear between ranks, of the known rows of the window.

    Null while fewer than w rows were seen and where fewer than half are known. floats: ring f8[w] of the rows, then
    the sorted values.
    """
    ring, known = floats[:w], floats[w : 2 * w]
    for i in range(n):
        leaving = ring[ints[AT]] if ints[SEEN] == w else math.nan
        ring[ints[AT]] = x[i]
        ints[AT] = ints[AT] + 1 if ints[AT] + 1 < w else 0
        ints[SEEN] = min(ints[SEEN] + 1, w)
        replace(known, ints[SIZE], leaving, x[i])
        ints[SIZE] += int(x[i] == x[i]) - int(leaving == leaving)
        size = ints[SIZE]
        out[i] = math.nan
        if ints[SEEN] == w and 2 * size >= w:
            place = share * (size - 1)
            low = int(place)
            out[i] = between(known[low], known[min(low + 1, size - 1)], place - low)


@kernel
def between(a: float, b: float, part: float) -> float:
    """Return a + part (b - a) for a <= b, without overflow and never outside them."""
    if a == b:
        return a
    return min(max(finite_or_null((1.0 - part) * a + part * b), a), b)
