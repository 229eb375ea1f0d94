"""Depth, nodes and warm-up of an expression against plain counting, with nothing hidden behind names."""

import pytest
from checked import SMALL
from frame_texts import frame_environment

from lotus import mathx
from lotus.detectors.registry import shipped_detectors
from lotus.errors import ExpressionError
from lotus.manifest import Manifest
from lotus.tape_machine.checker import check
from lotus.tape_machine.complexity import kr_rho, measure, tree_size, warm_up
from lotus.tape_machine.environment import Environment, Quantity
from lotus.tape_machine.node import Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.transforms import TRANSFORMS

FRAMES = frame_environment(Manifest(), {"k": Quantity(2.0), "span": Quantity(90.0, "s")})


def node_of(text: str, environment: Environment = FRAMES) -> Node:
    return check(parse(text), environment)


def refusal(text: str, environment: Environment = SMALL) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        node_of(text, environment)
    return caught.value


def test_names_cannot_hide_size() -> None:
    node = node_of("imb_1 + imb_5")
    for _ in range(80):
        environment = frame_environment(Manifest(), names={"doubled": node})
        try:
            node = node_of("doubled + doubled", environment)
        except ExpressionError as error:
            assert "a graph of" in error.found  # noqa: PT017
            break
    assert tree_size(node) <= 65_536
    assert tree_size(node) > 10_000
    assert "a graph of" in refusal("rsi(" * 10 + "x" + ", 1m)" * 10).found


def test_lowered_nodes_count() -> None:
    def total(terms: list[str]) -> str:
        half = len(terms) // 2
        return f"({total(terms[:half])} + {total(terms[half:])})" if half else terms[0]

    node_of(total([f"rsi(mid, {k}s)" for k in range(1, 65)]))
    assert "nodes" in refusal(total([f"rsi(x, {k}s)" for k in range(1, 129)])).found


def test_depth_nodes_and_rho_against_plain_counting() -> None:
    def deep(node: Node) -> int:
        return 1 + max(map(deep, node.args), default=0)

    def every(node: Node) -> set[Node]:
        return {node}.union(*map(every, node.args))

    def count(node: Node) -> int:
        return 1 + sum(map(count, node.args))

    for form in TRANSFORMS:
        node = node_of(form.example)
        assert measure(node) == (deep(node), len(every(node)))
        assert tree_size(node) == count(node)
    a, b = node_of("mean(mid, 1m) > lag(mid, 1s)"), node_of("mean(mid, 1m)")
    assert measure(a, b) == measure(a)
    assert kr_rho(8, 48) == 0.5
    assert kr_rho(12, 72) == mathx.logistic(2.0)
    for spec in shipped_detectors():
        assert kr_rho(spec.depth, spec.nodes) == spec.rho


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("mid", 0), ("lag(mid, 1s)", 5), ("mean(mid, 1m)", 299), ("breakout(mid, 1m)", 300), ("ema(mid, 10s)", 250),
        ("mean(lag(mid, 1s), 1m)", 304), ("quantile(mid, 0.5, 1m)", 299), ("lag(mid, 1s) - mean(mid, 1m)", 299),
    ],
)  # fmt: skip
def test_warm_up_adds_along_the_longest_path(text: str, rows: int) -> None:
    assert warm_up(node_of(text)) == rows
