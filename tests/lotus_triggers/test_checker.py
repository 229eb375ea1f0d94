"""Meaning of triggers: every refusal names its place and what is probably meant."""

import pytest

from lotus.errors import ExpressionError
from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import leaves_of
from lotus.triggers.parser import MAX_DEPTH, MAX_PARTS, MAX_TEXT

DESIGN = "breakout(lookback=20, band=2sigma) AND retest(level=prev_high, tol=0.15%) WITHIN 6h"
BRACKETS = "brackets around the part that WITHIN bounds"


def test_a_level_takes_the_bars_of_the_breakout_that_it_follows() -> None:
    def levels(text: str) -> list[tuple[int, int]]:
        return [(leaf.level.lookback, leaf.level.bar_ms) for leaf in leaves_of(read_trigger(text).condition)]

    assert levels("breakout(50, bar=5m) AND retest(prev_high) WITHIN 6h") == [(50, 300_000)] * 2
    assert levels("retest(prev_high) AND breakout(50) WITHIN 6h") == [(50, 60_000)] * 2
    assert levels("breakout(50) AND retest(prev_high, lookback=9) WITHIN 6h") == [(50, 60_000), (9, 60_000)]
    assert (
        levels("touch(vwap) AND (breakout(50) AND retest(vwap) WITHIN 1h) WITHIN 6h")
        == [(20, 60_000)] + [(50, 60_000)] * 2
    )
    assert levels("breakout(50) AND touch(prev_high)") == [(50, 60_000), (20, 60_000)]


