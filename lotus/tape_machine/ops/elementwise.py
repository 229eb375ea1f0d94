"""Operations without state: one formula each, looped over the nodes of a group and, within each, the rows of a block.

A null is NaN and every null written is the same NaN; a result that is not finite is null. Flags are 0.0 or 1.0; a
comparison with a null is false. A block is a loop simple enough to be vectorised; a single row is a loop over nodes.
No state and no dispatch over other operations belong here. Column-at-a-time inside a block: P. Boncz et al.,
"MonetDB/X100: hyper-pipelining query execution", CIDR 2005.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.jit import inlined_kernel, kernel, pasted_kernel
from lotus.tape_machine.nulls import finite_or_null
from lotus.tape_machine.ops import table as t

Column = NDArray[np.float64]
Code = NDArray[np.uint32]
Ints = NDArray[np.int64]
Table = NDArray[np.float64]


@kernel
def _neg(x: float) -> float:
    return finite_or_null(-x)


@kernel
def _abs(x: float) -> float:
    return finite_or_null(abs(x))


@kernel
def _sign(x: float) -> float:
    above = 1.0 if x > 0.0 else 0.0
    side = -1.0 if x < 0.0 else above
    return side if x == x else math.nan


@kernel
def _log(x: float) -> float:
    return finite_or_null(mathx.log(x))


@kernel
def _sqrt(x: float) -> float:
    return finite_or_null(math.sqrt(x))


@kernel
def _logistic(x: float) -> float:
    return finite_or_null(mathx.logistic(x))


@kernel
def _not(x: float) -> float:
    return 0.0 if x > 0.5 else 1.0


@kernel
def _known(x: float) -> float:
    return 1.0 if x == x else 0.0


@kernel
def _add(x: float, y: float) -> float:
    return finite_or_null(x + y)


@kernel
def _sub(x: float, y: float) -> float:
    return finite_or_null(x - y)


@kernel
def _mul(x: float, y: float) -> float:
    return finite_or_null(x * y)


@kernel
def _div(x: float, y: float) -> float:
    return finite_or_null(x / y)


@kernel
def _min2(x: float, y: float) -> float:
    lesser = x if x < y else y
    return lesser if (x == x) & (y == y) else math.nan


@kernel
def _max2(x: float, y: float) -> float:
    greater = x if x > y else y
    return greater if (x == x) & (y == y) else math.nan


@kernel
def _lt(x: float, y: float) -> float:
    return 1.0 if x < y else 0.0


@kernel
def _le(x: float, y: float) -> float:
    return 1.0 if x <= y else 0.0


@kernel
def _eq(x: float, y: float) -> float:
    return 1.0 if x == y else 0.0


@kernel
def _ne(x: float, y: float) -> float:
    return 1.0 if (x < y) | (x > y) else 0.0


@kernel
def _gt(x: float, y: float) -> float:
    return 1.0 if x > y else 0.0


@kernel
def _ge(x: float, y: float) -> float:
    return 1.0 if x >= y else 0.0


@kernel
def _and(x: float, y: float) -> float:
    return 1.0 if (x > 0.5) & (y > 0.5) else 0.0


@kernel
def _or(x: float, y: float) -> float:
    return 1.0 if (x > 0.5) | (y > 0.5) else 0.0


@kernel
def _clip(x: float, low: float, high: float) -> float:
    raised = low if x < low else x
    bounded = high if raised > high else raised
    return bounded if (x == x) & (low == low) & (high == high) else math.nan


@kernel
def _where(flag: float, x: float, y: float) -> float:
    return x if flag > 0.5 else y


Loop = Callable[[Code, int, int, Table, int], int]


def _unary(op: Any) -> Loop:
    @pasted_kernel
    def loop(code: Code, at: int, many: int, registers: Table, n: int) -> int:
        end = at + 2 * many
        if n == 1:
            for k in range(at, end, 2):
                registers[code[k], 0] = op(registers[code[k + 1], 0])
            return end
        for k in range(at, end, 2):
            out, x = registers[code[k]], registers[code[k + 1]]
            for i in range(n):
                out[i] = op(x[i])
        return end

    return loop


def _binary(op: Any) -> Loop:
    @pasted_kernel
    def loop(code: Code, at: int, many: int, registers: Table, n: int) -> int:
        end = at + 3 * many
        if n == 1:
            for k in range(at, end, 3):
                registers[code[k], 0] = op(registers[code[k + 1], 0], registers[code[k + 2], 0])
            return end
        for k in range(at, end, 3):
            out, x, y = registers[code[k]], registers[code[k + 1]], registers[code[k + 2]]
            for i in range(n):
                out[i] = op(x[i], y[i])
        return end

    return loop


def _ternary(op: Any) -> Loop:
    @pasted_kernel
    def loop(code: Code, at: int, many: int, registers: Table, n: int) -> int:
        end = at + 4 * many
        if n == 1:
            for k in range(at, end, 4):
                one, other = registers[code[k + 2], 0], registers[code[k + 3], 0]
                registers[code[k], 0] = op(registers[code[k + 1], 0], one, other)
            return end
        for k in range(at, end, 4):
            out, x, y, z = registers[code[k]], registers[code[k + 1]], registers[code[k + 2]], registers[code[k + 3]]
            for i in range(n):
                out[i] = op(x[i], y[i], z[i])
        return end

    return loop


_NEG, _ABS, _SIGN, _LOG = _unary(_neg), _unary(_abs), _unary(_sign), _unary(_log)
_SQRT, _LOGISTIC, _NOT, _KNOWN = _unary(_sqrt), _unary(_logistic), _unary(_not), _unary(_known)
_ADD, _SUB, _MUL, _DIV, _MIN2, _MAX2 = (_binary(op) for op in (_add, _sub, _mul, _div, _min2, _max2))
_LT, _LE, _GT, _GE, _EQ, _NE, _AND, _OR = (_binary(op) for op in (_lt, _le, _gt, _ge, _eq, _ne, _and, _or))
_CLIP, _WHERE = _ternary(_clip), _ternary(_where)


@inlined_kernel
def arithmetic(op: int, code: Code, at: int, many: int, registers: Table, n: int) -> int:
    """Sum, difference, product, quotient, lesser and greater; null where either operand is null."""
    if op == t.ADD:
        return _ADD(code, at, many, registers, n)
    if op == t.SUB:
        return _SUB(code, at, many, registers, n)
    if op == t.MUL:
        return _MUL(code, at, many, registers, n)
    if op == t.DIV:
        return _DIV(code, at, many, registers, n)
    if op == t.MIN2:
        return _MIN2(code, at, many, registers, n)
    return _MAX2(code, at, many, registers, n)


@inlined_kernel
def comparison(op: int, code: Code, at: int, many: int, registers: Table, n: int) -> int:
    """Compare two numbers or combine two flags; false where either is null."""
    if op == t.AND:
        return _AND(code, at, many, registers, n)
    if op == t.OR:
        return _OR(code, at, many, registers, n)
    if op == t.LT:
        return _LT(code, at, many, registers, n)
    if op == t.LE:
        return _LE(code, at, many, registers, n)
    if op == t.GT:
        return _GT(code, at, many, registers, n)
    if op == t.GE:
        return _GE(code, at, many, registers, n)
    if op == t.EQ:
        return _EQ(code, at, many, registers, n)
    return _NE(code, at, many, registers, n)


@inlined_kernel
def unary(op: int, code: Code, at: int, many: int, registers: Table, n: int) -> int:
    """Negation, magnitude, sign, logarithm, root, logistic; `not` and `known` give flags."""
    if op == t.NEG:
        return _NEG(code, at, many, registers, n)
    if op == t.ABS:
        return _ABS(code, at, many, registers, n)
    if op == t.SIGN:
        return _SIGN(code, at, many, registers, n)
    if op == t.LOG:
        return _LOG(code, at, many, registers, n)
    if op == t.SQRT:
        return _SQRT(code, at, many, registers, n)
    if op == t.LOGISTIC:
        return _LOGISTIC(code, at, many, registers, n)
    if op == t.NOT:
        return _NOT(code, at, many, registers, n)
    return _KNOWN(code, at, many, registers, n)


@kernel
def elementwise(op: int, code: Code, at: int, many: int, registers: Table, n: int) -> int:
    """Run a group of `many` nodes of operation `op`, which begin at code[at], over n rows; return where it ends.

    Any operation without state but const, column and dot. clip(x, low, high): the upper bound wins; where(flag, x, y):
    the branch not taken may be null.
    """
    if t.ADD <= op <= t.DIV or op == t.MIN2 or op == t.MAX2:
        return arithmetic(op, code, at, many, registers, n)
    if t.LT <= op <= t.NE or op == t.AND or op == t.OR:
        return comparison(op, code, at, many, registers, n)
    if op == t.CLIP:
        return _CLIP(code, at, many, registers, n)
    if op == t.WHERE:
        return _WHERE(code, at, many, registers, n)
    return unary(op, code, at, many, registers, n)


@inlined_kernel
def read_row(code: Code, row: Column, registers: Table, i: int) -> int:
    """Put the columns that a program reads, from one row, to place i of their registers; return where groups begin."""
    many = int(code[0])
    for k in range(1, 1 + 2 * many, 2):
        registers[code[k], i] = finite_or_null(row[code[k + 1]])
    return 1 + 2 * many


@kernel
def read_rows(code: Code, table: Table, picks: Ints, registers: Table) -> int:
    """Put the rows `picks` of the table to the registers, a few at a time; return where groups begin."""
    many, n = int(code[0]), len(picks)
    for first in range(0, n, 8):
        last = min(first + 8, n)
        for k in range(1, 1 + 2 * many, 2):
            to, index = registers[code[k]], code[k + 1]
            for i in range(first, last):
                to[i] = finite_or_null(table[picks[i], index])
    return 1 + 2 * many


@kernel
def dot(out: Column, known: Column, registers: Table, args: Code, weights: Column, n: int) -> None:
    """Weighted sum of columns `args`, nulls skipped; null where all are null. `weights` f8, one for each of `args`.

    `known`: room for n numbers.
    """
    if n == 1:
        total, some = 0.0, False
        for k in range(len(args)):
            x = registers[args[k], 0]
            total += weights[k] * x if x == x else 0.0
            some |= x == x
        out[0] = finite_or_null(total) if some else math.nan
        return
    for i in range(n):
        out[i], known[i] = 0.0, 0.0
    for k in range(len(args)):
        column, weight = registers[args[k]], weights[k]
        for i in range(n):
            x = column[i]
            out[i] += weight * x if x == x else 0.0
            known[i] += 1.0 if x == x else 0.0
    for i in range(n):
        out[i] = finite_or_null(out[i]) if known[i] > 0.0 else math.nan
