"""What an expert costs a frame: its Shapley share of the nodes of the one program, from nanoseconds of each node.

A node that m experts rest on costs each ns / m: the exact Shapley value of a cost that is paid once whoever uses it
(airport game; S. Littlechild, G. Owen, 1973). Marginal is what ends when the expert alone is idle. Times are measured
elsewhere; they are never in a hash or a score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.experts.idle import reads_of, votes_of, writes_of
from lotus.tape_machine.program import Program, nodes_of

Floats = NDArray[np.float64]
FUSED = 4  # outputs before the first z


@dataclass(frozen=True, slots=True)
class ExpertCost:
    """Nanoseconds a frame of one expert; latency: of its expressions alone, over the runs."""

    expert_id: str
    spec_id: str
    nodes: int
    cost_ns: float
    marginal_ns: float
    latency_p50_ns: float
    latency_p95_ns: float
    runs: int


def users_of(program: Program, experts: int) -> NDArray[np.bool_]:
    """Return bool[nodes, experts]: whether an expert's z or pattern rests on a node; nodes in the order they run."""
    made: dict[int, int] = {}  # register -> node that wrote it last
    rests: list[list[int]] = []
    nodes = list(nodes_of(program.code))
    last = {int(words[0]): k for k, (_, words) in enumerate(nodes)}
    votes = votes_of(program.code, program)
    at_votes = next(k for k, (_, words) in enumerate(nodes) if words is votes or np.shares_memory(words, votes))
    patterns: list[int] = []
    for k, (op, words) in enumerate(nodes):
        reads = reads_of(op, words)
        rests.append([made[r] for r in reads if r in made])
        if k == at_votes:
            patterns = [made.get(r, -1) for r in reads[:experts]]
        made.update(dict.fromkeys(writes_of(op, words), k))
    out = np.zeros((len(nodes), experts), np.bool_)
    for e in range(experts):
        ends = [last.get(int(program.outputs[FUSED + e]), -1), patterns[e]]
        todo = [k for k in ends if k >= 0]
        while todo:
            k = todo.pop()
            if not out[k, e]:
                out[k, e] = True
                todo += rests[k]
    return out


def shares(users: NDArray[np.bool_], node_ns: Floats) -> tuple[Floats, Floats]:
    """Return cost and marginal cost f8[experts] of nodes of these nanoseconds f8[nodes]; costs add up to all used."""
    many = users.sum(axis=1)
    each = np.divide(node_ns, many, out=np.zeros(len(node_ns)), where=many > 0)
    return each @ users, (node_ns * (many == 1)) @ users


def alone(names: Sequence[str], expert: str) -> list[str]:
    """Return everybody else: who is idle when one expert is measured alone."""
    return [name for name in names if name != expert]
