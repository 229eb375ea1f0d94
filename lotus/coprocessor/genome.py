"""A candidate: one expression over the columns of a window and the horizon that it is judged by.

`read` is the only way in: it checks the tree and the bounds. `spec_text` writes the detector's file, with the free
constants as parameters, so that its siblings jitter them. Growing and changing trees is `grammar` and `variation`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from lotus.coprocessor.canonical import canonical_id
from lotus.detectors.windows.row_spec import window_columns
from lotus.errors import ConfigError
from lotus.tape_machine.checker import check
from lotus.tape_machine.complexity import measure, topological, warm_up
from lotus.tape_machine.environment import Environment, InputColumn
from lotus.tape_machine.node import Node
from lotus.tape_machine.printer import number_text, text_of
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Tree, Unary

MAX_DEPTH: Final[int] = 10  # of the graph, as on a detector's card
MAX_NODES: Final[int] = 40
MAX_PARAMS: Final[int] = 4  # free constants
MAX_WARM_UP_MS: Final[int] = 3_600_000
HORIZONS_S: Final = (30, 300, 3600)
BANDS: Final = {30: "20s..160s", 300: "60s..600s", 3600: "600s..7200s"}
TIMES: Final = frozenset({"ms", "s", "m", "h"})
Place = tuple[int, ...]  # the way from the root: which child, and so on


@dataclass(frozen=True, eq=False)
class Genome:
    """A checked candidate: `canonical` is its identity up to `sign`, `node` what runs, with its measures."""

    tree: Tree
    horizon_s: int
    node: Node
    canonical: str
    sign: int
    depth: int
    nodes: int

    @property
    def text(self) -> str:
        """The signal as written."""
        return text_of(self.tree)


def read(tree: Tree, horizon_s: int, step_ms: int) -> Genome:
    """Return the candidate of a tree; raises `ConfigError` (`ExpressionError` with its place) for what is none.

    That is: an expression without meaning, no number without unit, over the bounds of this module, or a constant.
    """
    if horizon_s not in HORIZONS_S:
        raise ConfigError(f"a horizon of {horizon_s} s", f"one of {HORIZONS_S}")
    many = len(free_constants(tree))
    if many > MAX_PARAMS:
        raise ConfigError(f"{many} free constants", f"at most {MAX_PARAMS}")
    node = check(tree, environment(step_ms))
    reads = any(part.op == "column" for part in topological(node))
    if (node.kind, node.unit) != ("number", "1") or not reads:
        raise ConfigError(f"a {node.kind} in {node.unit}", "a number without a unit that changes from row to row")
    depth, nodes = measure(node)
    warm_ms = warm_up(node) * step_ms
    found = ((depth, MAX_DEPTH, "deep"), (nodes, MAX_NODES, "nodes"), (warm_ms, MAX_WARM_UP_MS, "ms of warm-up"))
    for value, bound, what in found:
        if value > bound:
            raise ConfigError(f"{value} {what}", f"at most {bound}")
    return Genome(tree, horizon_s, node, *canonical_id(node, horizon_s), depth, nodes)


@cache
def environment(step_ms: int) -> Environment:
    """Return what a candidate may name: the columns of a window of `step_ms`."""
    return Environment(_COLUMNS, step_ms)


def free_constants(tree: Tree) -> tuple[Number, ...]:
    """Return the distinct constants that a search may move, in order: all but 0, and 1 of anything but time."""
    numbers = (part for _, part in parts(tree) if isinstance(part, Number))
    return tuple(dict.fromkeys(n for n in numbers if n.value != 0.0 and (n.value != 1.0 or n.unit in TIMES)))


def spec_text(genome: Genome, side: int, name: str, idea: str) -> str:
    """Return the file of a detector that says `side` times the signal; `lotus.detectors.spec.parse_spec` reads it."""
    names = {number: f"p{k}" for k, number in enumerate(free_constants(genome.tree), 1)}
    tree = genome.tree if side > 0 else Unary("-", genome.tree)
    signal = text_of(rewritten(tree, lambda part: Name(names[part]) if part in names else part))
    lines = [
        f"detector_id: {name}", f"family: {name}", "version: 1", "status: experimental", f"idea: {idea}",
        f"horizon: {genome.horizon_s}s", f"band: {BANDS[genome.horizon_s]}", "best_phase_deg: 270",
    ]  # fmt: skip
    lines += ["params:"] if names else []
    lines += [f"  {param}: {number_text(number.value)}{number.unit}" for number, param in names.items()]
    return "\n".join([*lines, f'signal: "{signal}"', ""])


def children(tree: Tree) -> tuple[Tree, ...]:
    """Return the parts right below the root."""
    match tree:
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return left, right
        case Call(_, arguments):
            return arguments
    return ()


def parts(tree: Tree, place: Place = ()) -> Iterator[tuple[Place, Tree]]:
    """Yield every part with its place, the root first."""
    yield place, tree
    for k, child in enumerate(children(tree)):
        yield from parts(child, (*place, k))


def part_at(tree: Tree, place: Place) -> Tree:
    """Return the part at a place."""
    for k in place:
        tree = children(tree)[k]
    return tree


def put_at(tree: Tree, place: Place, part: Tree) -> Tree:
    """Return the tree with another part at a place."""
    if not place:
        return part
    below = list(children(tree))
    below[place[0]] = put_at(below[place[0]], place[1:], part)
    return _with(tree, below)


def rewritten(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """Return the tree with `change` of every part, from the leaves up."""
    return change(_with(tree, [rewritten(child, change) for child in children(tree)]))


def _with(tree: Tree, below: list[Tree]) -> Tree:
    match tree:
        case Unary():
            return replace(tree, operand=below[0])
        case Binary():
            return replace(tree, left=below[0], right=below[1])
        case Call():
            return replace(tree, arguments=tuple(below))
    return tree


_COLUMNS: Final[dict[str, InputColumn]] = window_columns()
