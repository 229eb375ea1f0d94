"""Sliding sum, mean, standard deviation and slope: exact aggregates of the window's rows, O(1) per row, no drift.

The last w rows are three stretches of half a window: the front being filled, the middle complete, the back being left.
An aggregate of the front grows with each row; of the middle, one more suffix is aggregated per row, from its end on, in
the place of its rows; by the time the middle becomes the back all its suffixes stand ready. A result merges the three.
Nothing is ever subtracted, so a row that left the window has no influence at all, at once, and no row costs more
than another. Two-stack sliding-window aggregation, evenly spread: K. Tangwongsan, M. Hirzel, S. Schneider, "Low-latency
sliding-window aggregation in worst-case constant time", DEBS 2017. Merges: T. Chan, G. Golub, R. LeVeque, 1983.
Extremes are in `extreme`, ranks in `rank`. Only arithmetic on windows may be put here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.tape_machine.nulls import finite_or_null

Column = NDArray[np.float64]
Ints = NDArray[np.int64]

# ints of a window: SEEN rows up to w, FILLED rows of the front, TURN = which third is the front, FREE for the kernel
SEEN, FILLED, TURN, FREE = 0, 1, 2, 3


@kernel
def window_sum(out: Column, x: Column, w: int, mean: bool, floats: Column, ints: Ints, n: int) -> None:
    """Sum or mean of the known rows; null while fewer than w rows were seen or where fewer than half are known.

    floats: (known, sum) of the front and of the middle, then three stretches of (known, sum) per row.
    """
    half = max(1, w // 2)
    skipped = 2 * half - w  # -1 for odd w: the back is one row longer; 1 for w = 1
    seen, filled, turn = ints[SEEN], ints[FILLED], ints[TURN]
    front_n, front_s, middle_n, middle_s = floats[0], floats[1], floats[2], floats[3]
    i = 0
    while i < n:
        if filled == half:
            filled, turn = 0, (turn + 1) % 3
            middle_n, middle_s, front_n, front_s = front_n, front_s, 0.0, 0.0
        last = min(n, i + half - filled)
        a = 4 + 2 * (turn * half + filled)
        b = 4 + 2 * ((turn + 2) % 3 * half + half - 1 - filled)
        c = 4 + 2 * ((turn + 1) % 3 * half + skipped + 1 + filled)
        suffix_n, suffix_s = (floats[b + 2], floats[b + 3]) if filled > 0 else (0.0, 0.0)
        while i < last:
            one, value = (1.0, x[i]) if x[i] == x[i] else (0.0, 0.0)
            floats[a], floats[a + 1] = one, value
            front_n += one
            front_s += value
            suffix_n, suffix_s = (
                (floats[b] + suffix_n, floats[b + 1] + suffix_s) if filled > 0 else (floats[b], floats[b + 1])
            )
            floats[b], floats[b + 1] = suffix_n, suffix_s
            filled += 1
            seen = min(seen + 1, w)
            n_all, total = front_n, front_s
            if w > 1:
                n_all += middle_n
                total += middle_s
            if skipped + filled < half:
                n_all += floats[c]
                total += floats[c + 1]
            value = total / n_all if mean else total
            out[i] = finite_or_null(value) if seen == w and 2.0 * n_all >= w else math.nan
            a, b, c, i = a + 2, b - 2, c + 2, i + 1
    ints[SEEN], ints[FILLED], ints[TURN] = seen, filled, turn
    floats[0], floats[1], floats[2], floats[3] = front_n, front_s, middle_n, middle_s


@kernel
def window_std(out: Column, x: Column, w: int, floats: Column, ints: Ints, n: int) -> None:
    """Population standard deviation of the known rows, nulls as `window_sum`; exactly 0 where they are all equal.

    floats: (known, mean, squares) of the front and of the middle, then three stretches of them per row; squares = sum
    of squared deviations from that mean.
    """
    half = max(1, w // 2)
    skipped = 2 * half - w
    seen, filled, turn = ints[SEEN], ints[FILLED], ints[TURN]
    front_n, front_m, front_q = floats[0], floats[1], floats[2]
    middle_n, middle_m, middle_q = floats[3], floats[4], floats[5]
    for i in range(n):
        if filled == half:
            filled, turn = 0, (turn + 1) % 3
            middle_n, middle_m, middle_q = front_n, front_m, front_q
            front_n, front_m, front_q = 0.0, 0.0, 0.0
        front, middle, back = turn, (turn + 2) % 3, (turn + 1) % 3
        known = x[i] == x[i]
        k = 6 + 3 * (front * half + filled)
        floats[k], floats[k + 1], floats[k + 2] = (1.0, x[i], 0.0) if known else (0.0, 0.0, 0.0)
        if known:
            front_n, front_m, front_q = joined(front_n, front_m, front_q, x[i])
        if filled > 0:
            k = 6 + 3 * (middle * half + half - 1 - filled)
            if floats[k] > 0.0:
                floats[k], floats[k + 1], floats[k + 2] = joined(
                    floats[k + 3], floats[k + 4], floats[k + 5], floats[k + 1]
                )
            else:
                floats[k], floats[k + 1], floats[k + 2] = floats[k + 3], floats[k + 4], floats[k + 5]
        filled += 1
        seen = min(seen + 1, w)
        n_2, m_2, q_2 = (middle_n, middle_m, middle_q) if w > 1 else (0.0, 0.0, 0.0)
        n_3, m_3, q_3 = 0.0, 0.0, 0.0
        left = skipped + filled
        if left < half:
            k = 6 + 3 * (back * half + left)
            n_3, m_3, q_3 = floats[k], floats[k + 1], floats[k + 2]
        n_all = front_n + n_2 + n_3
        valid = seen == w and 2.0 * n_all >= w
        out[i] = merged_std(front_n, front_m, n_2, m_2, n_3, m_3, front_q + q_2 + q_3) if valid else math.nan
    ints[SEEN], ints[FILLED], ints[TURN] = seen, filled, turn
    floats[0], floats[1], floats[2] = front_n, front_m, front_q
    floats[3], floats[4], floats[5] = middle_n, middle_m, middle_q


@kernel
def joined(n: float, mean: float, squares: float, x: float) -> tuple[float, float, float]:
    """Return (known, mean, squares) with one more value (Welford)."""
    more = n + 1.0
    away = x - mean
    moved = mean + away / more
    return more, moved, squares + away * (x - moved)


@kernel
def merged_std(n_1: float, m_1: float, n_2: float, m_2: float, n_3: float, m_3: float, squares: float) -> float:
    """Return the standard deviation of three stretches of n values with mean m; `squares` inside them, summed."""
    pivot = m_3
    if n_2 > 0.0:
        pivot = m_2
    if n_1 > 0.0:
        pivot = m_1
    d_1 = m_1 - pivot if n_1 > 0.0 else 0.0
    d_2 = m_2 - pivot if n_2 > 0.0 else 0.0
    d_3 = m_3 - pivot if n_3 > 0.0 else 0.0
    n_all = n_1 + n_2 + n_3
    mean = (n_1 * d_1 + n_2 * d_2 + n_3 * d_3) / n_all
    d_1 -= mean
    d_2 -= mean
    d_3 -= mean
    return finite_or_null(math.sqrt((squares + n_1 * d_1 * d_1 + n_2 * d_2 * d_2 + n_3 * d_3 * d_3) / n_all))


@kernel
def window_slope(out: Column, x: Column, w: int, floats: Column, ints: Ints, n: int) -> None:
    """Least-squares slope per row over w rows; null while fewer were seen, where one is null, and for w = 1.

    floats: (mean, cross) of the front and of the middle, then three stretches of them per row; cross = sum of
    (x - mean) (j - mean j) over the stretch, j the row's place. A null row stands as the mean. ints[FREE]: known rows
    in turn.
    """
    half = max(1, w // 2)
    skipped = 2 * half - w
    seen, filled, turn, in_turn = ints[SEEN], ints[FILLED], ints[TURN], ints[FREE]
    front_m, front_c, middle_m, middle_c = floats[0], floats[1], floats[2], floats[3]
    span = float(w) * (float(w) * float(w) - 1.0) / 12.0
    for i in range(n):
        if filled == half:
            filled, turn = 0, (turn + 1) % 3
            middle_m, middle_c, front_m, front_c = front_m, front_c, 0.0, 0.0
        front, middle, back = turn, (turn + 2) % 3, (turn + 1) % 3
        known = x[i] == x[i]
        in_turn = min(in_turn + 1, w) if known else 0
        value = x[i] if known else front_m
        k = 4 + 2 * (front * half + filled)
        floats[k], floats[k + 1] = value, 0.0
        front_c += (value - front_m) * 0.5 * filled
        front_m += (value - front_m) / (filled + 1.0)
        if filled > 0:
            k = 4 + 2 * (middle * half + half - 1 - filled)
            away = floats[k] - floats[k + 2]
            floats[k + 1] = floats[k + 3] - away * 0.5 * filled
            floats[k] = floats[k + 2] + away / (filled + 1.0)
        filled += 1
        seen = min(seen + 1, w)
        left = skipped + filled
        n_back = float(max(0, half - left))
        n_middle = float(half) if w > 1 else 0.0
        total = front_c + filled * (front_m - middle_m) * 0.5 * (w - filled)
        if w > 1:
            total += middle_c
        if left < half:
            k = 4 + 2 * (back * half + left)
            total += floats[k + 1] + n_back * (floats[k] - middle_m) * 0.5 * (n_back - w)
        valid = in_turn == w and n_middle > 0.0
        out[i] = finite_or_null(total / span) if valid else math.nan
    ints[SEEN], ints[FILLED], ints[TURN], ints[FREE] = seen, filled, turn, in_turn
    floats[0], floats[1], floats[2], floats[3] = front_m, front_c, middle_m, middle_c
