"""Random text never crashes the language: a typed node, or a located error; the command line does the same for more."""

import random
import sys

import fuzz
import pytest

from lotus.errors import ExpressionError
from lotus.tape_machine.complexity import measure, tree_size
from lotus.tape_machine.parser import parse


def test_three_thousand_random_texts() -> None:
    tally = fuzz.run(3_000, seed=11)
    assert tally.inputs == 3_000
    # a fuzz that is never let in tests nothing behind the door
    assert tally.accepted.total() > 300
    assert tally.refused.total() > 1_000
    assert tally.accepted["typed"] > 10 * tally.refused["typed"]


@pytest.mark.parametrize(
    "answer",
    [None, RuntimeError("another error"), ExpressionError("no place", line=0), ExpressionError("far", column=9)],
)
def test_the_fuzz_notices_a_wrong_answer(monkeypatch: pytest.MonkeyPatch, answer: Exception | None) -> None:
    def wrong(tree: object, environment: object) -> None:
        if answer is not None:
            raise answer

    monkeypatch.setattr(fuzz, "check", wrong)
    with pytest.raises((AssertionError, RuntimeError)):
        fuzz.try_text("mid")


def test_the_fuzz_names_the_text_and_its_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "parse", lambda text: 1 / 0 if text != "mid" else parse(text))
    with pytest.raises(AssertionError, match=r"ZeroDivisionError: .* on '"):
        fuzz.run(5, seed=1)
    monkeypatch.undo()
    monkeypatch.setattr(fuzz, "MAX_CPU_S", 0.0)
    with pytest.raises(AssertionError, match="s CPU on"):
        fuzz.run(5, seed=1)


def test_the_deepest_texts_do_not_meet_the_recursion_limit() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        for text in ("(" * 3_990, "-" * 3_990 + "x", "not " * 990 + "x", "a+" * 1_990 + "a", "abs(" * 990):
            with pytest.raises(ExpressionError):
                parse(text)
    finally:
        sys.setrecursionlimit(limit)


def test_random_meaningful_expressions_stay_within_the_bounds() -> None:
    rng = random.Random(5)
    for _ in range(200):
        node = fuzz.check(parse(fuzz.typed(rng)), fuzz.ENVIRONMENT)
        depth, nodes = measure(node)
        assert depth <= 64
        assert nodes <= 512
        assert nodes <= tree_size(node) <= 65_536
