"""Size of an expression: depth and number of distinct nodes, warm-up, and the complexity penalty kr_rho made of them.

Sub-expressions that are equal count once, as they run once. Nothing is evaluated here.
"""

from collections.abc import Iterator

from lotus import mathx
from lotus.tape_machine.node import Node

# the parameter that says how many rows an operation needs; ema keeps 5 half-lives
_WINDOWED = frozenset({"mean", "std", "sum", "rank", "rmax", "rmin", "argmax_age", "argmin_age", "slope"})


def topological(*roots: Node) -> Iterator[Node]:
    """Yield every node object below `roots` once, operands first, without recursion."""
    seen: set[int] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if id(node) in seen:
            continue
        if ready:
            seen.add(id(node))
            yield node
        else:
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args) if id(arg) not in seen)


def measure(*roots: Node) -> tuple[int, int]:
    """Return (depth, number of distinct nodes) of one or several expressions taken together; a column has depth 1."""
    number: dict[tuple[object, ...], int] = {}
    numbers: dict[int, int] = {}
    depths: list[int] = []
    for node in topological(*roots):
        key = (node.op, tuple(numbers[id(a)] for a in node.args), node.params, node.kind, node.unit)
        if key not in number:
            number[key] = len(depths)
            depths.append(1 + max((depths[numbers[id(a)]] for a in node.args), default=0))
        numbers[id(node)] = number[key]
    return max(depths, default=0), len(depths)


def tree_size(root: Node) -> int:
    """Return how many nodes the expression has when nothing is shared: what a walk without memory would visit."""
    sizes: dict[int, int] = {}
    for node in topological(root):
        sizes[id(node)] = 1 + sum(sizes[id(a)] for a in node.args)
    return sizes[id(root)]


def warm_up(root: Node) -> int:
    """Return after how many rows from birth every window below `root` can be full (half-lives: 5 of them)."""
    rows: dict[int, int] = {}
    for node in topological(root):
        own = 0
        if node.op in _WINDOWED:
            own = int(node.params[0]) - 1
        elif node.op == "quantile":
            own = int(node.params[1]) - 1
        elif node.op in ("lag", "breakout"):
            own = int(node.params[0])
        elif node.op == "ema":
            own = round(5.0 * node.params[0])
        rows[id(node)] = own + max((rows[id(a)] for a in node.args), default=0)
    return rows[id(root)]


def kr_rho(depth: int, nodes: int) -> float:
    """Return the complexity penalty logistic((depth - 8)/4 + (nodes - 48)/24): 0.5 at depth 8 and 48 nodes."""
    return mathx.logistic((depth - 8) / 4.0 + (nodes - 48) / 24.0)
