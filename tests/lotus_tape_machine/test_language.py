"""The front end of both little languages: bounds, places and number literals are the same in either."""

import pytest

from lotus.errors import ExpressionError
from lotus.tape_machine import parser as expressions
from lotus.triggers import parser as triggers

PARSERS = {
    "expression": (expressions.parse, "x", expressions.MAX_DEPTH, expressions.MAX_TEXT),
    "trigger": (triggers.parse, "mid > 3", triggers.MAX_DEPTH, triggers.MAX_TEXT),
}


@pytest.mark.parametrize("name", PARSERS)
def test_bounds_are_checked_before_the_grammar_sees_the_text(name: str) -> None:
    parse, atom, depth, length = PARSERS[name]
    parse("(" * depth + atom + ")" * depth)
    for text, found in (
        ("(" * (depth + 1) + atom, f"more than {depth} open brackets"),
        (atom.ljust(length + 1), f"{length + 1} characters"),
        (" ", f"an empty {name}"),
    ):
        with pytest.raises(ExpressionError) as caught:
            parse(text)
        assert caught.value.found == found


@pytest.mark.parametrize(("name", "text"), [("expression", "x > {}"), ("trigger", "mid > {}")])
def test_a_literal_that_no_double_holds_or_with_an_unknown_unit_is_refused_at_its_place(name: str, text: str) -> None:
    parse = PARSERS[name][0]
    start = text.index("{}") + 1
    for literal, column, found in (
        ("1e999", start, "the number 1e999"),
        ("1e-999", start, "the number 1e-999"),
        ("3bpz", start + 1, "unknown unit 'bpz'"),
    ):
        with pytest.raises(ExpressionError) as caught:
            parse(text.format(literal))
        assert (caught.value.column, caught.value.found) == (column, found)
        assert caught.value.suggestion == ("bps" if "bpz" in literal else "")
