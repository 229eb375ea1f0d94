"""Nodes are made once, constants are folded, and composites become the primitives of their formulas."""

import math

import pytest

from lotus.tape_machine.lowering import Builder
from lotus.tape_machine.node import OPS, Node


def column(builder: Builder) -> Node:
    return builder.node("column", (), (0.0,), "number", "bps")


def ops_of(node: Node) -> set[str]:
    return {node.op}.union(*(ops_of(arg) for arg in node.args))


def test_the_same_operation_on_the_same_operands_is_one_object() -> None:
    builder = Builder(500)
    x = column(builder)
    assert builder.number("add", (x, x), "bps") is builder.number("add", (x, x), "bps")
    assert builder.number("add", (x, x), "bps") is not builder.number("sub", (x, x), "bps")


@pytest.mark.parametrize(("op", "value"), [("add", 8.0), ("sub", 4.0), ("mul", 12.0), ("div", 3.0)])
def test_arithmetic_of_constants_is_a_constant(op: str, value: float) -> None:
    builder = Builder(500)
    made = builder.number(op, (builder.const(6.0, "1"), builder.const(2.0, "1")), "1")
    assert (made.op, made.params) == ("const", (value,))


def test_a_division_of_constants_by_zero_has_no_value() -> None:
    builder = Builder(500)
    made = builder.number("div", (builder.const(1.0, "1"), builder.const(0.0, "1")), "1")
    assert math.isnan(made.params[0])


def test_a_negative_zero_is_the_zero() -> None:
    builder = Builder(500)
    zero = builder.const(0.0, "1")
    assert builder.const(-0.0, "1") is zero
    assert builder.number("neg", (zero,), "1") is zero


def test_a_z_score_is_the_distance_from_the_mean_in_standard_deviations() -> None:
    builder = Builder(500)
    x = column(builder)
    made = builder.composite("zscore", x, (20.0,), "1")
    spread, deviation = made.args
    assert (made.op, spread.op, spread.args[0], spread.args[1].op) == ("div", "sub", x, "mean")
    assert (deviation.op, deviation.args, deviation.params) == ("std", (x,), (20.0,))


def test_a_slope_counts_per_minute_whatever_a_step_lasts() -> None:
    for step_ms, per_minute in ((500, 120.0), (5_000, 12.0)):
        builder = Builder(step_ms)
        made = builder.composite("slope", column(builder), (10.0,), "bps/min")
        assert (made.op, made.args[0].unit, made.args[1].params) == ("mul", "bps/step", (per_minute,))


@pytest.mark.parametrize(
    ("name", "params"),
    [("delta", (3.0,)), ("zscore", (3.0,)), ("rsi", (3.0,)), ("macd", (3.0, 9.0)), ("macd_signal", (3.0, 9.0, 4.0))],
)
def test_a_composite_is_made_of_primitives_alone(name: str, params: tuple[float, ...]) -> None:
    builder = Builder(500)
    assert ops_of(builder.composite(name, column(builder), params, "1")) <= OPS.keys()