@pytest.mark.parametrize(
    ("text", "line", "column", "found", "suggestion"),
    [
        ("breakot()", 1, 1, "unknown operator 'breakot'", "breakout"),
        ("breakout(lookbak=3)", 1, 10, "no parameter 'lookbak'", "lookback"),
        ("touch(prevhigh)", 1, 7, "unknown level 'prevhigh'", "prev_high"),
        ("sprea_bps < 5", 1, 1, "unknown quantity 'sprea_bps'", "spread_bps"),
        ("vwap > 3", 1, 1, "unknown quantity 'vwap'", "cross(level=vwap)"),
        ("mid() ", 1, 1, "the quantity 'mid' as an operator", "mid < 5"),
        ("cross(vwap, side=upp)", 1, 18, "side = upp", "up"),
        ("cross(vwap,\n  up, side=up)", 2, 7, "the parameter 'side' twice", ""),
        ("breakout(side=up, 20)", 1, 19, "an argument without a name after one with a name", ""),
        ("breakout(1, 2, 3, 4, 5)", 1, 10, "lookback = 1", ""),
        ("breakout(9, 2sigma, up, 1m, 5)", 1, 29, "5 arguments", ""),
        ("breakout(2)", 1, 10, "lookback = 2", ""), ("breakout(241)", 1, 10, "lookback = 241", ""),
        ("breakout(5.5)", 1, 10, "lookback = 5.5", ""), ("breakout(20m)", 1, 10, "lookback = 20m", ""),
        ("breakout(band=2)", 1, 15, "band = 2", ""), ("breakout(band=21sigma)", 1, 15, "band = 21sigma", ""),
        ("breakout(band=-1bps)", 1, 15, "band = -1bps", ""), ("breakout(band=3h)", 1, 15, "band = 3h", ""),
        ("breakout(band=wide)", 1, 15, "the word 'wide' for band", ""),
        ("breakout(bar=1.5ms)", 1, 14, "bar = 1.5ms", ""), ("breakout(bar=2h)", 1, 14, "bar = 2h", ""),
        ("breakout(240, bar=1h)", 1, 1, "240 bars of 60 min", ""),
        ("touch()", 1, 1, "touch without a level", ""), ("touch(0)", 1, 7, "no price", "61250usd"),
        ("touch(5bps)", 1, 7, "no price", "61250usd"), ("touch(entry, tol=6%)", 1, 18, "tol = 6%", ""),
        ("touch(entry, tol=5)", 1, 18, "tol = 5", ""),
        ("spread_bps < 5usd", 1, 14, "the unit usd beside spread_bps", ""),
        ("imb_1 < 5%", 1, 9, "the unit % beside imb_1", ""),
        ("spread_bps < 5parsec", 1, 15, "unknown unit 'parsec'", ""),
        ("retest(entry)", 1, 1, "a retest outside of WITHIN", "breakout() AND retest(entry) WITHIN 6h"),
        ("touch(entry) WITHIN 6h", 1, 1, "a WITHIN around one condition", "touch(entry)"),
        ("touch(entry) OR cross(vwap) WITHIN 6h", 1, 17, "a WITHIN around one condition", "cross(vwap)"),
        ("mid > 3 AND spread_bps < 5 WITHIN 6h", 1, 1, "a WITHIN that nothing arms", ""),
        ("NOT touch(entry) AND retest(vwap) WITHIN 6h", 1, 1, "a WITHIN that nothing arms", ""),
        ("touch(entry) AND mid > 3 WITHIN 6", 1, 33, "limit = 6", ""),
        ("touch(entry) AND mid > 3 WITHIN 8d", 1, 33, "limit = 8d", ""),
        ("touch(entry) AND mid > 3 WITHIN 6 h", 1, 35, "unexpected 'h'", "6h"),
        ("touch(entry) WITHIN 5m AND mid > 3", 1, 24, "unexpected 'AND'", BRACKETS),
        ("touch(entry) && mid > 3", 1, 14, "unexpected '&'", "AND"),
        ("breakout(", 1, 10, "the trigger ends too early", "breakout()"),
        ("", 1, 1, "an empty trigger", ""), ("touch(entry))", 1, 13, "unexpected ')'", ""),
        ("mid > 1e999", 1, 7, "the number 1e999", ""), ("mid > 1e-999", 1, 7, "the number 1e-999", ""),
        ("touch(entry) IF", 1, 16, "the trigger ends too early", ""),
        ("mid > 3 IF mid > 4 IF mid > 5", 1, 20, "unexpected 'IF'", ""),
        ("(mid > 3 IF mid > 4)", 1, 10, "unexpected 'IF'", ""),
        ("mid > 3 IF mid > 4,", 1, 20, "the trigger ends too early", ""),
        ("mid > 3 > 2", 1, 9, "unexpected '>'", "mid > 61250usd"), ("mid == 3", 1, 5, "unexpected '='", ""),
    ],
)  # fmt: skip
def test_a_refusal_names_its_place(text: str, line: int, column: int, found: str, suggestion: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_trigger(text)
    error = caught.value
    assert found in error.found
    assert (error.line, error.column) == (line, column)
    assert error.suggestion == suggestion or (suggestion == "" and "unexpected" in error.found)
    assert "^" in error.excerpt


def test_a_precondition_is_a_comparison_and_its_error_is_placed_in_its_own_text() -> None:
    with pytest.raises(ExpressionError, match="an operator in a precondition"):
        read_trigger(DESIGN, ["NOT touch(entry)"])
    with pytest.raises(ExpressionError, match="an operator in a precondition"):
        read_trigger(f"{DESIGN} IF mid > 3, touch(entry)")
    with pytest.raises(ExpressionError, match="an IF inside a precondition"):
        read_trigger(DESIGN, ["mid > 3 IF mid > 4"])
    assert read_trigger(f"{DESIGN} if mid>3", ["mid > 4"]).text == f"{DESIGN} IF mid > 3, mid > 4"
    with pytest.raises(ExpressionError) as caught:
        read_trigger(DESIGN, ["spread_bps < 5", "adv_us > 3"])
    assert (caught.value.line, caught.value.column, caught.value.suggestion) == (1, 1, "adv_usd")
    assert len(read_trigger(DESIGN, ["NOT (spread_bps < 5 OR adv_usd < 1e6)"]).preconditions) == 1


def test_bounds() -> None:
    deep = "(" * (MAX_DEPTH - 1) + "mid > 1" + ")" * (MAX_DEPTH - 1)
    assert read_trigger(deep).text == "mid > 1"
    wide = " OR ".join(["mid > 1"] * (MAX_PARTS - 1))
    assert len(wide) < MAX_TEXT
    assert read_trigger(wide).text == wide
    for text in ("(" + deep + "))", wide + " OR mid > 1", "NOT " * MAX_DEPTH + "mid > 1", "mid > 1" + " " * MAX_TEXT):
        with pytest.raises(ExpressionError):
            read_trigger(text)
    assert read_trigger("NOT " * (MAX_DEPTH - 1) + "mid > 1")
