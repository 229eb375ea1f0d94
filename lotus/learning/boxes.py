"""Box sums (step B): every rule's sums from three-dimensional prefix sums, for many lanes (blocks or draws) at once.

A rule of a subset is a box of bins; its sum is the inclusion-exclusion over the eight corners of the prefix sums,
split here into a slab per pair of literals of the first two axes and a difference on the third. Exact for any interval
literals. Only loops over arrays belong here; meaning is given in `search`. In the literature: summed-area tables.
"""

import numpy as np
from numpy.typing import NDArray

from lotus.jit import allocating_kernel, kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def spread(lean: Floats, at: Ints, out: Floats) -> None:
    """Write sums [k, c] to the positions at [c] of rows of `out` [k, n]."""
    for x in range(lean.shape[0]):
        for i in range(lean.shape[1]):
            out[x, at[i]] = lean[x, i]


@kernel
def prefix(cells: Floats, out: Floats) -> None:
    """Turn cell sums [125, lanes] into prefix sums [216, lanes]; index (6 a + b) 6 + c counts bins below a, b, c."""
    lanes = cells.shape[1]
    out[:] = 0.0
    for a in range(5):
        for b in range(5):
            for c in range(5):
                src = (a * 5 + b) * 5 + c
                dst = ((a + 1) * 6 + b + 1) * 6 + c + 1
                for x in range(lanes):
                    out[dst, x] = cells[src, x]
    for step in (36, 6, 1):
        for i in range(216):
            if (i // step) % 6 > 0:
                for x in range(lanes):
                    out[i, x] += out[i - step, x]


@kernel
def slab(sums: Floats, a0: int, a1: int, b0: int, b1: int, out: Floats) -> None:
    """Fill out [6, lanes] with the prefix sums along the third axis of the bins a0..a1, b0..b1."""
    lanes = sums.shape[1]
    for c in range(6):
        hh = ((a1 + 1) * 6 + b1 + 1) * 6 + c
        lh = (a0 * 6 + b1 + 1) * 6 + c
        hl = ((a1 + 1) * 6 + b0) * 6 + c
        ll = (a0 * 6 + b0) * 6 + c
        for x in range(lanes):
            out[c, x] = (sums[hh, x] - sums[lh, x]) - (sums[hl, x] - sums[ll, x])


@allocating_kernel
def box_moments(
    cube: Floats, g: Floats, subsets: Ints, low: Ints, high: Ints, count: Ints, first_rule: Ints
) -> tuple[Floats, Floats]:
    """Return per rule sum_b g_b D_b and sum_b g_b^2 D_b^2 over blocks b of a cube [blocks, subsets, 125]."""
    lanes = cube.shape[0]
    total = np.zeros(first_rule[-1])
    square = np.zeros(first_rule[-1])
    cells = np.zeros((125, lanes))
    sums = np.zeros((216, lanes))
    part = np.zeros((6, lanes))
    for k in range(subsets.shape[0]):
        fa, fb, fc = subsets[k, 0], subsets[k, 1], subsets[k, 2]
        for x in range(lanes):
            for i in range(125):
                cells[i, x] = cube[x, k, i]
        prefix(cells, sums)
        rule = first_rule[k]
        for ia in range(count[fa]):
            for ib in range(count[fb]):
                slab(sums, low[fa, ia], high[fa, ia], low[fb, ib], high[fb, ib], part)
                for ic in range(count[fc]):
                    c0, c1 = low[fc, ic], high[fc, ic] + 1
                    s = 0.0
                    q = 0.0
                    for x in range(lanes):
                        d = g[x] * (part[c1, x] - part[c0, x])
                        s += d
                        q += d * d
                    total[rule] = s
                    square[rule] = q
                    rule += 1
    return total, square


@allocating_kernel
def box_presence(
    cube: Floats, day_of_lane: Ints, floor: float, subsets: Ints, low: Ints, high: Ints, count: Ints, first_rule: Ints
) -> tuple[Ints, Ints]:
    """Return per rule the number of blocks and of days whose sum exceeds `floor`; lanes of a day are neighbours."""
    lanes = cube.shape[0]
    blocks = np.zeros(first_rule[-1], dtype=np.int64)
    days = np.zeros(first_rule[-1], dtype=np.int64)
    cells = np.zeros((125, lanes))
    sums = np.zeros((216, lanes))
    part = np.zeros((6, lanes))
    for k in range(subsets.shape[0]):
        fa, fb, fc = subsets[k, 0], subsets[k, 1], subsets[k, 2]
        for x in range(lanes):
            for i in range(125):
                cells[i, x] = cube[x, k, i]
        prefix(cells, sums)
        rule = first_rule[k]
        for ia in range(count[fa]):
            for ib in range(count[fb]):
                slab(sums, low[fa, ia], high[fa, ia], low[fb, ib], high[fb, ib], part)
                for ic in range(count[fc]):
                    c0, c1 = low[fc, ic], high[fc, ic] + 1
                    last = -1
                    for x in range(lanes):
                        if part[c1, x] - part[c0, x] > floor:
                            blocks[rule] += 1
                            if day_of_lane[x] != last:
                                days[rule] += 1
                                last = day_of_lane[x]
                    rule += 1
    return blocks, days


@allocating_kernel
def path_maxima(
    day_cube: Floats,
    signs: Floats,
    inverse: Floats,
    subsets: Ints,
    low: Ints,
    high: Ints,
    count: Ints,
    first_rule: Ints,
    length: Ints,
) -> Floats:
    """Return [4, draws]: the largest squared statistic of each sign path over rules of 1, 2 and 3 literals.

    `day_cube` [days, subsets, 125] holds g-weighted sums of whole days, `signs` [days, draws] is +-1, `inverse` is
    1 / sum_b g_b^2 D_b^2 of each rule, 0 for a rule outside the family.
    """
    days, draws = signs.shape
    best = np.zeros((4, draws))
    cells = np.zeros((125, draws))
    sums = np.zeros((216, draws))
    part = np.zeros((6, draws))
    for k in range(subsets.shape[0]):
        fa, fb, fc = subsets[k, 0], subsets[k, 1], subsets[k, 2]
        cells[:] = 0.0
        for i in range(125):
            for d in range(days):
                v = day_cube[d, k, i]
                if v != 0.0:
                    for x in range(draws):
                        cells[i, x] += signs[d, x] * v
        prefix(cells, sums)
        top = best[length[k]]
        rule = first_rule[k]
        for ia in range(count[fa]):
            for ib in range(count[fb]):
                slab(sums, low[fa, ia], high[fa, ia], low[fb, ib], high[fb, ib], part)
                for ic in range(count[fc]):
                    scale = inverse[rule]
                    rule += 1
                    if scale > 0.0:
                        upper = part[high[fc, ic] + 1]
                        lower = part[low[fc, ic]]
                        for x in range(draws):
                            d = upper[x] - lower[x]
                            t2 = d * d * scale
                            top[x] = t2 if t2 > top[x] else top[x]
    return best
