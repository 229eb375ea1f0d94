"""Printing and parsing are inverse on every tree, the printed text is a fixed point, and no bracket is idle."""

import random
import re

import fuzz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import ExpressionError
from lotus.tape_machine.parser import MAX_DEPTH, MAX_NODES, parse
from lotus.tape_machine.printer import number_text, text_of
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Tree, Unary
from lotus.tape_machine.transforms import BINARY_OPS
from lotus.tape_machine.units import SPELLINGS, spell

UNITS = sorted({"", *map(spell, SPELLINGS), "bps/min", "bps/sqrt(min)", "/bps", "usd/lots/h"})
VALUES = st.one_of(st.integers(0, 99).map(float), st.floats(0.0, allow_nan=False, allow_infinity=False))
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda n: n not in ("and", "or", "not"))
LEAVES: st.SearchStrategy[Tree] = st.one_of(
    st.builds(Number, VALUES.map(abs), st.sampled_from(UNITS)), st.builds(Name, NAMES)
)


def grown(below: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        st.builds(Unary, st.sampled_from(["-", "not"]), below),
        st.builds(Binary, st.sampled_from(sorted(BINARY_OPS)), below, below),
        st.builds(Call, NAMES, st.lists(below, min_size=1, max_size=4).map(tuple)),
    )


def size(tree: Tree) -> tuple[int, int]:
    """Return depth and number of nodes."""
    match tree:
        case Binary(_, left, right):
            below = [size(left), size(right)]
        case Call(_, arguments):
            below = [size(a) for a in arguments]
        case Unary(_, operand):
            below = [size(operand)]
        case _:
            below = []
    return 1 + max((d for d, _ in below), default=0), 1 + sum(n for _, n in below)


TREES = st.recursive(LEAVES, grown, max_leaves=40).filter(lambda t: size(t)[0] <= MAX_DEPTH and size(t)[1] <= MAX_NODES)


@settings(max_examples=examples(400), deadline=None)
@given(TREES)
def test_parsing_what_was_printed_gives_the_tree(tree: Tree) -> None:
    text = text_of(tree)
    assert parse(text) == tree
    assert text_of(parse(text)) == text


@settings(max_examples=examples(150), deadline=None)
@given(TREES)
def test_no_bracket_could_be_left_out(tree: Tree) -> None:
    text = text_of(tree)
    for opening in re.finditer(r"(?<![A-Za-z0-9_])\(", text):
        closing = partner(text, opening.start())
        shorter = f"{text[: opening.start()]} {text[opening.end() : closing]} {text[closing + 1 :]}"
        try:
            assert parse(shorter) != tree, shorter
        except ExpressionError:
            continue


def partner(text: str, start: int) -> int:
    depth = 0
    for k in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[k], 0)
        if depth == 0:
            return k
    raise AssertionError("brackets do not match")


@pytest.mark.parametrize("generator", [fuzz.well_formed, fuzz.typed], ids=["well formed", "typed"])
def test_the_printed_text_of_any_text_is_a_fixed_point(generator: object) -> None:
    rng = random.Random(3)
    for _ in range(300):
        text = generator(rng)  # type: ignore[operator]
        spaced = re.sub(r" ", lambda _: rng.choice((" ", "  ", "\n", "\t ")), text)
        printed = text_of(parse(spaced))
        assert text_of(parse(printed)) == printed
        assert parse(printed) == parse(text)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a))", "a"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "a - b - c"),
        ("a*(b/c)", "a * (b / c)"),
        ("-(a+b)", "-(a + b)"),
        ("(-a)*b", "-a * b"),
        ("- - a", "--a"),
        ("not(a<b)", "not a < b"),
        ("(not a)<b", "(not a) < b"),
        ("(a<b)<c", "(a < b) < c"),
        ("a or(b and c)", "a or b and c"),
        ("(a or b)and c", "(a or b) and c"),
        ("max( x ,20min )", "max(x, 20m)"),
        ("0.50%", "0.5%"),
        ("1e3USD", "1000usd"),
        ("3/min(a,b)", "3 / min(a, b)"),
        ("2bps/m", "2bps/min"),
        ("a and(b and c)", "a and (b and c)"),
    ],
)
def test_canonical_texts(text: str, printed: str) -> None:
    assert text_of(parse(text)) == printed


@given(st.floats(0.0, allow_nan=False, allow_infinity=False))
def test_numbers_read_back_as_the_same_double(value: float) -> None:
    assert float(number_text(value)) == value
    assert parse(number_text(abs(value))) == Number(abs(value))
