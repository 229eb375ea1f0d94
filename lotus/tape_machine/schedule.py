"""The order in which a graph's nodes run, and the registers they share.

Nodes of one operation whose operands stand ready run as one group, so that the interpreter decides once per group what
to do: for a single row, deciding costs more than the arithmetic. A register is used again once its last reader has
run, so that a block's registers stay in the processor's nearer caches. Neither changes a bit. List scheduling by the
critical path (T. C. Hu, 1961); linear scan register allocation (M. Poletto, V. Sarkar, 1999). No values and no state
belong here.
"""

from collections import defaultdict
from collections.abc import Sequence

from lotus.tape_machine.graph import Graph, GraphNode
from lotus.tape_machine.ops import table as t


def groups_of(graph: Graph) -> list[list[int]]:
    """Return the places of all nodes but constants, in groups of one operation each, operands before their readers.

    Columns come first, all together: they are read before anything runs. After them the next group is the operation
    with the node furthest from the outputs, in changes of operation, among those that are ready; nodes that it makes
    ready itself join it.
    """
    code = [node.compiled.code for node in graph.nodes]
    operands = [{a for a in node.args if not _is_const(graph.nodes[a])} for node in graph.nodes]
    readers: dict[int, list[int]] = defaultdict(list)
    for k, args in enumerate(operands):
        for a in args:
            readers[a].append(k)
    far = [0] * len(graph.nodes)
    for k in range(len(graph.nodes) - 1, -1, -1):
        far[k] = max((far[reader] + (code[reader] != code[k]) for reader in readers[k]), default=0)
    waiting = [len(args) for args in operands]
    ready: dict[int, list[int]] = defaultdict(list)
    for k, node in enumerate(graph.nodes):
        if waiting[k] == 0 and not _is_const(node):
            ready[code[k]].append(k)
    groups = []
    while ready:
        next_op = max(sorted(ready), key=lambda op: (op == t.COLUMN, max(far[k] for k in ready[op])))
        group = ready.pop(next_op)
        for k in group:
            for reader in readers[k]:
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    (group if code[reader] == next_op else ready[code[reader]]).append(reader)
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
