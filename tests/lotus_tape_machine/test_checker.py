"""Units, kinds, windows and memory are checked at their place."""

import io
import math
import sys
import tokenize
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lotus import mathx
from lotus.detectors.registry import shipped_detectors
from lotus.errors import ExpressionError
from lotus.manifest import Manifest
from lotus.tape_machine.checker import LIMIT_MS, check, quantity
from lotus.tape_machine.complexity import kr_rho, measure, tree_size, warm_up
from lotus.tape_machine.environment import Environment, InputColumn, Quantity, frame_environment
from lotus.tape_machine.node import Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.transforms import FORMS, TRANSFORMS, ArgumentKind, Transform

Floats = NDArray[np.float64]
FRAMES = frame_environment(Manifest(), {"k": Quantity(2.0), "span": Quantity(90.0, "s")})
SMALL = Environment(
    {
        "x": InputColumn(0, "bps"),
        "y": InputColumn(1, "USD"),
        "z": InputColumn(2, "1"),
        "f": InputColumn(3, "1", "flag"),
        "t": InputColumn(4, "ms"),
    },
    500,
)
DURATIONS = (ArgumentKind.WINDOW, ArgumentKind.DELAY, ArgumentKind.HALF_LIFE)


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


@pytest.mark.parametrize(
    ("text", "column", "found", "suggestion"),
    [
        ("x + y", 5, "y (USD) beside x (bps)", ""),
        ("y > 2bps", 5, "2bps (bps) beside y (USD)", ""),
        ("x > 2", 5, "2 (no unit) beside x (bps)", "2bps"),
        ("2 < x", 1, "2 (no unit) beside x (bps)", "2bps"),
        ("z > 2bps", 5, "2bps (bps) beside z (no unit)", ""),
        ("z > 0bps", 5, "0bps (bps) beside z (no unit)", ""),
        ("zscore(x, 5m) > 2", 17, "2 (no unit) beside", "2sigma"),
        ("where(f, x, z)", 13, "z (no unit) beside x (bps)", ""),
        ("clip(x, 0, 1)", 12, "1 (no unit) beside x (bps)", "1bps"),
        ("t + since(f)", 5, "since(f) (step) beside t (ms)", "1s / 1000ms"),
        ("slope(x, 1m) > 2bps", 16, "2bps (bps) beside", ""),
        ("mean(x, 20)", 9, "w = 20", "20s or 20m"),
        ("mean(x, 3bps)", 9, "w = 3bps", "20m"),
        ("mean(x, z)", 9, "w changes from row to row", ""),
        ("mean(x, 5m * z)", 9, "w changes from row to row", ""),
        ("mean(x, 0)", 9, "w = 0", "0s or 0m"),
        ("mean(x, 0s)", 9, "w = 0s", "500ms"),
        ("mean(x, 0.2s)", 9, "w = 0.2s", "500ms"),
        ("mean(x, 121m)", 9, "w = 121m", "120m or less"),
        ("ema(x, 25m)", 8, "h = 25m", "24m or less"),
        ("lag(x, -1s)", 8, "d = -1s", "lag(x, 1s)"),
        ("lag(x, 1s - 2s)", 8, "d = 1s - 2s", "lag(x, 1s)"),
        ("quantile(x, 1.5, 1m)", 13, "q = 1.5", ""),
        ("quantile(x, 50%, 1m)", 13, "q in bps", ""),
        ("quantile(x, z, 1m)", 13, "q changes", ""),
        ("retest(x, x, 1usd, 1m)", 14, "1usd (USD) beside x (bps)", ""),
        ("retest(x, x, -1bps, 1m)", 14, "tol = -1", ""),
        ("macd(x, 5s, 5s)", 9, "slow is not slower", ""),
        ("log(x)", 1, "log of bps", "log(x / 1bps)"),
        ("sqrt(sqrt(x))", 1, "the square root of sqrt(bps)", ""),
        ("f + 1", 1, "a flag", "where(f, 1, 0)"),
        ("f == f", 1, "a flag", "where(f, 1, 0)"),
        ("known(f)", 7, "a flag", "where(f, 1, 0)"),
        ("x and f", 1, "a number (bps)", "x > 0"),
        ("not x", 5, "a number (bps)", "x > 0"),
        ("count(x, 1m)", 7, "a number (bps)", "x > 0"),
        ("where(x, 1, 2)", 7, "a number (bps)", "x > 0"),
        ("mean(x)", 1, "1 argument(s) of mean", ""),
        ("max(x)", 1, "1 argument(s) of max", ""),
        ("max(x, x, x)", 1, "3 argument(s) of max", ""),
        ("avg(x, 5m)", 1, "unknown function 'avg'", "mean(x, w)"),
        ("zscor(x, 5m)", 1, "unknown function 'zscor'", "zscore(x, w)"),
        ("xx + x", 1, "unknown name 'xx'", "x"),
        ("mean + x", 1, "the function 'mean'", ""),
        ("x / h", 5, "the unit 'h' alone", "1h"),
        ("x + 1 / 0", 5, "a constant without a finite value", ""),
        ("1e300 * 1e300", 1, "a constant without a finite value", ""),
        ("1e307% + x", 1, "a constant without a finite value", ""),
        ("x*x*x*x*x*x*x*x*x", 1, "a unit of power 9", ""),
        ("since(f) < 1e308h", 12, "a constant beyond every step", ""),
    ],
)
def test_what_has_no_meaning_is_refused_at_its_place(text: str, column: int, found: str, suggestion: str) -> None:
    error = refusal(text)
    assert (error.line, error.column) == (1, column)
    assert found in error.found
    assert suggestion in error.suggestion


