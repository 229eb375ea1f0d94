"""Random text never crashes the language: a checked trigger, or a located error; the script does the same for more."""

import sys

import pytest
import trigger_fuzz

from lotus.errors import ExpressionError
from lotus.triggers.checker import read_trigger


def test_three_thousand_random_texts() -> None:
    tally = trigger_fuzz.run(3_000, seed=11)
    assert tally.accepted.total() + tally.refused.total() == 3_000
    # a fuzz that is never let in tests nothing behind the door
    assert tally.accepted.total() > 450
    assert tally.refused.total() > 1_500
    assert tally.accepted["mutated"] > 30
    assert tally.accepted["typed"] > 10 * tally.refused["typed"]


@pytest.mark.parametrize(
    "answer", [None, RuntimeError("x"), ExpressionError("no place", line=0), ExpressionError("far", column=9)]
)
def test_the_fuzz_notices_a_wrong_answer(monkeypatch: pytest.MonkeyPatch, answer: Exception | None) -> None:
    def wrong(text: str) -> None:
        if answer is not None:
            raise answer

    monkeypatch.setattr(trigger_fuzz, "read_trigger", wrong)
    with pytest.raises((AssertionError, RuntimeError)):
        trigger_fuzz.try_text("mid > 1")


def test_the_deepest_texts_do_not_meet_the_recursion_limit() -> None:
    texts = ("(" * 1_990, "NOT " * 490 + "mid > 1", "touch(" * 330, "mid > 1 AND " * 160 + "mid > 1", "-" * 1_990)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        for text in texts:
            with pytest.raises(ExpressionError):
                read_trigger(text)
    finally:
        sys.setrecursionlimit(limit)


def test_words_that_only_look_like_those_of_the_language_are_none_of_it() -> None:
    for text in (
        "touch(entry) \u0131f mid > 3",
        "m\u0131d > 3",
        "touch(entry) \uff21ND mid > 3",
        "\u017fpread_bps < 5",
    ):
        with pytest.raises(ExpressionError, match="unexpected"):
            read_trigger(text)


def test_the_fuzz_names_the_text_and_its_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigger_fuzz, "read_trigger", lambda text: 1 / 0 if text != "mid > 1" else read_trigger(text))
    with pytest.raises(AssertionError, match=r"ZeroDivisionError: .* on '"):
        trigger_fuzz.run(5, seed=1)
    monkeypatch.undo()
    monkeypatch.setattr(trigger_fuzz, "MAX_CPU_S", 0.0)
    with pytest.raises(AssertionError, match="s CPU on"):
        trigger_fuzz.run(5, seed=1)
