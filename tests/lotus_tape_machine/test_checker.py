"""Units, kinds, windows and memory are checked at their place."""

import io
import math
import sys
import tokenize
from collections.abc import Callable

import pytest
from checked import SMALL
from frame_texts import frame_environment

from lotus.errors import ExpressionError
from lotus.manifest import Manifest
from lotus.tape_machine.checker import LIMIT_MS, check, quantity
from lotus.tape_machine.environment import Environment, Quantity
from lotus.tape_machine.node import Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.transforms import FORMS, TRANSFORMS, ArgumentKind, Transform

FRAMES = frame_environment(Manifest(), {"k": Quantity(2.0), "span": Quantity(90.0, "s")})
DURATIONS = (ArgumentKind.WINDOW, ArgumentKind.DELAY, ArgumentKind.HALF_LIFE)


def node_of(text: str, environment: Environment = FRAMES) -> Node:
    return check(parse(text), environment)


def refusal(text: str, environment: Environment = SMALL) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        node_of(text, environment)
    return caught.value


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


def test_nested_calls_are_checked_in_linear_time() -> None:
    """Each level costs what the first one did; walking an argument twice would double the cost at each."""

    def nested(levels: int) -> Callable[[], object]:
        return lambda: node_of("max(mid, min(mid, " * levels + "mid" + "))" * levels)

    first = calls(nested(2)) - calls(nested(1))
    for levels in (6, 11):
        assert 0 < calls(nested(levels)) - calls(nested(levels - 1)) <= 1.2 * first


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