def test_a_place_on_a_later_line() -> None:
    error = refusal("x > 1bps and\n  x > 2\nand f")
    assert (error.line, error.column) == (2, 7)
    assert error.excerpt == "    x > 2\n        ^"


CALLS = [(form, k) for form in TRANSFORMS for k, (_, kind) in enumerate(form.arguments) if kind in DURATIONS]


def call(form: Transform, place: int, span: str) -> str:
    """Return a call of a form with `span` in one place and something valid in the others."""
    ordinary = {
        ArgumentKind.NUMBER: "x",
        ArgumentKind.FLAG: "f",
        ArgumentKind.SHARE: "0.5",
        ArgumentKind.TOLERANCE: "1bps",
    }
    spans = [str(5 + 5 * k) + "s" for k in range(len(form.arguments))]
    texts = [ordinary.get(kind, spans[k]) for k, (_, kind) in enumerate(form.arguments)]
    texts[place] = span
    return f"{form.name}({', '.join(texts)})"


@pytest.mark.parametrize(("form", "place"), CALLS, ids=lambda v: v.signature if isinstance(v, Transform) else str(v))
def test_no_duration_of_any_transform_remembers_more_than_two_hours(form: Transform, place: int) -> None:
    limit_ms = LIMIT_MS // 5 if form.arguments[place][1] is ArgumentKind.HALF_LIFE else LIMIT_MS
    assert LIMIT_MS == 2 * 3_600_000
    if (form.name, place) not in (("macd", 1), ("macd_signal", 1)):  # fast must stay below slow
        node_of(call(form, place, f"{limit_ms}ms"), SMALL)
    for span in (f"{limit_ms + 1}ms", f"{limit_ms / 1000 + 0.5}s", "3h", "1e300h", "1e300h / 1e-10"):
        assert (
            "remembers more than 2 h" in refusal(call(form, place, span)).cause
            or "finite" in refusal(call(form, place, span)).found
        )
    for span in ("-1ms", "-1h", "1s - 2s"):
        assert "look ahead" in refusal(call(form, place, span)).cause
    assert "unit" in refusal(call(form, place, "20")).cause


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


