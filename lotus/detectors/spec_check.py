"""The expressions of a detector as typed nodes at given cadences: frames first, then windows, then the signal.

A frame value enters the windows as a column of its own; its number is made of the identity of what it computes, so
equal values of two detectors are one column, and a swap of detectors finds it again. A number of frames (unit `step`)
becomes minutes there, because a step of windows is longer. No YAML and no arrays belong here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lotus.detectors.windows.row_spec import T_VALUES, window_columns
from lotus.errors import ConfigError, ExpressionError
from lotus.tape_machine.checker import check
from lotus.tape_machine.complexity import topological, warm_up
from lotus.tape_machine.environment import Environment, InputColumn, Quantity, frame_columns
from lotus.tape_machine.graph import build_graph
from lotus.tape_machine.node import Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.syntax import Binary, Call, Name, Tree, Unary
from lotus.tape_machine.units import dims_of, product

_SLOTS: Final[int] = 900_000_000  # columns of frame values: T_VALUES + the identity of the value, modulo this
MS_PER_MINUTE: Final[int] = 60_000
_ANY: Final = Node("const", (), (0.0,), "number", "1")


class KeyedError(ConfigError):
    """An error of one expression: `key` is its section and name, `error` what is wrong with it."""

    def __init__(self, key: str, error: ConfigError) -> None:
        """Keep both."""
        super().__init__(f"{key}: {error.found}", error.expected, error.cause)
        self.key, self.error = key, error


@dataclass(frozen=True, slots=True)
class Checked:
    """The nodes of one detector: frame values by column, the signal over windows, and what the text names.

    `whole` is the signal with its frame values put in place of their columns, for measuring.
    """

    values: Mapping[int, Node]
    signal: Node
    whole: Node
    used: frozenset[str]
    warm_up_ms: int


_parsed = lru_cache(maxsize=4096)(parse)  # siblings share the text


def check_expressions(
    params: Mapping[str, Quantity],
    frames: Sequence[tuple[str, str]],
    windows: Sequence[tuple[str, str]],
    signal: str,
    cadence_ms: int,
    window_ms: int,
) -> Checked:
    """Return the typed nodes; raises `KeyedError` for the first expression that has no meaning."""
    columns, trees = window_columns(), dict[str, Tree]()
    _require_free(params, frames, windows, columns)
    frame_names: dict[str, Node] = {}
    for name, text in frames:
        seen = Environment(frame_columns(), cadence_ms, params, frame_names)
        frame_names[name] = _checked(f"frames.{name}", name, text, seen, trees)
    values = {_slot(node): node for node in frame_names.values()}
    names = {name: _entering(f"frames.{name}", node, cadence_ms) for name, node in frame_names.items()}
    for name, text in windows:
        seen = Environment(columns, window_ms, params, names)
        names[name] = _checked(f"windows.{name}", name, text, seen, trees)
    node = _checked("signal", "", signal, Environment(columns, window_ms, params, names), trees)
    if node.kind != "number" or node.unit != "1":
        kind = "a flag" if node.kind == "flag" else f"a number in {node.unit}"
        raise KeyedError(
            "signal", ExpressionError(f"{kind}", "a number without a unit, -1 to 1", suggestion="x / 10bps")
        )
    environment_names = {**frame_names, **dict(windows), **params}
    used = _used(trees, trees[""], environment_names)
    values = {slot: value for slot, value in values.items() if slot in _columns(node)}
    ahead = max((warm_up(value) for value in values.values()), default=0) * cadence_ms
    return Checked(values, node, _grafted(node, values), used, ahead + (warm_up(node) + 1) * window_ms)


def _require_free(
    params: Mapping[str, Quantity],
    frames: Sequence[tuple[str, str]],
    windows: Sequence[tuple[str, str]],
    columns: Mapping[str, InputColumn],
) -> None:
    """Raise `KeyedError` for a name that is a column, a word of the language, or taken by another section."""
    taken: dict[str, Node] = {}
    sections = (("params", tuple(params)), ("frames", [n for n, _ in frames]), ("windows", [n for n, _ in windows]))
    for section, names in sections:
        for name in names:
            try:
                if name in taken:
                    raise ConfigError(f"the name {name!r} twice", "one meaning for a name")
                taken[name] = _ANY
                Environment(columns, 1, names={name: _ANY})
            except ConfigError as error:
                raise KeyedError(f"{section}.{name}", error) from None


def _checked(key: str, name: str, text: str, environment: Environment, trees: dict[str, Tree]) -> Node:
    try:
        trees[name] = _parsed(text)
        return check(trees[name], environment)
    except ConfigError as error:
        raise KeyedError(key, error) from None


def _slot(node: Node) -> int:
    graph = build_graph({"value": node})
    return T_VALUES + int(graph.nodes[graph.outputs["value"]].key[:12], 16) % _SLOTS


def _entering(key: str, node: Node, cadence_ms: int) -> Node:
    """Return a frame value as window expressions see it: steps become minutes."""
    halves = dict(dims_of(node.unit)).get("step", 0)
    column = Node("column", (), (float(_slot(node)),), node.kind, node.unit)
    if halves == 0:
        return column
    if halves % 2:
        raise KeyedError(key, ExpressionError(f"a frame value in {node.unit}", "whole powers of steps"))
    unit, factor = node.unit, 1.0
    for _ in range(abs(halves) // 2):
        sign = 1 if halves > 0 else -1
        unit = product(product(unit, "step", -sign), "min", sign)
        factor *= (cadence_ms / MS_PER_MINUTE) ** sign
    return Node("mul", (column, Node("const", (), (factor,), "number", "1")), (), "number", unit)


def _columns(root: Node) -> frozenset[int]:
    return frozenset(int(node.params[0]) for node in topological(root) if node.op == "column")


def _grafted(root: Node, values: Mapping[int, Node]) -> Node:
    """Return the signal with frame values in place of their columns; columns of frames get numbers below 0."""
    apart = {slot: _replaced(value, lambda index: _column(-1 - index)) for slot, value in values.items()}
    return _replaced(root, lambda index: apart.get(index, _column(index)))


def _column(index: int) -> Node:
    return Node("column", (), (float(index),), "number", "1")


def _replaced(root: Node, of_column: Callable[[int], Node]) -> Node:
    made: dict[int, Node] = {}
    for node in topological(root):
        args = tuple(made[id(a)] for a in node.args)
        leaf = node.op == "column"
        made[id(node)] = (
            of_column(int(node.params[0])) if leaf else Node(node.op, args, node.params, node.kind, node.unit)
        )
    return made[id(root)]


def _used(trees: Mapping[str, Tree], root: Tree, names: Mapping[str, object]) -> frozenset[str]:
    """Return the names that the signal reaches, directly or through other names."""
    used: set[str] = set()
    stack: list[Tree] = [root]
    while stack:
        tree = stack.pop()
        match tree:
            case Name(name) if name in names and name not in used:
                used.add(name)
                stack += [trees[name]] if name in trees else []
            case Unary(_, operand):
                stack.append(operand)
            case Binary(_, left, right):
                stack += [left, right]
            case Call(_, arguments):
                stack += list(arguments)
            case _:
                pass
    return frozenset(used)
