"""Printed triggers are read back as they were; one spelling."""

import random

import pytest
from make import trigger_text

from lotus.tape_machine.syntax import Name
from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import All, Breakout, LevelKind, Retest, Scope, Threshold
from lotus.triggers.parser import MAX_TEXT, parse
from lotus.triggers.printer import text_of
from lotus.triggers.syntax import And, Argument, Compare, Guarded, Not, Number, OperatorCall, Or, Tree, Within
from lotus.triggers.units import SPELLINGS

DESIGN = "breakout(lookback=20, band=2sigma) AND retest(level=prev_high, tol=0.15%) WITHIN 6h"


def random_tree(rng: random.Random, depth: int) -> Tree:
    """Return any tree that the grammar can write, mostly without meaning."""

    def number() -> Number:
        value = rng.choice((0.0, -1.5, 2.0, 1e9, 1e-7, 3e300, rng.uniform(-1e3, 1e3)))
        return Number(value, rng.choice(sorted(set(SPELLINGS.values()))))

    draw = rng.random()
    if depth <= 0 or draw < 0.2:
        if rng.random() < 0.4:
            return Compare(rng.choice(("mid", "x_1")), rng.choice(("<", "<=", ">", ">=")), number())
        values = [rng.choice((number(), Name("vwap"), Name("nothing"))) for _ in range(rng.randrange(4))]
        return OperatorCall("f", tuple(Argument(rng.choice(("", "side")), value) for value in values))
    if draw < 0.4:
        return Not(random_tree(rng, depth - 1))
    if draw < 0.6:
        return Within(random_tree(rng, depth - 1), number())
    parts = tuple(random_tree(rng, depth - 1) for _ in range(rng.randrange(2, 4)))
    return (And if draw < 0.8 else Or)(parts)


def test_the_text_of_the_design_is_read_and_printed_unchanged() -> None:
    trigger = read_trigger(DESIGN, ["adv_usd > 1e9", "spread_bps < 5"])
    assert trigger.text == f"{DESIGN} IF adv_usd > 1000000000, spread_bps < 5"
    assert read_trigger(trigger.text) == trigger
    assert read_trigger(DESIGN).text == DESIGN
    scope = trigger.condition
    assert isinstance(scope, Scope)
    assert scope.limit_ms == 6 * 3_600_000
    assert isinstance(scope.part, All)
    breakout, retest = scope.part.parts
    assert isinstance(breakout, Breakout)
    assert (breakout.level.lookback, breakout.level.bar_ms, breakout.band, breakout.band_unit) == (
        20,
        60_000,
        2.0,
        "sigma",
    )
    assert isinstance(retest, Retest)
    assert (retest.level.kind, retest.level.lookback, retest.tol_bps) == (LevelKind.PREV_HIGH, 20, 15.0)
    assert [g.value for g in trigger.preconditions if isinstance(g, Threshold)] == [1e9, 5.0]
    assert trigger.precondition_texts == ("adv_usd > 1000000000", "spread_bps < 5")


def test_random_trees_are_read_back_as_they_were() -> None:
    rng = random.Random(3)
    for _ in range(1_500):
        tree = random_tree(rng, rng.randrange(4))
        text = text_of(tree)
        if len(text) <= MAX_TEXT:
            assert parse(text) == Guarded(tree), text
            assert text_of(parse(text)) == text


def test_random_triggers_with_a_meaning_are_read_back_with_the_same_meaning() -> None:
    rng = random.Random(4)
    for _ in range(300):
        trigger = read_trigger(trigger_text(rng))
        assert read_trigger(trigger.text) == trigger


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (
            "breakout(20,2.0σ) and retest(prev_high,0.15%) within 6h",
            "breakout(20, 2sigma) AND retest(prev_high, 0.15%) WITHIN 6h",
        ),
        ("((NOT ((touch(entry)))))", "NOT touch(entry)"),
        ("(touch(entry)\n AND cross(vwap)) Or mid<1e3USD", "touch(entry) AND cross(vwap) OR mid < 1000usd"),
        ("touch(entry) AND (cross(vwap) OR mid > 3)", "touch(entry) AND (cross(vwap) OR mid > 3)"),
        ("imb_1 > -0.50", "imb_1 > -0.5"),
        ("(touch(entry) AND mid > 3 within 90min) OR mid > 1", "touch(entry) AND mid > 3 WITHIN 90m OR mid > 1"),
    ],
)  # fmt: skip
def test_one_spelling(text: str, same: str) -> None:
    assert read_trigger(text).text == same
    assert read_trigger(same) == read_trigger(text)
