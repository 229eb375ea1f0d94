"""Operations that remember a few numbers or a ring: lag, ema, crossed, since, hold, count, within, retest.

Each takes its node's state (floats, ints), blank = all zeros, and n rows; a null row is handled as `transforms` says.
Everything is O(1) per row. Sliding windows over values are in `window`, state machines in `fsm`.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import inlined_kernel, kernel
from lotus.tape_machine.ops import table as t

Column = NDArray[np.float64]
Ints = NDArray[np.int64]
Code = NDArray[np.uint32]
Table = NDArray[np.float64]

EMA_WORDS: Final[int] = t.HEAD + 2  # of the code of one `ema`


@inlined_kernel
def lag(out: Column, x: Column, d: int, floats: Column, ints: Ints, n: int) -> None:
    """x of d rows ago. State: ring f8[d]; ints: its position, rows seen up to d."""
    at, seen = ints[0], ints[1]
    if n > 1 and d > 0 and seen == d:
        lag_block(out, x, d, at, floats, n)
        ints[0] = (at + n) % d
        return
    for i in range(n):
        if d == 0:
            out[i] = x[i]
            continue
        out[i] = floats[at] if seen == d else math.nan
        floats[at] = x[i]
        at = at + 1 if at + 1 < d else 0
        seen = seen + 1 if seen < d else d
    ints[0], ints[1] = at, seen


@kernel
def lag_block(out: Column, x: Column, d: int, at: int, floats: Column, n: int) -> None:
    """The rows of a block whose ring is full and begins at place `at`: what it holds first, then x itself."""
    head = min(d, n)
    first = min(head, d - at)
    for i in range(first):
        out[i] = floats[at + i]
    for i in range(first, head):
        out[i] = floats[at + i - d]
    for i in range(head, n):
        out[i] = x[i - d]
    place = (at + n - head) % d
    first = min(head, d - place)
    for i in range(first):
        floats[place + i] = x[n - head + i]
    for i in range(first, head):
        floats[place + i - d] = x[n - head + i]


@kernel
def ema_block(
    code: Code, at: int, many: int, params: Column, floats: Column, ints: Ints, registers: Table, n: int
) -> int:
    """Run a group of `ema` over n rows, four side by side so that none waits for another; return where it ends.

    Row by row in their order, so that one may read another of the four.
    """
    while many >= 4:
        p, q, r, s = code[at:], code[at + EMA_WORDS :], code[at + 2 * EMA_WORDS :], code[at + 3 * EMA_WORDS :]
        out_p, out_q, out_r, out_s = registers[p[0]], registers[q[0]], registers[r[0]], registers[s[0]]
        in_p, in_q, in_r, in_s = registers[p[t.HEAD]], registers[q[t.HEAD]], registers[r[t.HEAD]], registers[s[t.HEAD]]
        a, b = params[p[t.FIRST_PARAM]], params[q[t.FIRST_PARAM]]
        c, d = params[r[t.FIRST_PARAM]], params[s[t.FIRST_PARAM]]
        e, f, g, h = p[t.FIRST_FLOAT], q[t.FIRST_FLOAT], r[t.FIRST_FLOAT], s[t.FIRST_FLOAT]
        u, v, w, z = p[t.FIRST_INT], q[t.FIRST_INT], r[t.FIRST_INT], s[t.FIRST_INT]
        half_p, half_q, half_r, half_s = floats[e], floats[f], floats[g], floats[h]
        known_p, known_q, known_r, known_s = ints[u] > 0, ints[v] > 0, ints[w] > 0, ints[z] > 0
        for i in range(n):
            half_p, known_p = ema_step(half_p, known_p, a, in_p[i])
            out_p[i] = 2.0 * half_p if known_p else math.nan
            half_q, known_q = ema_step(half_q, known_q, b, in_q[i])
            out_q[i] = 2.0 * half_q if known_q else math.nan
            half_r, known_r = ema_step(half_r, known_r, c, in_r[i])
            out_r[i] = 2.0 * half_r if known_r else math.nan
            half_s, known_s = ema_step(half_s, known_s, d, in_s[i])
            out_s[i] = 2.0 * half_s if known_s else math.nan
        floats[e], floats[f], floats[g], floats[h] = half_p, half_q, half_r, half_s
        ints[u], ints[v], ints[w], ints[z] = int(known_p), int(known_q), int(known_r), int(known_s)
        at, many = at + 4 * EMA_WORDS, many - 4
    for _ in range(many):
        p = code[at:]
        own = floats[p[t.FIRST_FLOAT] :]
        ema(registers[p[0]], registers[p[t.HEAD]], params[p[t.FIRST_PARAM]], own, ints[p[t.FIRST_INT] :], n)
        at += EMA_WORDS
    return at


@kernel
def ema_step(half: float, known: bool, alpha: float, x: float) -> tuple[float, bool]:
    """Return half the average and whether there is one after a row."""
    mine = 0.5 * x
    moved = half + alpha * (mine - half) if known else mine
    return (moved if x == x else half), known | (x == x)


@inlined_kernel
def ema(out: Column, x: Column, alpha: float, floats: Column, ints: Ints, n: int) -> None:
    """e += alpha (x - e) from the first known x on; a constant stays exactly where it is.

    State: e / 2, so that x / 2 - e / 2 cannot overflow; ints: whether there is one.
    """
    half, known = floats[0], ints[0] > 0
    for i in range(n):
        half, known = ema_step(half, known, alpha, x[i])
        out[i] = 2.0 * half if known else math.nan
    floats[0], ints[0] = half, int(known)


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
    head = min(w, n)
    for i in range(head):
        place = at + i if at + i < w else at + i - w
        total += (1 if flag[i] > 0.5 else 0) - int(floats[place])
        out[i] = float(total)
    for i in range(head, n):
        total += (1 if flag[i] > 0.5 else 0) - (1 if flag[i - w] > 0.5 else 0)
        out[i] = float(total)
    at = (at + n - head) % w
    for i in range(n - head, n):
        floats[at] = 1.0 if flag[i] > 0.5 else 0.0
        at = at + 1 if at + 1 < w else 0
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