def test_a_second_argument_of_max_that_is_a_duration_makes_it_rolling() -> None:
    assert [node_of(t, SMALL).op for t in ("max(x, 20m)", "min(x, 20m)", "max(x, 1bps)", "max(x, x)", "min(x, 0)")] == [
        "rmax", "rmin", "max2", "max2", "min2",
    ]  # fmt: skip
    assert node_of("max(mid, span)").op == "rmax"
    assert node_of("max(imb_5, k)").op == "max2"


def test_constants_are_folded_and_follow_the_time_of_what_they_meet() -> None:
    def const(text: str, unit: str) -> float:
        right = node_of(text, SMALL).args[1]
        assert (right.op, right.unit) == ("const", unit)
        return right.params[0]

    assert const("x > -(2bps + 0.01%) * 2", "bps") == -6.0
    assert const("t > 1.5s", "ms") == 1_500.0
    assert const("since(f) < 30s", "step") == 60.0
    assert const("slope(x, 1m) > 6bps/h", "bps/min") == 0.1
    assert const("x - 0", "bps") == 0.0
    assert math.copysign(1.0, const("x - 0 * -1bps", "bps")) == 1.0
    assert node_of("imb_5 * k").args[1].params == (2.0,)


def test_equal_parts_of_one_expression_are_one_object() -> None:
    node = node_of("ema(mid, 5s) - lag(ema(mid, 5s), 1s)")
    assert node.args[0] is node.args[1].args[0]
    assert node_of("mean(mid, 1m)") == node_of("mean( mid,60s)")
    assert node_of("lag(mid, 0)") == node_of("mid")


def test_named_sub_expressions_are_nodes() -> None:
    calm = node_of("spread_bps < 2bps")
    environment = frame_environment(Manifest(), names={"calm": calm})
    node = node_of("calm and imb_5 > 0.4", environment)
    assert node.args[0] is calm


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


def test_nested_calls_are_checked_in_linear_time() -> None:
    """Each level costs what the first one did; walking an argument twice would double the cost at each."""

    def nested(levels: int) -> Callable[[], object]:
        return lambda: node_of("max(mid, min(mid, " * levels + "mid" + "))" * levels)

    first = calls(nested(2)) - calls(nested(1))
    for levels in (6, 11):
        assert 0 < calls(nested(levels)) - calls(nested(levels - 1)) <= 1.2 * first


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


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("20m", 20.0, "min"),
        ("-0.15%", -15.0, "bps"),
        ("3bps / 2", 1.5, "bps"),
        ("1bps / 1h", 1.0, "bps/h"),
        ("0.4", 0.4, "1"),
    ],
)
def test_parameters_are_read_as_constants(text: str, value: float, unit: str) -> None:
    assert quantity(text) == Quantity(value, unit)


@pytest.mark.parametrize("text", ["mid", "abs(-3)", "1 < 2", "20 m", "1/0"])
def test_what_is_no_constant_is_no_parameter(text: str) -> None:
    with pytest.raises(ExpressionError):
        quantity(text)


def test_every_function_is_known_by_its_forms() -> None:
    assert all(form.name == name for name, forms in FORMS.items() for form in forms)


def test_a_typical_expression_is_parsed_and_checked_at_a_small_multiple_of_reading_its_words() -> None:
    """Some 90 calls a word, where Python's own tokenizer makes 6; building the grammar again would be thousands."""
    text = "zscore(ema(imb_5, 10s), 20m) > 2sigma and spread_bps < 2bps and not within(abs(sweep) > 0, 10s)"
    words = list(tokenize.generate_tokens(io.StringIO(text).readline))
    assert calls(lambda: node_of(text)) <= 120 * len(words)


def calls(work: Callable[[], object]) -> int:
    """Return how many functions are called by work that was done once before: its cost on any machine."""
    found = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    work()
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found
