"""What a candidate computes, whatever it is called and however it is written: its canonical id.

Constants are folded by the interpreter's own kernels and cut to three digits, operands of commutative operations are
in order, names and units are erased, a < b is b > a, minus signs are pulled out to the root, and the root's own sign
is dropped, because s and -s are one test. (Literature: value numbering, normal forms.)
"""

import math
from collections.abc import Mapping
from typing import Final

from lotus.hashing import natural_id
from lotus.tape_machine.complexity import topological
from lotus.tape_machine.graph import SEMANTICS, build_graph
from lotus.tape_machine.node import Node
from lotus.tape_machine.ops import table as t

DIGITS: Final[int] = 3  # of a constant
# operations that turn round with their first operand, and what they become then
_ODD: Final[Mapping[str, str]] = {
    "lag": "lag", "ema": "ema", "mean": "mean", "sum": "sum", "slope": "slope", "hold": "hold", "sign": "sign",
    "rmax": "rmin", "rmin": "rmax", "breakout": "breakout",
}  # fmt: skip
_EVEN: Final[Mapping[str, str]] = {
    "abs": "abs", "std": "std", "known": "known", "argmax_age": "argmin_age", "argmin_age": "argmax_age",
}  # fmt: skip
_SWAPPED: Final[Mapping[str, str]] = {"lt": "gt", "le": "ge"}
_COMPARISONS: Final = frozenset({"gt", "ge", "eq", "ne"})
_OTHER_BOUND: Final[Mapping[str, str]] = {"min2": "max2", "max2": "min2"}
Signed = tuple[Node, int]  # a node and the sign before it


def canonical_id(signal: Node, horizon_s: int) -> tuple[str, int]:
    """Return the 128-bit identity of a signal and the horizon that it is judged by, and its sign (1 or -1).

    Two signals have one identity where the rules of this module make them equal, up to their sign. Raises `ConfigError`
    for operations that the interpreter does not have.
    """
    form = _NormalForm()
    node, sign = form.of(signal)
    return natural_id("candidate", SEMANTICS, horizon_s, form.key(node)), sign


def cut(value: float) -> float:
    """Return a constant at three significant digits.

    >>> cut(0.123456), cut(-1999.6)
    (0.123, -2000.0)
    """
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else value


class _NormalForm:
    """The normal forms of all nodes below some roots; every value stands once."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Node, Signed]] = {}  # by identity; holds the Node, so that it stays its own
        self._pool: dict[str, Node] = {}
        self._keys: dict[int, str] = {}

    def of(self, root: Node) -> Signed:
        for node in topological(root):
            if id(node) not in self._made:
                form, sign = self._formed(node, [self._made[id(a)][1] for a in node.args])
                if form.op == "const" and form.params[0] < 0.0:
                    form, sign = self._constant(-form.params[0]), -sign
                self._made[id(node)] = node, (form, sign)
        return self._made[id(root)][1]

    def key(self, node: Node) -> str:
        return self._keys[id(node)]

    def _formed(self, node: Node, args: list[Signed]) -> Signed:
        """Return the form of one node whose operands are formed."""
        op = _SWAPPED.get(node.op, node.op)
        if op != node.op:
            args = args[::-1]
        signs = [sign for _, sign in args]
        match op:
            case "const":
                value = cut(node.params[0])
                return self._constant(abs(value)), -1 if value < 0.0 else 1
            case "neg":
                return args[0][0], 1 if _is_nothing(args[0][0]) else -signs[0]
            case "mul" | "div":
                return self._node(op, [n for n, _ in args]), signs[0] * signs[1]
            case "add" | "sub":
                return self._sum(args[0], (args[1][0], signs[1] if op == "add" else -signs[1]))
            case "min2" | "max2" | "clip" | "crossed" | "retest":
                return self._turned(op, args, node.params)
            case "where":
                side = signs[2] if args[1][0].params == (0.0,) else signs[1]
                return self._node(op, [args[0][0], self._signed(args[1][0], side * signs[1]),
                                       self._signed(args[2][0], side * signs[2])]), side  # fmt: skip
            case _ if op in _COMPARISONS:
                return self._compared(op, args[0], args[1]), 1
            case _ if op in _ODD:
                name = op if signs[0] > 0 else _ODD[op]
                return self._node(name, [n for n, _ in args], node.params), signs[0]
            case _ if op in _EVEN:
                name = op if signs[0] > 0 else _EVEN[op]
                return self._node(name, [n for n, _ in args], node.params), 1
        return self._node(op, [self._signed(*a) for a in args], node.params), 1

    def _sum(self, left: Signed, right: Signed) -> Signed:
        if left[1] == right[1]:
            return self._node("add", [left[0], right[0]]), left[1]
        if self.key(left[0]) > self.key(right[0]):
            left, right = right, left
        return self._node("sub", [left[0], right[0]]), left[1]

    def _turned(self, op: str, args: list[Signed], params: tuple[float, ...]) -> Signed:
        """Return an operation that turns round with all of its operands; the first one's sign stands before it."""
        side = args[0][1]
        rest = [self._signed(n, side * sign) for n, sign in args[1:]]
        if op in _OTHER_BOUND:  # the smaller of two does not say which came first
            pair = sorted(((n, sign) for n, sign in args), key=lambda a: self.key(a[0]))
            side = pair[0][1]
            op = op if side > 0 else _OTHER_BOUND[op]
            return self._node(op, [pair[0][0], self._signed(pair[1][0], side * pair[1][1])]), side
        if op == "clip" and side < 0:
            rest = rest[::-1]
        return self._node(op, [args[0][0], *rest], params), side

    def _compared(self, op: str, left: Signed, right: Signed) -> Node:
        """Return `left op right`, both turned round where the first that is no constant has a minus sign."""
        leader = right if left[0].op == "const" else left
        if leader[1] < 0:
            left, right = (right[0], -right[1]), (left[0], -left[1])
        return self._node(op, [self._signed(*left), self._signed(*right)])

    def _signed(self, node: Node, sign: int) -> Node:
        if sign > 0 or node.kind == "flag":
            return node
        return self._constant(-node.params[0]) if node.op == "const" else self._node("neg", [node])

    def _constant(self, value: float) -> Node:
        return self._shared(Node("const", (), (value + 0.0,), "number", ""))

    def _node(self, op: str, args: list[Node], params: tuple[float, ...] = ()) -> Node:
        """Return the one node of these values, folded where every operand is a constant."""
        if op in t.COMMUTATIVE:
            args = sorted(args, key=self.key)
        rounded = params if op == "column" else tuple(p if p == int(p) else cut(p) for p in params)
        node = Node(op, tuple(args), rounded, "flag" if op in _FLAGS else "number", "")
        if args and all(a.op == "const" for a in args):
            graph = build_graph({"value": node})
            folded = graph.nodes[graph.outputs["value"]]
            if folded.op == "const":
                return self._constant(cut(folded.compiled.params[0]))
        return self._shared(node)

    def _shared(self, node: Node) -> Node:
        key = natural_id(node.op, *(float(p) for p in node.params), "of", *(self.key(a) for a in node.args))
        kept = self._pool.setdefault(key, node)
        self._keys[id(kept)] = key
        return kept


def _is_nothing(node: Node) -> bool:
    """Tell whether a value is x - x, or what an odd operation makes of it: it is its own negative."""
    while node.op in _ODD:
        node = node.args[0]
    return node.op == "sub" and node.args[0] is node.args[1]


_FLAGS: Final = frozenset({*_COMPARISONS, "and", "or", "not", "known", "within"})
