"""Names of an environment: kinds and units, durations in steps, named sub-expressions."""

import math

import pytest
from checked import SMALL
from frame_texts import frame_environment
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import ExpressionError
from lotus.manifest import Manifest
from lotus.tape_machine.checker import check
from lotus.tape_machine.environment import Environment, InputColumn, Quantity
from lotus.tape_machine.node import Node
from lotus.tape_machine.parser import parse

FRAMES = frame_environment(Manifest(), {"k": Quantity(2.0), "span": Quantity(90.0, "s")})


def node_of(text: str, environment: Environment = FRAMES) -> Node:
    return check(parse(text), environment)


def refusal(text: str, environment: Environment = SMALL) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        node_of(text, environment)
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind", "unit"),
    [
        ("x + 3bps", "number", "bps"),
        ("x + 0.1%", "number", "bps"),
        ("x + 0", "number", "bps"),
        ("0 - x", "number", "bps"),
        ("x * y", "number", "bps*USD"),
        ("x / y", "number", "bps/USD"),
        ("x * x / x", "number", "bps"),
        ("1 / x", "number", "1/bps"),
        ("sqrt(x * x)", "number", "bps"),
        ("x * sqrt(5m)", "number", "bps*sqrt(min)"),
        ("zscore(x, 5m)", "number", "sigma"),
        ("rank(x, 5m)", "number", "1"),
        ("slope(x, 5m)", "number", "bps/min"),
        ("slope(t, 5m)", "number", "ms/min"),
        ("slope(slope(x, 5m), 1m)", "number", "bps/min^2"),
        ("slope(x, 1m) * 5m", "number", "bps"),
        ("since(f)", "number", "step"),
        ("count(f, 1m)", "number", "1"),
        ("max(x, 5m)", "number", "bps"),
        ("max(x, 5bps)", "number", "bps"),
        ("max(5m, t)", "number", "min"),
        ("where(f, x, 0)", "number", "bps"),
        ("where(f, 0, x)", "number", "bps"),
        ("where(f, 0, 0)", "number", "1"),
        ("clip(x, -2bps, 2bps)", "number", "bps"),
        ("log(z)", "number", "1"),
        ("log(y / 1usd)", "number", "1"),
        ("rsi(x, 5s)", "number", "1"),
        ("macd_signal(x, 2s, 4s, 1s)", "number", "bps"),
        ("known(x)", "flag", "1"),
        ("not f or x > 1bps", "flag", "1"),
        ("within(f, 0)", "flag", "1"),
        ("t > 2s", "flag", "1"),
        ("2s < t", "flag", "1"),
        ("since(f) < 30s", "flag", "1"),
        ("retest(x, lag(x, 5s), 1bps, 1m)", "number", "1"),
    ],
)
def test_kinds_and_units(text: str, kind: str, unit: str) -> None:
    node = node_of(text, SMALL if "max(5m, t)" not in text else Environment({"t": InputColumn(0, "min")}, 500))
    assert (node.kind, node.unit) == (kind, unit)


@given(st.integers(1, 20_000), st.sampled_from([100, 200, 500, 5_000]))
def test_durations_become_the_nearest_number_of_steps(span_ms: int, step_ms: int) -> None:
    environment = Environment({"x": InputColumn(0, "bps")}, step_ms)
    steps = math.floor(span_ms / step_ms + 0.5)
    if steps == 0:
        assert refusal(f"mean(x, {span_ms}ms)", environment).suggestion == f"{step_ms}ms"
    else:
        assert node_of(f"mean(x, {span_ms}ms)", environment).params == (float(steps),)
        assert node_of(f"ema(x, {span_ms}ms)", environment).params == (span_ms / step_ms,)
        assert node_of(f"mean(x, {steps}steps)", environment).params == (float(steps),)


def test_named_sub_expressions_are_nodes() -> None:
    calm = node_of("spread_bps < 2bps")
    environment = frame_environment(Manifest(), names={"calm": calm})
    node = node_of("calm and imb_5 > 0.4", environment)
    assert node.args[0] is calm
