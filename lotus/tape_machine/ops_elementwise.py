"""Operations without state: one loop over the rows of a block each, simple enough to be vectorised.

A null is NaN and every null written is the same NaN; a result that is not finite is null. Flags are 0.0 or 1.0; a
comparison with a null is false. No state and no dispatch over nodes belong here. Column-at-a-time inside a block:
P. Boncz et al., "MonetDB/X100: hyper-pipelining query execution", CIDR 2005.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.jit import inlined_kernel, kernel
from lotus.tape_machine import ops_table as t

Column = NDArray[np.float64]
Indices = NDArray[np.int64]
LARGEST: Final[float] = float(np.finfo(np.float64).max)


@kernel
def finite_or_null(x: float) -> float:
    """Return x, or the one null for a value that is not finite."""
    return x if abs(x) <= LARGEST else math.nan


@kernel
def read_column(out: Column, table: NDArray[np.float64], index: int, n: int) -> None:
    """Take column `index` of the table's first n rows."""
    for i in range(n):
        out[i] = finite_or_null(table[i, index])


@inlined_kernel
def unary(code: int, out: Column, a: Column, n: int) -> None:
    """Negation, magnitude, sign, logarithm, root, logistic; `not` and `known` give flags."""
    if code == t.NEG:
        for i in range(n):
            out[i] = finite_or_null(-a[i])
    elif code == t.ABS:
        for i in range(n):
            out[i] = finite_or_null(abs(a[i]))
    elif code == t.SIGN:
        for i in range(n):
            above = 1.0 if a[i] > 0.0 else 0.0
            side = -1.0 if a[i] < 0.0 else above
            out[i] = side if a[i] == a[i] else math.nan
    elif code == t.LOG:
        for i in range(n):
            out[i] = finite_or_null(mathx.log(a[i]))
    elif code == t.SQRT:
        for i in range(n):
            out[i] = finite_or_null(math.sqrt(a[i]))
    elif code == t.LOGISTIC:
        for i in range(n):
            out[i] = finite_or_null(mathx.logistic(a[i]))
    elif code == t.NOT:
        for i in range(n):
            out[i] = 0.0 if a[i] > 0.5 else 1.0
    else:
        for i in range(n):
            out[i] = 1.0 if a[i] == a[i] else 0.0


@inlined_kernel
def arithmetic(code: int, out: Column, a: Column, b: Column, n: int) -> None:
    """Sum, difference, product, quotient, lesser and greater of two columns; null where either is null."""
    if code == t.ADD:
        for i in range(n):
            out[i] = finite_or_null(a[i] + b[i])
    elif code == t.SUB:
        for i in range(n):
            out[i] = finite_or_null(a[i] - b[i])
    elif code == t.MUL:
        for i in range(n):
            out[i] = finite_or_null(a[i] * b[i])
    elif code == t.DIV:
        for i in range(n):
            out[i] = finite_or_null(a[i] / b[i])
    elif code == t.MIN2:
        for i in range(n):
            lesser = a[i] if a[i] < b[i] else b[i]
            out[i] = lesser if (a[i] == a[i]) & (b[i] == b[i]) else math.nan
    else:
        for i in range(n):
            greater = a[i] if a[i] > b[i] else b[i]
            out[i] = greater if (a[i] == a[i]) & (b[i] == b[i]) else math.nan


@inlined_kernel
def comparison(code: int, out: Column, a: Column, b: Column, n: int) -> None:
    """Compare two columns or combine two flags; false where either is null."""
    if code == t.LT:
        for i in range(n):
            out[i] = 1.0 if a[i] < b[i] else 0.0
    elif code == t.LE:
        for i in range(n):
            out[i] = 1.0 if a[i] <= b[i] else 0.0
    elif code == t.GT:
        for i in range(n):
            out[i] = 1.0 if a[i] > b[i] else 0.0
    elif code == t.GE:
        for i in range(n):
            out[i] = 1.0 if a[i] >= b[i] else 0.0
    elif code == t.EQ:
        for i in range(n):
            out[i] = 1.0 if a[i] == b[i] else 0.0
    elif code == t.NE:
        for i in range(n):
            out[i] = 1.0 if (a[i] < b[i]) | (a[i] > b[i]) else 0.0
    elif code == t.AND:
        for i in range(n):
            out[i] = 1.0 if (a[i] > 0.5) & (b[i] > 0.5) else 0.0
    else:
        for i in range(n):
            out[i] = 1.0 if (a[i] > 0.5) | (b[i] > 0.5) else 0.0


@inlined_kernel
def ternary(code: int, out: Column, a: Column, b: Column, c: Column, n: int) -> None:
    """clip(a, b, c), the upper bound winning; or where: b if flag a else c, the other one may be null."""
    if code == t.CLIP:
        for i in range(n):
            raised = b[i] if a[i] < b[i] else a[i]
            bounded = c[i] if raised > c[i] else raised
            out[i] = bounded if (a[i] == a[i]) & (b[i] == b[i]) & (c[i] == c[i]) else math.nan
    else:
        for i in range(n):
            out[i] = b[i] if a[i] > 0.5 else c[i]


@kernel
def dot(out: Column, registers: NDArray[np.float64], args: Indices, weights: Column, n: int) -> None:
    """Weighted sum of columns `args`, nulls skipped; null where all are null. `weights` f8, one for each of `args`."""
    for i in range(n):
        total, known = 0.0, 0
        for k in range(len(args)):
            x = registers[args[k], i]
            if x == x:
                total += weights[k] * x
                known += 1
        out[i] = finite_or_null(total) if known > 0 else math.nan


@inlined_kernel
def elementwise(code: int, out: Column, a: Column, b: Column, c: Column, n: int) -> None:
    """Run one operation without state (other than const, column and dot) over n rows; unused operands are ignored."""
    if t.ADD <= code <= t.DIV or code == t.MIN2 or code == t.MAX2:
        arithmetic(code, out, a, b, n)
    elif t.LT <= code <= t.NE or code == t.AND or code == t.OR:
        comparison(code, out, a, b, n)
    elif code == t.CLIP or code == t.WHERE:
        ternary(code, out, a, b, c, n)
    else:
        unary(code, out, a, n)
