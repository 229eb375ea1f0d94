"""The nearest name is what was probably meant."""

import pytest

from lotus.errors import ExpressionError
from lotus.tape_machine.diagnosis import nearest
from lotus.tape_machine.parser import parse


def test_the_message_shows_the_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("a +\n  mean(b, 20mm) + c")
    shown = str(caught.value).split("\n")
    assert shown[0].startswith("line 2, column 13: unknown unit 'mm'; expected: bps,")
    assert shown[1] == "    mean(b, 20mm) + c"
    assert shown[2] == "              ^^"
    assert shown[3] == "try: m"


def test_a_long_line_is_shown_around_the_place() -> None:
    text = "a + " * 20 + "b ! c"
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    line, caret = caught.value.excerpt.split("\n")
    assert len(line) <= 102
    assert line[caret.index("^")] == "!"


def test_the_nearest_name() -> None:
    known = ("imb_5", "imb_10", "spread_bps", "mid")
    assert [nearest(w, known) for w in ("imb5", "spred_bps", "MID", "volume", "x" * 500)] == [
        "imb_5",
        "spread_bps",
        "mid",
        "",
        "",
    ]
    assert nearest("a", ()) == ""
