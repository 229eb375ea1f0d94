"""The constructors of typed nodes: equal nodes are made once, constants are folded, composites become primitives.

No checking happens here: operands already have the kinds and units that the operation asks for.
"""

import math
from collections.abc import Callable

from lotus.tape_machine.node import Node
from lotus.tape_machine.units import quotient

_FOLD: dict[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b if b else math.nan,
}
MS_PER_MINUTE = 60_000


class Builder:
    """Makes nodes of one expression; `number` of the same operation and operands returns the same object."""

    def __init__(self, step_ms: int) -> None:
        """Begin with no nodes; a row lasts `step_ms`."""
        self._step_ms = step_ms
        self._pool: dict[tuple[object, ...], Node] = {}

    def node(self, op: str, args: tuple[Node, ...], params: tuple[float, ...], kind: str, unit: str) -> Node:
        """Return the one node of these values."""
        key = (op, tuple(id(a) for a in args), params, kind, unit)
        existing = self._pool.get(key)
        if existing is None:
            existing = self._pool[key] = Node(op, args, params, kind, unit)
        return existing

    def const(self, value: float, unit: str) -> Node:
        """Return a constant; the sign of a zero is dropped."""
        return self.node("const", (), (value + 0.0,), "number", unit)

    def number(self, op: str, args: tuple[Node, ...], unit: str, params: tuple[float, ...] = ()) -> Node:
        """Return a number; arithmetic of constants is a constant (NaN or infinite where it has no value)."""
        if op in _FOLD and all(a.op == "const" for a in args):
            return self.const(_FOLD[op](args[0].params[0], args[1].params[0]), unit)
        if op == "neg" and args[0].op == "const":
            return self.const(-args[0].params[0], unit)
        return self.node(op, args, params, "number", unit)

    def flag(self, op: str, args: tuple[Node, ...], params: tuple[float, ...] = ()) -> Node:
        """Return a flag."""
        return self.node(op, args, params, "flag", "1")

    def composite(self, name: str, x: Node, params: tuple[float, ...], unit: str) -> Node:
        """Return `delta`, `zscore`, `rsi`, `macd`, `macd_signal` or `slope` per minute in primitive operations."""
        if name == "delta":
            return self.number("sub", (x, self._of(x, "lag", params[0])), unit)
        if name == "zscore":
            spread = self.number("sub", (x, self._of(x, "mean", params[0])), x.unit)
            return self.number("div", (spread, self._of(x, "std", params[0])), unit)
        if name == "rsi":
            return self._rsi(x, params[0])
        if name == "slope":
            per_minute = self.const(MS_PER_MINUTE / self._step_ms, "step/min")
            per_step = self.number("slope", (x,), quotient(x.unit, "step"), params)
            return self.number("mul", (per_step, per_minute), unit)
        fast, slow, *rest = params
        macd = self.number("sub", (self._of(x, "ema", fast), self._of(x, "ema", slow)), unit)
        return self._of(macd, "ema", rest[0]) if rest else macd

    def _of(self, x: Node, op: str, param: float) -> Node:
        return self.number(op, (x,), x.unit, (param,))

    def _rsi(self, x: Node, half_life: float) -> Node:
        zero, change = self.const(0.0, x.unit), self.composite("delta", x, (1.0,), x.unit)
        rises = self._of(self.number("max2", (change, zero), x.unit), "ema", half_life)
        falls = self._of(self.number("max2", (self.number("neg", (change,), x.unit), zero), x.unit), "ema", half_life)
        share = self.number("div", (rises, self.number("add", (rises, falls), x.unit)), "1")
        return self.number("mul", (self.const(100.0, "1"), share), "1")
