"""Sharing, folding, keys and bounds of the graph."""

import math

import pytest

from lotus.errors import ConfigError
from lotus.tape_machine.graph import MAX_NODES, build_graph
from lotus.tape_machine.node import Node

from .oracle import column, node

X, Y = column(0), column(1)


def constant(value: float) -> Node:
    return node("const", params=(value,))


def key_of(root: Node) -> str:
    graph = build_graph({"y": root})
    return graph.nodes[graph.outputs["y"]].key


def test_equal_values_are_one_node_whatever_their_unit() -> None:
    mean = node("mean", X, params=(5,))
    same = Node("mean", (Node("column", (), (0.0,), "number", "usd"),), (5.0,), "number", "bps")
    graph = build_graph({"a": mean, "b": same, "c": node("add", mean, Y), "d": node("add", Y, same)})
    assert len(graph.nodes) == 4
    assert graph.outputs["a"] == graph.outputs["b"]
    assert graph.outputs["c"] == graph.outputs["d"]


@pytest.mark.parametrize(
    ("op", "shared"), [("add", True), ("mul", True), ("sub", False), ("lt", False), ("min2", False)]
)
def test_only_commutative_operands_are_put_in_order(op: str, shared: bool) -> None:
    assert (key_of(node(op, X, Y)) == key_of(node(op, Y, X))) is shared


def test_keys_differ_by_every_part() -> None:
    roots = [
        X, Y, constant(0.0), constant(-0.0), constant(math.nan), node("mean", X, params=(5,)),
        node("mean", X, params=(6,)), node("std", X, params=(5,)), node("mean", Y, params=(5,)), node("sub", X, Y),
        node("sub", Y, X), node("dot", X, Y, params=(1, 2)), node("dot", X, Y, params=(2, 1)),
    ]  # fmt: skip
    assert len({key_of(root) for root in roots}) == len(roots)


def test_a_key_does_not_depend_on_the_rest_of_the_program() -> None:
    root = node("mean", node("add", X, Y), params=(5,))
    graph = build_graph({"other": node("std", Y, params=(3,)), "y": root})
    assert graph.nodes[graph.outputs["y"]].key == key_of(root)


def test_dead_nodes_are_absent() -> None:
    graph = build_graph({"y": node("add", node("mul", constant(2.0), constant(3.0)), X)})
    assert sorted(n.op for n in graph.nodes) == ["add", "column", "const"]
    assert [n.compiled.params for n in graph.nodes if n.op == "const"] == [(6.0,)]


def test_operands_come_first_and_depth_is_no_limit() -> None:
    chain = X
    for _ in range(MAX_NODES - 1):
        chain = node("neg", chain)
    doubled = X
    for _ in range(300):  # as a tree: 2**300 nodes
        doubled = node("add", doubled, doubled)
    for root in (chain, doubled):
        graph = build_graph({"y": root})
        assert all(a < k for k, n in enumerate(graph.nodes) for a in n.args)
    assert len(build_graph({"y": doubled}).nodes) == 301


def test_bounds() -> None:
    chain = X
    for _ in range(MAX_NODES):
        chain = node("neg", chain)
    with pytest.raises(ConfigError, match=f"{MAX_NODES + 1} nodes"):
        build_graph({"y": chain})
    heavy = {str(w): node("std", X, params=(w,)) for w in range(35_000, 35_100)}
    with pytest.raises(ConfigError, match=r"bytes of state per asset.*heaviest node is a std"):
        build_graph(heavy)


@pytest.mark.parametrize(
    ("root", "found"),
    [
        (node("tomorrow", X), "tomorrow"),
        (node("add", X), "1 operands"),
        (node("mean", X), "0 parameters"),
        (node("mean", X, params=(0,)), "mean over 0.0 steps"),
        (node("lag", X, params=(-1,)), "lag over -1.0 steps"),
        (node("lag", X, params=(1.5,)), "lag over 1.5 steps"),
        (node("mean", X, params=(math.inf,)), "inf"),
        (node("ema", X, params=(0,)), "half-life"),
        (node("quantile", X, params=(90, 10)), "quantile 90"),
        (node("retest", X, Y, params=(-1, 10)), "tolerance"),
        (node("dot", X, Y, params=(1,)), "weights"),
        (node("column", params=(-1,)), "column"),
    ],
)
def test_errors_say_what_was_found(root: Node, found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        build_graph({"y": root})
