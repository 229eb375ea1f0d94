"""What every operation means, written once more in plain NumPy, row by row from the definitions, as slowly as it takes.

Nothing here shares code with the kernels. A null is NaN; columns are f8[n] and start at birth. Also here: strategies
for nasty columns and random expressions.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from lotus.tape_machine.machine import Machine
from lotus.tape_machine.node import Node
from lotus.tape_machine.program import compile_program

Column = NDArray[np.float64]
Table = NDArray[np.float64]
NULL = math.nan
NASTY = (NULL, 0.0, -0.0, 1.0, -1.0, 1e-300, 5e-324, 1e300, -1e300, 1.7e308, -1.7e308, math.inf, -math.inf, 1e5, 0.1)
TAMER = (NULL, 0.0, -0.0, 1.0, -1.0, 1e-9, 1e9, -1e9, 64000.5, 64000.0, 0.1)


def node(op: str, *args: Node, params: Sequence[float] = ()) -> Node:
    """A Node whose kind and unit do not matter to the machine."""
    return Node(op, args, tuple(float(p) for p in params), "number", "1")


def column(index: int) -> Node:
    """A column of the input table."""
    return node("column", params=(index,))


def run(root: Node, *columns: Column, memory_steps: int = 36_000) -> Column:
    """The machine's values of one expression over these columns."""
    machine = Machine(compile_program({"y": root}, memory_steps), 1)
    return machine.feed_table(0, np.column_stack(columns))[:, 0]


