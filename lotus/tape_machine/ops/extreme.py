"""Sliding maximum and minimum, their ages, and breakouts: the three stretches of `window` with max for plus.

A minimum is the maximum of -x. The same constant work for every row, where a monotone queue has bursts.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.tape_machine.nulls import finite_or_null
from lotus.tape_machine.ops.window import FILLED, FREE, SEEN, TURN

Column = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def window_max(out: Column, x: Column, w: int, side: float, floats: Column, ints: Ints, n: int) -> None:
    """side * maximum of side * x over the known rows; null while fewer than w rows were seen or half are known.

    floats: (known, greatest) of the front and of the middle, then three stretches of them per row; -inf = none.
    """
    half = max(1, w // 2)
    skipped = 2 * half - w
    seen, filled, turn = ints[SEEN], ints[FILLED], ints[TURN]
    front_n, front_v, middle_n, middle_v = floats[0], floats[1], floats[2], floats[3]
    if seen == 0:
        front_v = -math.inf
    i = 0
    while i < n:
        if filled == half:
            filled, turn = 0, (turn + 1) % 3
            middle_n, middle_v, front_n, front_v = front_n, front_v, 0.0, -math.inf
        last = min(n, i + half - filled)
        a = 4 + 2 * (turn * half + filled)
        b = 4 + 2 * ((turn + 2) % 3 * half + half - 1 - filled)
        c = 4 + 2 * ((turn + 1) % 3 * half + skipped + 1 + filled)
        suffix_n, suffix_v = (floats[b + 2], floats[b + 3]) if filled > 0 else (0.0, -math.inf)
        while i < last:
            one, value = (1.0, side * x[i]) if x[i] == x[i] else (0.0, -math.inf)
            floats[a], floats[a + 1] = one, value
            front_n += one
            front_v = value if value > front_v else front_v
            suffix_n = floats[b] + suffix_n if filled > 0 else floats[b]
            suffix_v = suffix_v if filled > 0 and suffix_v > floats[b + 1] else floats[b + 1]
            floats[b], floats[b + 1] = suffix_n, suffix_v
            filled += 1
            seen = min(seen + 1, w)
            n_all, greatest = front_n, front_v
            if w > 1:
                n_all += middle_n
                greatest = middle_v if middle_v > greatest else greatest
            if skipped + filled < half:
                n_all += floats[c]
                greatest = floats[c + 1] if floats[c + 1] > greatest else greatest
            out[i] = finite_or_null(side * greatest) if seen == w and 2.0 * n_all >= w else math.nan
            a, b, c, i = a + 2, b - 2, c + 2, i + 1
    ints[SEEN], ints[FILLED], ints[TURN] = seen, filled, turn
    floats[0], floats[1], floats[2], floats[3] = front_n, front_v, middle_n, middle_v


@kernel
def window_max_age(out: Column, x: Column, w: int, side: float, floats: Column, ints: Ints, n: int) -> None:
    """Rows since the latest row that holds the window's maximum of side * x; null as `window_max`.

    floats: (known, greatest, row) of the front and of the middle, then three stretches of them per row; ints[FREE]:
    rows since birth.
    """
    half = max(1, w // 2)
    skipped = 2 * half - w
    seen, filled, turn, now = ints[SEEN], ints[FILLED], ints[TURN], ints[FREE]
    front_n, front_v, front_t = floats[0], floats[1], floats[2]
    middle_n, middle_v, middle_t = floats[3], floats[4], floats[5]
    if seen == 0:
        front_v = -math.inf
    for i in range(n):
        if filled == half:
            filled, turn = 0, (turn + 1) % 3
            middle_n, middle_v, middle_t = front_n, front_v, front_t
            front_n, front_v, front_t = 0.0, -math.inf, 0.0
        front, middle, back = turn, (turn + 2) % 3, (turn + 1) % 3
        one, value = (1.0, side * x[i]) if x[i] == x[i] else (0.0, -math.inf)
        k = 6 + 3 * (front * half + filled)
        floats[k], floats[k + 1], floats[k + 2] = one, value, float(now)
        front_n += one
        if value >= front_v:
            front_v, front_t = value, float(now)
        if filled > 0:
            k = 6 + 3 * (middle * half + half - 1 - filled)
            floats[k] += floats[k + 3]
            if floats[k + 4] >= floats[k + 1]:
                floats[k + 1], floats[k + 2] = floats[k + 4], floats[k + 5]
        filled += 1
        seen = min(seen + 1, w)
        n_all, greatest, row = front_n, front_v, front_t
        if w > 1:
            n_all += middle_n
            if middle_v > greatest:
                greatest, row = middle_v, middle_t
        left = skipped + filled
        if left < half:
            k = 6 + 3 * (back * half + left)
            n_all += floats[k]
            if floats[k + 1] > greatest:
                greatest, row = floats[k + 1], floats[k + 2]
        out[i] = float(now) - row if seen == w and 2.0 * n_all >= w else math.nan
        now += 1
    ints[SEEN], ints[FILLED], ints[TURN], ints[FREE] = seen, filled, turn, now
    floats[0], floats[1], floats[2] = front_n, front_v, front_t
    floats[3], floats[4], floats[5] = middle_n, middle_v, middle_t


@kernel
def breakout(out: Column, x: Column, w: int, floats: Column, ints: Ints, n: int) -> None:
    """1 where x is above every known x of the w rows before this one, -1 where it is below, else 0.

    Null while fewer than w rows were seen before, where x is null, and where none of them is known. floats: (greatest,
    greatest of -x) of the front and of the middle, then three stretches of them per row; -inf = none.
    """
    half = max(1, w // 2)
    skipped = 2 * half - w
    seen, filled, turn = ints[SEEN], ints[FILLED], ints[TURN]
    front_v, front_u, middle_v, middle_u = floats[0], floats[1], floats[2], floats[3]
    if seen == 0:
        front_v, front_u = -math.inf, -math.inf
    for i in range(n):
        greatest, least = front_v, front_u
        if w > 1:
            greatest = middle_v if middle_v > greatest else greatest
            least = middle_u if middle_u > least else least
        left = skipped + filled
        if left < half:
            k = 4 + 2 * (((turn + 1) % 3) * half + left)
            greatest = floats[k] if floats[k] > greatest else greatest
            least = floats[k + 1] if floats[k + 1] > least else least
        known = x[i] == x[i]
        above = 1.0 if x[i] > greatest else 0.0
        below = 1.0 if -x[i] > least else 0.0
        out[i] = above - below if known and seen == w and greatest > -math.inf else math.nan
        if filled == half:
            filled, turn = 0, (turn + 1) % 3
            middle_v, middle_u, front_v, front_u = front_v, front_u, -math.inf, -math.inf
        value, mirrored = (x[i], -x[i]) if known else (-math.inf, -math.inf)
        k = 4 + 2 * (turn * half + filled)
        floats[k], floats[k + 1] = value, mirrored
        front_v = value if value > front_v else front_v
        front_u = mirrored if mirrored > front_u else front_u
        if filled > 0:
            k = 4 + 2 * (((turn + 2) % 3) * half + half - 1 - filled)
            floats[k] = floats[k + 2] if floats[k + 2] > floats[k] else floats[k]
            floats[k + 1] = floats[k + 3] if floats[k + 3] > floats[k + 1] else floats[k + 1]
        filled += 1
        seen = min(seen + 1, w)
    ints[SEEN], ints[FILLED], ints[TURN] = seen, filled, turn
    floats[0], floats[1], floats[2], floats[3] = front_v, front_u, middle_v, middle_u
