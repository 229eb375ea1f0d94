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
def prefix(cells: Floats, out: Floats) -> None:
    """Turn cell sums [125, lanes], used up, into prefix sums [216, lanes]; index (6 a + b) 6 + c counts bins below.

    Rows of `out` where a, b or c is 0 must be zero and stay so.
    """
    lanes = cells.shape[1]
    for a in range(5):
        for b in range(5):
            for c in range(5):
                src = (a * 5 + b) * 5 + c
                dst = ((a + 1) * 6 + b + 1) * 6 + c + 1
                if a > 0:
                    for x in range(lanes):
                        cells[src, x] += cells[src - 25, x]
                for x in range(lanes):
                    out[dst, x] = cells[src, x] + out[dst - 6, x]
        for b in range(5):
            for c in range(1, 5):
                dst = ((a + 1) * 6 + b + 1) * 6 + c + 1
                for x in range(lanes):
                    out[dst, x] += out[dst - 1, x]


@kernel
def gather(cube: Floats, at: Ints, begin: int, end: int, cells: Floats) -> None:
    """Fill cells [125, lanes] with the sums begin..end of every lane of a cube [lanes, c]; the others become zero.

    Eight lanes at a time: what they write of a cell lies in one line of the cache.
    """
    lanes = cube.shape[0]
    whole = lanes - lanes % 8
    cells[:] = 0.0
    for x in range(0, whole, 8):
        a, b, c, d = cube[x], cube[x + 1], cube[x + 2], cube[x + 3]
        e, f, g, h = cube[x + 4], cube[x + 5], cube[x + 6], cube[x + 7]
        for i in range(begin, end):
            cell = cells[at[i] % 125]
            cell[x], cell[x + 1], cell[x + 2], cell[x + 3] = a[i], b[i], c[i], d[i]
            cell[x + 4], cell[x + 5], cell[x + 6], cell[x + 7] = e[i], f[i], g[i], h[i]
    for x in range(whole, lanes):
        for i in range(begin, end):
            cells[at[i] % 125, x] = cube[x, i]


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
    cube: Floats,
    g: Floats,
    at: Ints,
    first_cell: Ints,
    subsets: Ints,
    low: Ints,
    high: Ints,
    count: Ints,
    first_rule: Ints,
) -> tuple[Floats, Floats]:
    """Return per rule sum_b g_b D_b and sum_b g_b^2 D_b^2 over blocks b of a cube [blocks, c] over `Axes.cells`."""
    lanes = cube.shape[0]
    total = np.zeros(first_rule[-1])
    square = np.zeros(first_rule[-1])
    cells = np.zeros((125, lanes))
    sums = np.zeros((216, lanes))
    part = np.zeros((6, lanes))
    for k in range(subsets.shape[0]):
        fa, fb, fc = subsets[k, 0], subsets[k, 1], subsets[k, 2]
        gather(cube, at, first_cell[k], first_cell[k + 1], cells)
        prefix(cells, sums)
        rule = first_rule[k]
        for ia in range(count[fa]):
            for ib in range(count[fb]):
                slab(sums, low[fa, ia], high[fa, ia], low[fb, ib], high[fb, ib], part)
                for ic in range(0, count[fc] - 1, 2):  # two sums at once: each waits for its own last addition
                    l0, l1 = part[low[fc, ic]], part[low[fc, ic + 1]]
                    u0, u1 = part[high[fc, ic] + 1], part[high[fc, ic + 1] + 1]
                    s0 = s1 = q0 = q1 = 0.0
                    for x in range(lanes):
                        d0 = g[x] * (u0[x] - l0[x])
                        d1 = g[x] * (u1[x] - l1[x])
                        s0 += d0
                        s1 += d1
                        q0 += d0 * d0
                        q1 += d1 * d1
                    total[rule], total[rule + 1] = s0, s1
                    square[rule], square[rule + 1] = q0, q1
                    rule += 2
                if count[fc] % 2 == 1:
                    c0, c1 = low[fc, count[fc] - 1], high[fc, count[fc] - 1] + 1
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
    cube: Floats,
    floor: float,
    at: Ints,
    first_cell: Ints,
    subsets: Ints,
    low: Ints,
    high: Ints,
    count: Ints,
    first_rule: Ints,
) -> Ints:
    """Return per rule the number of lanes of a cube [lanes, c] whose sum exceeds `floor`."""
    lanes = cube.shape[0]
    present = np.zeros(first_rule[-1], dtype=np.int64)
    cells = np.zeros((125, lanes))
    sums = np.zeros((216, lanes))
    part = np.zeros((6, lanes))
    for k in range(subsets.shape[0]):
        fa, fb, fc = subsets[k, 0], subsets[k, 1], subsets[k, 2]
        gather(cube, at, first_cell[k], first_cell[k + 1], cells)
        prefix(cells, sums)
        rule = first_rule[k]
        for ia in range(count[fa]):
            for ib in range(count[fb]):
                slab(sums, low[fa, ia], high[fa, ia], low[fb, ib], high[fb, ib], part)
                for ic in range(count[fc]):
                    c0, c1 = low[fc, ic], high[fc, ic] + 1
                    for x in range(lanes):
                        if part[c1, x] - part[c0, x] > floor:
                            present[rule] += 1
                    rule += 1
    return present


