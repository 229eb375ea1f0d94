"""What the grammar reads, how tightly operators bind, and that everything else is an error at its place."""

import subprocess
import sys

import pytest

from lotus.errors import ConfigError, ExpressionError
from lotus.tape_machine.parser import MAX_DEPTH, MAX_NODES, MAX_TEXT, parse
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Span, Unary

A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("20m", Number(20.0, "m")),
        ("500ms", Number(500.0, "ms")),
        ("0.15%", Number(0.15, "%")),
        ("3bps", Number(3.0, "bps")),
        ("2sigma", Number(2.0, "sigma")),
        ("100usd", Number(100.0, "usd")),
        ("1.5e-3", Number(0.0015)),
        ("7", Number(7.0)),
        ("2bps/min", Number(2.0, "bps/min")),
        ("0.5/bps", Number(0.5, "/bps")),
        ("3bps / a", Binary("/", Number(3.0, "bps"), A)),
        ("a", A),
        ("_x9", Name("_x9")),
        ("android", Name("android")),
        ("nota", Name("nota")),
        ("minutes", Name("minutes")),
        ("a + b * c", Binary("+", A, Binary("*", B, C))),
        ("a - b - c", Binary("-", Binary("-", A, B), C)),
        ("a / b * c", Binary("*", Binary("/", A, B), C)),
        ("-a * b", Binary("*", Unary("-", A), B)),
        ("a * -b", Binary("*", A, Unary("-", B))),
        ("-a + b", Binary("+", Unary("-", A), B)),
        ("a + b < c", Binary("<", Binary("+", A, B), C)),
        ("not a < b", Unary("not", Binary("<", A, B))),
        ("not a and b", Binary("and", Unary("not", A), B)),
        ("a or b and c", Binary("or", A, Binary("and", B, C))),
        ("not not a", Unary("not", Unary("not", A))),
        ("a>=b", Binary(">=", A, B)),
        ("a!=-b", Binary("!=", A, Unary("-", B))),
        ("f(a, b)", Call("f", (A, B))),
        ("f(a < b)", Call("f", (Binary("<", A, B),))),
        ("f (\n a\t)", Call("f", (A,))),
        ("(a + b) * c", Binary("*", Binary("+", A, B), C)),
        ("3 / min(a, b)", Binary("/", Number(3.0), Call("min", (A, B)))),
        ("3/min(a, b)", Binary("/", Number(3.0), Call("min", (A, B)))),
        ("(a)and(b)", Binary("and", A, B)),
    ],
)
def test_what_is_read(text: str, tree: object) -> None:
    assert parse(text) == tree


def test_places_are_kept_and_do_not_take_part_in_equality() -> None:
    text = "a +\n mean(b, 5m)"
    tree = parse(text)
    assert isinstance(tree, Binary)
    assert tree.span == Span(text, 0, len(text))
    assert isinstance(tree.right, Call)
    assert text[tree.right.span.start : tree.right.span.end] == "mean(b, 5m)"
    assert [text[x.span.start : x.span.end] for x in tree.right.arguments] == ["b", "5m"]
    assert parse("  a") == parse("a")


@pytest.mark.parametrize(
    ("text", "line", "column", "cause"),
    [
        ("a.b", 1, 2, "attribute"),
        ("a[0]", 1, 2, "indexing"),
        ("mean(a, w=20m)", 1, 10, "keyword"),
        ("a = 3", 1, 3, "=="),
        ("'a'", 1, 1, "strings"),
        ('f("a")', 1, 3, "strings"),
        ("for x in y", 1, 5, "loops"),
        ("a if b else c", 1, 3, "cond"),
        ("while a", 1, 7, "loops"),
        ("lambda x: x", 1, 8, "functions"),
        ("a ** 2", 1, 4, "powers"),
        ("a ^ 2", 1, 3, "powers"),
        ("a < b < c", 1, 7, "chain"),
        ("a == b == c", 1, 8, "chain"),
        ("a && b", 1, 3, "words"),
        ("a | b", 1, 3, "words"),
        ("!a", 1, 1, "word"),
        ("5 min", 1, 3, "without an operator"),
        ("0.15 %", 1, 6, "percentage"),
        ("a ? b : c", 1, 3, "cond"),
        ("a; b", 1, 2, "statements"),
        ("+a", 1, 1, "sign +"),
        (".5", 1, 1, "starts with a digit"),
        ("a # b", 1, 3, "comments"),
        ("a \u2212 b", 1, 3, "typography"),
        ("a +\n  * b", 2, 3, ""),
        ("f()", 1, 3, "nothing in them"),
        ("a)", 1, 2, "not opened"),
        ("(a", 1, 3, "1 bracket"),
        ("a +", 1, 4, "cut off"),
        ("f(a,)", 1, 5, ""),
        ("20mm", 1, 3, "unit"),
        ("1_000", 1, 2, "unit"),
        ("", 1, 1, ""),
        (" \n ", 1, 1, ""),
        ("1e999", 1, 1, ""),
        ("1e-999", 1, 1, ""),
        ("a\n+ b\n+ \u00e9", 3, 3, "outside"),
        ("and", 1, 1, ""),
        ("a not b", 1, 3, ""),
        ("3and 4", 1, 6, "without an operator"),
        ("f(a)(b)", 1, 5, ""),
        ("{a}", 1, 1, "sets"),
    ],
)
def test_everything_else_is_an_error_at_its_place(text: str, line: int, column: int, cause: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert cause in error.cause
    assert isinstance(error, ConfigError)


def test_bounds_of_length_brackets_depth_and_size() -> None:
    assert parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH) == A
    deepest = "a" + " + a" * (MAX_DEPTH - 1)
    assert isinstance(parse(deepest), Binary)
    widest = f"f({', '.join('a' for _ in range(MAX_NODES - 1))})"
    assert isinstance(parse(widest), Call)
    padded = "a" + " " * (MAX_TEXT - 1)
    assert parse(padded) == A
    too_much = {
        "(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1): "open brackets",
        deepest + " + a": "deeper than",
        "-" * MAX_DEPTH + "a": "deeper than",
        f"f({widest})": "nodes",
        padded + " ": "characters",
    }
    for text, found in too_much.items():
        with pytest.raises(ExpressionError, match=found):
            parse(text)


def test_the_parser_generator_is_imported_when_the_first_text_is_read() -> None:
    code = (
        "import sys, lotus.tape_machine.checker as c, lotus.tape_machine.parser as p\n"
        "assert 'lark' not in sys.modules\np.parse('a')\nassert 'lark' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
