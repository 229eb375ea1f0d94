"""Many expressions, one graph: equal sub-expressions are one node, constants are folded, every node has a key.

A node's key is the natural identity of what it computes: its operation, parameters and operands' keys, whatever unit
or name it had; a swap of programs recognises state by it. Operands of commutative operations are put in order of their
keys. Constants are folded by the interpreter's own kernels, so folding changes no bit. Hash-consing; value numbering.
No arrays for the interpreter belong here: see `program`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.tape_machine.node import Node
from lotus.tape_machine.nulls import finite_or_null
from lotus.tape_machine.ops import table as t
from lotus.tape_machine.ops.elementwise import elementwise

MAX_NODES: Final[int] = 4096
MAX_STATE_BYTES: Final[int] = 64 * 1024 * 1024  # per asset
MEMORY_STEPS: Final[int] = 36_000  # 2 h at the default cadence of 200 ms
SEMANTICS: Final[int] = 1  # raise it when an operation changes its meaning: keys and versions change with it


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One shared node: its operation as compiled, the places of its operands, its 128-bit key."""

    op: str
    args: tuple[int, ...]
    compiled: t.Op
    key: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in an order in which operands come first, and the place of each named output."""

    nodes: tuple[GraphNode, ...]
    outputs: Mapping[str, int]

    @property
    def state_bytes(self) -> int:
        """Bytes of state that one asset needs."""
        return 8 * sum(sum(node.compiled.state) for node in self.nodes)


def build_graph(outputs: Mapping[str, Node], memory_steps: int = MEMORY_STEPS) -> Graph:
    """Return one graph of all named expressions; `memory_steps` = rows in 2 h, where `since` stops counting.

    Raises `ConfigError` for an operation or parameter the interpreter does not have, and for a graph over its bounds
    (`MAX_NODES` nodes, `MAX_STATE_BYTES` of state per asset).
    """
    builder = _Builder(memory_steps)
    places = {name: builder.add(node) for name, node in outputs.items()}
    graph = _without_dead_nodes(builder.nodes, places)
    if len(graph.nodes) > MAX_NODES:
        raise ConfigError(f"a graph of {len(graph.nodes)} nodes", f"at most {MAX_NODES}", "too many specs at once")
    if graph.state_bytes > MAX_STATE_BYTES:
        heaviest = max(graph.nodes, key=lambda node: sum(node.compiled.state))
        raise ConfigError(
            f"a graph with {graph.state_bytes} bytes of state per asset",
            f"at most {MAX_STATE_BYTES}",
            f"long windows; the heaviest node is a {heaviest.op} with {8 * sum(heaviest.compiled.state)} bytes",
        )
    return graph


class _Builder:
    """The nodes so far, each value once."""

    def __init__(self, memory_steps: int) -> None:
        self.nodes: list[GraphNode] = []
        self._memory_steps = memory_steps
        self._by_key: dict[str, int] = {}
        self._seen: dict[int, tuple[Node, int]] = {}  # by identity; holds the Node, so that the identity stays its own

    def add(self, root: Node) -> int:
        """Return the place of an expression; walks without recursion, each shared Node once."""
        for node in _operands_first(root, self._seen):
            self._seen[id(node)] = node, self._place(node)
        return self._seen[id(root)][1]

    def _place(self, node: Node) -> int:
        args = tuple(self._seen[id(a)][1] for a in node.args)
        if node.op in t.COMMUTATIVE:
            args = tuple(sorted(args, key=lambda place: self.nodes[place].key))
        compiled = t.compiled_op(node.op, len(args), node.params, self._memory_steps)
        self._check_fsm_operand(node)
        if args and all(self.nodes[a].op == "const" for a in args) and compiled.code in t.HEADLESS:
            return self._constant(_folded(compiled, [self.nodes[a].compiled.params[0] for a in args]))
        return self._shared(node.op, args, compiled)

    def _constant(self, value: float) -> int:
        return self._shared("const", (), t.compiled_op("const", 0, (value,), self._memory_steps))

    def _shared(self, op: str, args: tuple[int, ...], compiled: t.Op) -> int:
        key = natural_id(SEMANTICS, op, *compiled.params, "of", *(self.nodes[a].key for a in args))
        if key not in self._by_key:
            self._by_key[key] = len(self.nodes)
            self.nodes.append(GraphNode(op, args, compiled, key))
        return self._by_key[key]

    def _check_fsm_operand(self, node: Node) -> None:
        if node.op in ("fsm_age", "fsm_latch") and node.args[-1].op != "fsm":
            raise ConfigError(f"{node.op} of a {node.args[-1].op}", f"{node.op} of an fsm", "operands in another order")


def _operands_first(root: Node, seen: Mapping[int, tuple[Node, int]]) -> Iterator[Node]:
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if id(node) in seen:
            continue
        if ready:
            yield node
            continue
        stack.append((node, True))
        stack.extend((a, False) for a in reversed(node.args) if id(a) not in seen)


def _folded(compiled: t.Op, values: list[float]) -> float:
    registers = np.array([[finite_or_null(v)] for v in (*values, math.nan)])
    code = np.array([len(values), *range(len(values))], np.uint32)
    elementwise(compiled.code, code, 0, 1, registers, 1)
    out = float(registers[-1, 0])
    return out if out == out else math.nan


def _without_dead_nodes(nodes: list[GraphNode], places: Mapping[str, int]) -> Graph:
    alive = set(places.values())
    for k in range(len(nodes) - 1, -1, -1):
        if k in alive:
            alive.update(nodes[k].args)
    moved = {old: new for new, old in enumerate(sorted(alive))}
    kept = tuple(
        GraphNode(nodes[k].op, tuple(moved[a] for a in nodes[k].args), nodes[k].compiled, nodes[k].key) for k in moved
    )
    return Graph(kept, {name: moved[place] for name, place in places.items()})