def equal_bits(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Equal shapes and bits."""
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def nasty_columns(values: Sequence[float] = NASTY, longest: int = 60) -> st.SearchStrategy[Column]:
    """Columns of 1 to `longest` rows with many repeated, null and extreme values."""
    some = st.one_of(st.sampled_from(values), st.floats(-100.0, 100.0), st.integers(-3, 3).map(float))
    return st.integers(1, longest).flatmap(lambda n: arrays(np.float64, n, elements=some))


def flags(n: int) -> st.SearchStrategy[Column]:
    """n flags."""
    return arrays(np.float64, n, elements=st.sampled_from((0.0, 0.0, 0.0, 1.0)))


def meaning(root: Node, table: Table) -> Column:
    """The values of an expression over a whole table f8[n, columns] that starts at birth."""
    if root.op == "column":
        return clean(table[:, int(root.params[0])])
    if root.op == "const":
        return clean(np.full(len(table), root.params[0]))
    return of_columns(root.op, [meaning(a, table) for a in root.args], root.params)


def of_columns(op: str, args: Sequence[Column], params: Sequence[float] = ()) -> Column:
    """The values of one operation on whole columns."""
    with np.errstate(all="ignore"):
        if op in ROW_WISE:
            return clean(np.array([ROW_WISE[op](*row) for row in zip(*args, strict=True)], np.float64))
        if op in WINDOWS:
            return clean(np.array([_window(op, args[0], i, params) for i in range(len(args[0]))], np.float64))
        return clean(np.array(SEQUENTIAL[op](*args, *params), np.float64))


def clean(x: Column) -> Column:
    """Anything not finite is null."""
    return np.where(np.isfinite(x), x, NULL)


def _strict(f: Callable[..., float]) -> Callable[..., float]:
    return lambda *row: NULL if any(v != v for v in row) else f(*row)


ROW_WISE: Mapping[str, Callable[..., float]] = {
    "neg": lambda x: -x, "abs": abs, "sign": _strict(lambda x: float(x > 0) - float(x < 0)),
    "log": lambda x: math.log(x) if x > 0 else NULL, "sqrt": lambda x: math.sqrt(x) if x >= 0 else NULL,
    "logistic": _strict(lambda x: 1.0 / (1.0 + math.exp(-x)) if x > -700 else 0.0),
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "min2": _strict(min), "max2": _strict(max), "clip": _strict(lambda x, lo, hi: min(max(x, lo), hi)),
    "where": lambda f, a, b: a if f == 1 else b,
    "and": lambda a, b: float(a == 1 and b == 1), "or": lambda a, b: float(a == 1 or b == 1),
    "not": lambda a: float(a != 1), "known": lambda x: float(x == x),
    "lt": lambda a, b: float(a < b), "le": lambda a, b: float(a <= b), "gt": lambda a, b: float(a > b),
    "ge": lambda a, b: float(a >= b), "eq": lambda a, b: float(a == b),
    "ne": lambda a, b: float(a == a and b == b and a != b),
}  # fmt: skip


def _window(op: str, x: Column, i: int, params: Sequence[float]) -> float:
    w = int(params[-1])
    if op == "breakout":
        before = x[i - w : i] if i >= w else x[:0]
        return WINDOWS[op](np.append(before[before == before], x[i])) if (before == before).any() else NULL
    rows = x[i - w + 1 : i + 1] if i + 1 >= w else x[:0]
    if op == "slope":
        return WINDOWS[op](rows) if len(rows) > 1 and not np.isnan(rows).any() else NULL
    if len(rows) < w or 2 * np.count_nonzero(rows == rows) < w:
        return NULL
    return WINDOWS[op](rows, *params[:-1])


def _known(rows: Column) -> Column:
    return rows[rows == rows]


def exact_std(rows: Column) -> float:
    """Population standard deviation in extended precision."""
    known = _known(rows).astype(np.longdouble)
    return float(np.sqrt(np.mean((known - known.mean()) ** 2)))


def exact_slope(rows: Column) -> float:
    """Least-squares slope per row in extended precision."""
    j = np.arange(len(rows), dtype=np.longdouble) - np.longdouble(len(rows) - 1) / 2
    return float(np.sum(j * (rows.astype(np.longdouble) - rows[0])) / np.sum(j * j))


def _rank(rows: Column) -> float:
    if rows[-1] != rows[-1]:
        return NULL
    known = _known(rows)
    return float((np.sum(known < rows[-1]) + 0.5 * np.sum(known == rows[-1])) / len(known))


def _breakout(rows: Column) -> float:
    before, x = rows[:-1], rows[-1]
    return NULL if x != x else float(x > before.max()) - float(x < before.min())


WINDOWS: Mapping[str, Callable[..., float]] = {
    "sum": lambda r: float(np.sum(_known(r).astype(np.longdouble))),
    "mean": lambda r: float(np.mean(_known(r).astype(np.longdouble))),
    "std": exact_std, "slope": exact_slope, "rank": _rank,
    "quantile": lambda r, q: float(np.quantile(_known(r).astype(np.longdouble), q)),
    "rmax": lambda r: float(np.max(_known(r))), "rmin": lambda r: float(np.min(_known(r))),
    "argmax_age": lambda r: float(min(k for k, v in enumerate(r[::-1]) if v == np.nanmax(r))),
    "argmin_age": lambda r: float(min(k for k, v in enumerate(r[::-1]) if v == np.nanmin(r))),
    "breakout": _breakout,
}  # fmt: skip


def _latest(flag: Column, i: int) -> int | None:
    rows = np.flatnonzero(flag[: i + 1] == 1)
    return int(rows[-1]) if len(rows) else None


def _since(flag: Column, cap: float) -> list[float]:
    rows = [_latest(flag, i) for i in range(len(flag))]
    return [NULL if r is None else min(float(i - r), cap) for i, r in enumerate(rows)]


def _hold(x: Column, flag: Column, d: float) -> list[float]:
    rows = [_latest(flag, i) for i in range(len(flag))]
    return [NULL if r is None or i - r > d else float(x[r]) for i, r in enumerate(rows)]


def _within(flag: Column, d: float) -> list[float]:
    return [float((flag[max(0, i - int(d)) : i + 1] == 1).any()) for i in range(len(flag))]


def _count(flag: Column, w: float) -> list[float]:
    return [float((flag[max(0, i - int(w) + 1) : i + 1] == 1).sum()) for i in range(len(flag))]


def _lag(x: Column, d: float) -> list[float]:
    return [float(x[i - int(d)]) if i >= d else NULL for i in range(len(x))]


def _ema(x: Column, h: float) -> list[float]:
    out, e, share = [], NULL, 0.5 ** (1.0 / h)
    for v in x:
        if v == v:
            e = v if e != e else share * e + (1.0 - share) * v
        out.append(float(e))
    return out


def _crossed(a: Column, b: Column) -> list[float]:
    out, sides = [], [0.0]
    for u, v in zip(a, b, strict=True):
        now = 0.0 if u == v or u != u or v != v else math.copysign(1.0, (u > v) - 0.5)
        out.append(NULL if u != u or v != v else (now if now == -sides[-1] else 0.0))
        sides += [now] if now else []
    return out


def _retest(x: Column, level: Column, tol: float, d: float) -> list[float]:
    out: list[float] = []
    side, last_break = 0, None
    for i, (u, v) in enumerate(zip(x, level, strict=True)):
        now = 1 if u > v + tol else -1 if u < v - tol else side
        last_break = i if side and now != side else last_break
        side = now
        near = abs(u - v) <= tol and last_break is not None and i - last_break <= d
        out.append(NULL if u != u or v != v else float(side if near else 0))
    return out


SEQUENTIAL: Mapping[str, Callable[..., list[float]]] = {
    "lag": _lag, "ema": _ema, "crossed": _crossed, "since": _since, "hold": _hold, "within": _within, "count": _count,
    "retest": _retest,
}  # fmt: skip
FLAG_OPS = ("lt", "le", "gt", "ge", "eq", "ne")
PAIRS = ("add", "sub", "mul", "div", "min2", "max2", "crossed")
WINDOWED = ("sum", "mean", "std", "slope", "rank", "rmax", "rmin", "argmax_age", "argmin_age", "breakout", "lag", "ema")


def expressions(columns: int = 3, depth: int = 4) -> st.SearchStrategy[Node]:
    """Random expressions of numbers, with every operation of the language."""
    return st.integers(0, 2**32).map(lambda seed: _Dice(seed, columns).number(depth))


class _Dice:
    """Draws expressions from a seed: much faster than drawing every part by Hypothesis."""

    def __init__(self, seed: int, columns: int) -> None:
        self._rng, self._columns = np.random.default_rng(seed), columns

    def _one_of(self, *names: str) -> str:
        return names[self._rng.integers(len(names))]

    def _steps(self) -> int:
        return int(self._rng.choice([*range(1, 13), 40, 601]))

    def number(self, depth: int) -> Node:
        if depth == 0 or self._rng.random() < 0.1:
            if self._rng.random() < 0.3:
                return node("const", params=(round(self._rng.uniform(-9, 9), 1),))
            return column(int(self._rng.integers(self._columns)))
        kind = self._one_of("pair", "window", "window", "unary", "three", "where", "flags", "quantile", "retest", "fsm")
        return getattr(self, f"_{kind}")(lambda: self.number(depth - 1))

    def _pair(self, x: Callable[[], Node]) -> Node:
        return node(self._one_of(*PAIRS), x(), x())

    def _window(self, x: Callable[[], Node]) -> Node:
        return node(self._one_of(*WINDOWED), x(), params=(self._steps(),))

    def _unary(self, x: Callable[[], Node]) -> Node:
        return node(self._one_of("neg", "abs", "sign", "log", "sqrt", "logistic"), x())

    def _three(self, x: Callable[[], Node]) -> Node:
        return node("clip", x(), x(), x())

    def _where(self, x: Callable[[], Node]) -> Node:
        return node("where", self._flag(x), node("hold", x(), self._flag(x), params=(self._steps(),)), x())

    def _flags(self, x: Callable[[], Node]) -> Node:
        flag, w = self._flag(x), (self._steps(),)
        return node("add", node("since", flag), node("count", node("within", node("not", flag), params=w), params=w))

    def _quantile(self, x: Callable[[], Node]) -> Node:
        q = node("quantile", x(), params=(self._rng.random(), self._steps()))
        return node("dot", q, x(), params=(1.5, -2.0))

    def _retest(self, x: Callable[[], Node]) -> Node:
        return node("retest", x(), x(), params=(0.5, self._steps()))

    def _fsm(self, x: Callable[[], Node]) -> Node:
        machine = node("fsm", self._flag(x), self._flag(x), params=(2, 1, -1, 0, 1, 0, 0, 0, self._steps()))
        return node("fsm_latch", node("add", x(), node("fsm_age", machine)), machine, params=(1,))

    def _flag(self, x: Callable[[], Node]) -> Node:
        first = node(self._one_of(*FLAG_OPS), x(), x())
        return node(self._one_of("and", "or"), first, node("known", x())) if self._rng.random() < 0.5 else first
