"""The kernel of the sanity table: what one series has to do with one move, over the rows in which both are known.

Sums are numpy's own: eight running sums over blocks of at most 128 values, halves of a long array added (pairwise
summation, Higham 1993), so the numbers are those of the formulas written in numpy, bit for bit. Nothing here knows
frames, intervals or tables (see `sanity_stats`, which says what every number means).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

(
    N, SPOKEN, SLOTS, BLOCKS, SPOKEN_BLOCKS, PEARSON, PEARSON_ERROR, SIGN, SPEARMAN, MEAN, MEAN_ERROR, VARIANCE, HIT,
    HIT_ERROR, SPREAD,
) = range(15)  # fmt: skip
N_FACTS: Final[int] = 15
_LEAF: Final = 128


@kernel
def total(values: Floats, at: int, n: int) -> float:
    """Return the sum of `values[at : at + n]` in the order in which numpy adds."""
    if n < 8:
        out = 0.0
        for i in range(at, at + n):
            out += values[i]
        return out
    if n > _LEAF:
        half = n // 2
        half -= half % 8
        return total(values, at, half) + total(values, at + half, n - half)
    a, b, c, d = values[at], values[at + 1], values[at + 2], values[at + 3]
    e, f, g, h = values[at + 4], values[at + 5], values[at + 6], values[at + 7]
    stop = at + n - n % 8
    for i in range(at + 8, stop, 8):
        a += values[i]
        b += values[i + 1]
        c += values[i + 2]
        d += values[i + 3]
        e += values[i + 4]
        f += values[i + 5]
        g += values[i + 6]
        h += values[i + 7]
    whole: float = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(stop, at + n):
        whole += values[i]
    return whole


@kernel
def standardise(values: Floats, n: int, room: Floats) -> bool:
    """Give the first n values mean 0 and variance 1; False when they are fewer than two or do not vary."""
    if n < 2:
        return False
    most = 0.0
    for i in range(n):
        most = max(most, abs(values[i]))
    mean = total(values, 0, n) / n
    for i in range(n):
        values[i] -= mean
        room[i] = values[i] * values[i]
    scale = np.sqrt(total(room, 0, n) / n)
    if not scale > 1e-12 * most:
        return False
    for i in range(n):
        values[i] /= scale
    return True


@kernel
def fill_ranks(values: Floats, order: Ints, place: Ints, out: Floats) -> None:
    """Write the ranks from 1 of the values that have a place >= 0 there; equal values share their mean rank.

    `order` i8 [m] sorts `values` f8 [m], `place` i8 [m] says where in `out` a value stands.
    """
    first, ranked = 0, 0
    while first < len(order):
        value, stop, many = values[order[first]], first, 0
        while stop < len(order) and values[order[stop]] == value:
            many += place[order[stop]] >= 0
            stop += 1
        for i in range(first, stop):
            if place[order[i]] >= 0:
                out[place[order[i]]] = (ranked + many) - 0.5 * (many - 1)
        ranked += many
        first = stop


@kernel
def product(a: Floats, b: Floats, n: int, room: Floats) -> float:
    """Return the mean of a b over n rows, held within [-1, 1]."""
    for i in range(n):
        room[i] = a[i] * b[i]
    return min(max(total(room, 0, n) / n, -1.0), 1.0)


@kernel
def block_error(influence: Floats, block: Ints, n: int, sums: Floats, counts: Ints, few: int) -> tuple[float, int]:
    """Return the cluster-robust standard error of a mean of n influence values (0 below `few` blocks), and the blocks.

    sums f8 [k], counts i8 [k]: room for more than every block.
    """
    sums[:] = 0.0
    counts[:] = 0
    own, so_far = block[0], 0.0
    for i in range(n):  # rows of a block mostly stand together: their sum stays in a register
        if block[i] != own:
            sums[own] = so_far
            own = block[i]
            so_far = sums[own]
            counts[own] = 1
        so_far += influence[i]
    sums[own], counts[block[0]] = so_far, 1
    many = 0
    for g in range(len(counts)):
        if counts[g] > 0:
            sums[many] = sums[g] * sums[g]
            many += 1
    if many < few:
        return 0.0, many
    return np.sqrt(many / (many - 1) * total(sums, 0, many)) / n, many


@kernel
def relate(
    x: Floats, order: Ints, rows: Ints, y: Floats, varies: bool, zy: Floats, ranks_vary: bool, zr: Floats,
    block: Ints, slot: Ints, spread: Floats, few: int, room: Floats, marks: Ints, out: Floats,
) -> None:  # fmt: skip
    """Write the facts of a series x f8 [m], sorted by `order` i8 [m], and the moves y f8 [n] of its `rows` i8 [n].

    zy and zr f8 [n] are the moves and their ranks, standardised where these vary; block and slot i8 [n], spread f8
    [n]. A fact that there is none of is NaN; an error below `few` blocks is 0. room f8 [7, k], marks i8 [4, k]: k is
    more than m and than every block and slot.
    """
    n = len(rows)
    out[:] = np.nan
    out[PEARSON_ERROR], out[MEAN_ERROR], out[HIT_ERROR] = 0.0, 0.0, 0.0
    out[N], out[SPOKEN], out[BLOCKS] = n, 0, 0
    if n == 0:
        return
    v, direction, work, place = room[0], room[1], room[2], marks[0]
    for i in range(n):
        v[i] = x[rows[i]]
        direction[i] = 1.0 * (v[i] > 0.0) - 1.0 * (v[i] < 0.0)
    out[BLOCKS] = block_error(v, block, n, room[3], marks[1], few)[1]
    spoken(direction, y, block, slot, spread, n, few, room, marks, out)
    if varies and standardise(direction, n, work):
        out[SIGN] = product(direction, zy, n, work)
    if ranks_vary:
        place[: len(x)] = -1
        for i in range(n):
            place[rows[i]] = i
        fill_ranks(x, order, place, direction)
        if standardise(direction, n, work):
            out[SPEARMAN] = product(direction, zr, n, work)
    if varies and standardise(v, n, work):
        r = product(v, zy, n, work)
        for i in range(n):
            work[i] = v[i] * zy[i] - 0.5 * r * (v[i] * v[i] + zy[i] * zy[i])
        out[PEARSON] = r
        out[PEARSON_ERROR] = block_error(work, block, n, room[3], marks[1], few)[0]


@kernel
def spoken(
    direction: Floats, y: Floats, block: Ints, slot: Ints, spread: Floats, n: int, few: int, room: Floats, marks: Ints,
    out: Floats,
) -> None:  # fmt: skip
    """Write the facts of the rows whose direction is not 0: the mean signed move, the hit rate, the spread."""
    signed, paid, went, groups, is_seen = room[4], room[5], room[6], marks[2], marks[3]
    is_seen[:] = 0
    k, slots, last = 0, 0, -1
    for i in range(n):  # every row is written, and the next one over it unless it was spoken: no branch to mispredict
        is_spoken, move = direction[i] != 0.0, direction[i] * y[i]
        signed[k], paid[k], groups[k] = move, spread[i], block[i]
        went[k] = 0.5 + 0.5 * (1.0 * (move > 0.0) - 1.0 * (move < 0.0))
        k += is_spoken
        if is_spoken and slot[i] != last:
            last = slot[i]
            slots += 1 - is_seen[last]
            is_seen[last] = 1
    out[SPOKEN], out[SLOTS] = k, slots
    if k == 0:
        return
    mean, hit, out[SPREAD] = total(signed, 0, k) / k, total(went, 0, k) / k, total(paid, 0, k) / k
    out[MEAN], out[HIT] = mean, hit
    for i in range(k):
        signed[i] -= mean
        went[i] -= hit
        paid[i] = signed[i] * signed[i]
    out[VARIANCE] = total(paid, 0, k) / k
    out[MEAN_ERROR], out[SPOKEN_BLOCKS] = block_error(signed, groups, k, room[3], marks[1], few)
    out[HIT_ERROR] = block_error(went, groups, k, room[3], marks[1], few)[0]