@kernel
def draw_cells(
    day_cube: Floats, signs: Floats, at: Ints, begin: int, end: int, value: Floats, spare: Floats, cells: Floats
) -> None:
    """Fill cells [125, draws] with sum_d signs[d] day_cube[d, c] for c in begin..end, days in order.

    `value` [126, days] and `spare` [draws] are scratch. Two cells and four days at a time: each sign is read once for
    both, each sum is read and written once for four days.
    """
    days, draws = signs.shape
    cells[:] = 0.0
    for d in range(days):
        for j in range(end - begin):
            value[j, d] = day_cube[d, begin + j]
    value[end - begin] = 0.0
    for j in range(0, end - begin, 2):
        c = cells[at[begin + j] % 125]
        e = cells[at[begin + j + 1] % 125] if begin + j + 1 < end else spare
        v, w = value[j], value[j + 1]
        for d in range(0, days - 3, 4):
            s0, s1, s2, s3 = signs[d], signs[d + 1], signs[d + 2], signs[d + 3]
            v0, v1, v2, v3 = v[d], v[d + 1], v[d + 2], v[d + 3]
            w0, w1, w2, w3 = w[d], w[d + 1], w[d + 2], w[d + 3]
            for x in range(draws):
                a0, a1, a2, a3 = s0[x], s1[x], s2[x], s3[x]
                c[x] = (((c[x] + a0 * v0) + a1 * v1) + a2 * v2) + a3 * v3
                e[x] = (((e[x] + a0 * w0) + a1 * w1) + a2 * w2) + a3 * w3
        for d in range(days - days % 4, days):
            s0 = signs[d]
            for x in range(draws):
                c[x] += s0[x] * v[d]
                e[x] += s0[x] * w[d]


@allocating_kernel
def path_maxima(
    day_cube: Floats,
    signs: Floats,
    inverse: Floats,
    length: Ints,
    at: Ints,
    first_cell: Ints,
    subsets: Ints,
    low: Ints,
    high: Ints,
    count: Ints,
    first_rule: Ints,
) -> Floats:
    """Return [4, draws]: the largest squared statistic of each sign path over rules of 1, 2 and 3 literals.

    `day_cube` [days, c] holds g-weighted sums of whole days over `Axes.cells`, `signs` [days, draws] is +-1, `inverse`
    is 1 / sum_b g_b^2 D_b^2 of each rule, 0 for a rule outside the family.
    """
    days, draws = signs.shape
    best = np.zeros((4, draws))
    value = np.zeros((126, days))
    spare = np.zeros(draws)
    cells = np.zeros((125, draws))
    sums = np.zeros((216, draws))
    part = np.zeros((6, draws))
    for k in range(subsets.shape[0]):
        fa, fb, fc = subsets[k, 0], subsets[k, 1], subsets[k, 2]
        draw_cells(day_cube, signs, at, first_cell[k], first_cell[k + 1], value, spare, cells)
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


@kernel
def weighted_days(cube: Floats, g: Floats, day: Ints, out: Floats) -> None:
    """Add g [lanes] times the lanes of a cube [lanes, c] to the rows `day` [lanes] of `out` [days, c], in order."""
    for x in range(cube.shape[0]):
        row, lane, w = out[day[x]], cube[x], g[x]
        for c in range(cube.shape[1]):
            row[c] += w * lane[c]
