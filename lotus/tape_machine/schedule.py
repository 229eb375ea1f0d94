"""The order in which a graph's nodes run, and the registers they share.

Nodes of one operation whose operands stand ready run as one group, so that the interpreter decides once per group what
to do: for a single row, deciding costs more than the arithmetic. A register is used again once its last reader has
run, so that a block's registers stay in the processor's nearer caches. Neither changes a bit. List scheduling; linear
scan register allocation (M. Poletto, V. Sarkar, 1999). No values and no state belong here.
"""

from collections import defaultdict
from collections.abc import Sequence

from lotus.tape_machine import ops_table as t
from lotus.tape_machine.graph import Graph, GraphNode


def groups_of(graph: Graph) -> list[list[int]]:
    """Return the places of all nodes but constants, in groups of one operation each, operands before their readers.

    Columns come first. The next group is the operation with most nodes ready; nodes that it makes ready itself join it.
    """
    waiting = {k: sum(not _is_const(graph.nodes[a]) for a in set(node.args)) for k, node in enumerate(graph.nodes)}
    readers: dict[int, list[int]] = defaultdict(list)
    for k, node in enumerate(graph.nodes):
        for a in set(node.args):
            readers[a].append(k)
    ready: dict[int, list[int]] = defaultdict(list)
    code = [node.compiled.code for node in graph.nodes]
    for k, node in enumerate(graph.nodes):
        if waiting[k] == 0 and not _is_const(node):
            ready[code[k]].append(k)
    groups = []
    while ready:
        most = max(sorted(ready), key=lambda which: (which == t.COLUMN, len(ready[which])))
        group = ready.pop(most)
        for k in group:
            for reader in readers[k]:
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    (group if code[reader] == most else ready[code[reader]]).append(reader)
        groups.append(group)
    return groups


def registers_of(graph: Graph, order: Sequence[int]) -> tuple[list[int], int]:
    """Return the first register of every node (constants included) and the number of registers.

    A node never writes where an operand of its stands; outputs and constants keep theirs to the end.
    """
    last_reader = {a: k for k in order for a in graph.nodes[k].args}
    keeps = set(graph.outputs.values()) | {k for k, node in enumerate(graph.nodes) if _is_const(node)}
    first = [-1] * len(graph.nodes)
    free: dict[int, list[int]] = defaultdict(list)
    n = 0
    for k in (*sorted(keeps - set(order)), *order):
        many = graph.nodes[k].compiled.registers
        if free[many]:
            first[k] = free[many].pop()
        else:
            first[k], n = n, n + many
        for a in set(graph.nodes[k].args):
            if last_reader[a] == k and a not in keeps:
                free[graph.nodes[a].compiled.registers].append(first[a])
    return first, n


def _is_const(node: GraphNode) -> bool:
    return node.op == "const"
