"""Every operation of the language compiles, and folding changes no bit."""

import numpy as np
import pytest

from lotus.tape_machine.graph import build_graph
from lotus.tape_machine.node import OPS, Node
from lotus.tape_machine.ops.table import EXTRA, compiled_op

from ..oracle import NASTY, column, equal_bits, node, run


def constant(value: float) -> Node:
    return node("const", params=(value,))


@pytest.mark.parametrize("op", ["add", "div", "log", "lt", "clip", "where", "logistic", "not", "sign", "max2"])
def test_folding_changes_no_bit(op: str) -> None:
    arity = OPS.get(op, EXTRA.get(op, (0, 0)))[0]
    rng = np.random.default_rng(4)
    for _ in range(60):
        values = rng.choice(NASTY, arity)
        folded = build_graph({"y": node(op, *map(constant, values))})
        assert [n.op for n in folded.nodes] == ["const"]
        live = run(node(op, *map(column, range(arity))), *(np.full(3, v) for v in values))
        assert equal_bits(run(node(op, *map(constant, values)), np.zeros(3)), live)


def test_every_operation_of_the_language_compiles() -> None:
    for op, (n_args, n_params) in OPS.items():
        assert compiled_op(op, n_args, (1.0,) * n_params, 10).code >= 0
    assert len({compiled_op(op, a, (1.0,) * p, 10).code for op, (a, p) in OPS.items()}) == len(OPS)
