"""The typed node: what the checker makes of an expression and the compiler takes, and the names of all operations.

Only this value and the table of operations belong here; no parsing and no computation. Nodes compare by value, so two
equal sub-expressions are one node (hash-consing, common sub-expression elimination).
"""

from dataclasses import dataclass
from typing import Final

# operation -> (number of operands, number of parameters). Parameters: v value, index column, w d steps, h half-life in
# steps, q share, tol in the unit of the first operand. The checker lowers delta, zscore, rsi, macd and macd_signal to
# these, so that they share; no program holds them.
OPS: Final[dict[str, tuple[int, int]]] = {
    "const": (0, 1), "column": (0, 1),
    "neg": (1, 0), "add": (2, 0), "sub": (2, 0), "mul": (2, 0), "div": (2, 0),
    "abs": (1, 0), "sign": (1, 0), "log": (1, 0), "sqrt": (1, 0),
    "min2": (2, 0), "max2": (2, 0), "clip": (3, 0), "where": (3, 0),
    "and": (2, 0), "or": (2, 0), "not": (1, 0), "known": (1, 0),
    "lt": (2, 0), "le": (2, 0), "gt": (2, 0), "ge": (2, 0), "eq": (2, 0), "ne": (2, 0),
    "lag": (1, 1), "ema": (1, 1), "mean": (1, 1), "std": (1, 1), "sum": (1, 1), "rank": (1, 1), "quantile": (1, 2),
    "rmax": (1, 1), "rmin": (1, 1), "argmax_age": (1, 1), "argmin_age": (1, 1), "slope": (1, 1),
    "crossed": (2, 0), "since": (1, 0), "hold": (2, 1), "count": (1, 1), "within": (1, 1), "breakout": (1, 1),
    "retest": (2, 2),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of the graph; numbers are in base units, durations already in steps (integer-valued, >= 0)."""

    op: str  # one of OPS
    args: tuple["Node", ...]  # operands
    params: tuple[float, ...]  # numbers fixed at compile time
    kind: str  # "number" | "flag"
    unit: str  # canonical unit text: "bps", "bps/min", "USD", "lots", "1", "ticks", "s", ...
