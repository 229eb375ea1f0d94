"""Operations that remember a few numbers or a ring: lag, ema, crossed, since, hold, count, within, retest.

Each takes its node's state (floats, ints), blank = all zeros, and n rows; a null row is handled as `transforms` says.
Everything is O(1) per row. Sliding windows over values are in `ops_window`, state machines in `ops_fsm`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.jit import inlined_kernel
from lotus.tape_machine import ops_table as t

Column = NDArray[np.float64]
Ints = NDArray[np.int64]


@inlined_kernel
def lag(out: Column, x: Column, d: int, floats: Column, ints: Ints, n: int) -> None:
    """x of d rows ago. State: ring f8[d]; ints: its position, rows seen up to d."""
    at, seen = ints[0], ints[1]
    first = 0
    while d >= 16 and seen == d and first < n:  # a stretch of the ring as one copy
        many = min(n - first, d - at)
        for i in range(many):
            out[first + i] = floats[at + i]
        for i in range(many):
            floats[at + i] = x[first + i]
        first, at = first + many, at + many if at + many < d else 0
    for i in range(first, n):
        if d == 0:
            out[i] = x[i]
            continue
        out[i] = floats[at] if seen == d else math.nan
        floats[at] = x[i]
        at = at + 1 if at + 1 < d else 0
        seen = seen + 1 if seen < d else d
    ints[0], ints[1] = at, seen


@inlined_kernel
def ema(out: Column, x: Column, alpha: float, floats: Column, ints: Ints, n: int) -> None:
    """e += alpha (x - e) from the first known x on; a constant stays exactly where it is.

    State: e / 2, so that x / 2 - e / 2 cannot overflow; ints: whether there is one.
    """
    half, known = floats[0], ints[0]
    for i in range(n):
        if x[i] == x[i]:
            mine = 0.5 * x[i]
            half = half + alpha * (mine - half) if known else mine
            known = 1
        out[i] = 2.0 * half if known else math.nan
    floats[0], ints[0] = half, known


@inlined_kernel
def crossed(out: Column, a: Column, b: Column, ints: Ints, n: int) -> None:
    """1 where a gets above b having last been below, -1 the other way, else 0. State: the last side."""
    side = ints[0]
    for i in range(n):
        now = (1 if a[i] > b[i] else 0) - (1 if a[i] < b[i] else 0)
        out[i] = float(now) if now * side == -1 else 0.0
        if not (a[i] == a[i] and b[i] == b[i]):
            out[i] = math.nan
        side = now if now != 0 else side
    ints[0] = side


@inlined_kernel
def since(out: Column, flag: Column, cap: int, ints: Ints, n: int) -> None:
    """Rows since the flag was true, at most `cap`; null before. State: that number + 1, or 0."""
    age = ints[0]
    for i in range(n):
        if flag[i] > 0.5:
            age = 1
        elif age > 0 and age <= cap:
            age += 1
        out[i] = float(age - 1) if age > 0 else math.nan
    ints[0] = age


@inlined_kernel
def within(out: Column, flag: Column, d: int, ints: Ints, n: int) -> None:
    """Whether the flag was true at most d rows ago. State: rows left for which it holds."""
    left = ints[0]
    for i in range(n):
        if flag[i] > 0.5:
            left = d + 1
        out[i] = 1.0 if left > 0 else 0.0
        left = left - 1 if left > 0 else 0
    ints[0] = left


@inlined_kernel
def hold(out: Column, x: Column, flag: Column, d: int, floats: Column, ints: Ints, n: int) -> None:
    """x of the latest row where the flag was true, null d rows later. State: x; ints: rows left for which it holds."""
    held, left = floats[0], ints[0]
    for i in range(n):
        if flag[i] > 0.5:
            held, left = x[i], d + 1
        out[i] = held if left > 0 else math.nan
        left = left - 1 if left > 0 else 0
    floats[0], ints[0] = held, left


@inlined_kernel
def count(out: Column, flag: Column, w: int, floats: Column, ints: Ints, n: int) -> None:
    """Rows with the flag among the last w. State: ring of flags f8[w]; ints: its position, the count (exact)."""
    at, total = ints[0], ints[1]
    for i in range(n):
        now = 1 if flag[i] > 0.5 else 0
        total += now - int(floats[at])
        floats[at] = float(now)
        at = at + 1 if at + 1 < w else 0
        out[i] = float(total)
    ints[0], ints[1] = at, total


@inlined_kernel
def retest(out: Column, x: Column, level: Column, tol: float, d: int, ints: Ints, n: int) -> None:
    """The side of x where it is within tol of the level at most d rows after changing side, else 0.

    State: the last side (1 above level + tol, -1 below level - tol), rows left in which a retest counts.
    """
    side, left = ints[0], ints[1]
    for i in range(n):
        now = (1 if x[i] > level[i] + tol else 0) - (1 if x[i] < level[i] - tol else 0)
        if now * side == -1:
            left = d + 1
        side = now if now != 0 else side
        out[i] = float(side) if left > 0 and abs(x[i] - level[i]) <= tol else 0.0
        if not (x[i] == x[i] and level[i] == level[i]):
            out[i] = math.nan
        left = left - 1 if left > 0 else 0
    ints[0], ints[1] = side, left


@inlined_kernel
def remember(code: int, out: Column, a: Column, b: Column, params: Column, floats: Column, ints: Ints, n: int) -> None:
    """Run one operation of this file over n rows."""
    if code == t.LAG:
        lag(out, a, int(params[0]), floats, ints, n)
    elif code == t.EMA:
        ema(out, a, params[0], floats, ints, n)
    elif code == t.CROSSED:
        crossed(out, a, b, ints, n)
    elif code == t.SINCE:
        since(out, a, int(params[0]), ints, n)
    elif code == t.WITHIN:
        within(out, a, int(params[0]), ints, n)
    elif code == t.HOLD:
        hold(out, a, b, int(params[0]), floats, ints, n)
    elif code == t.COUNT:
        count(out, a, int(params[0]), floats, ints, n)
    else:
        retest(out, a, b, params[0], int(params[1]), ints, n)
