"""Syntax errors of triggers: what stands at the place, what could stand there, and what the author probably meant.

The form of an error (place, excerpt, nearest word) is the tape machine's; only the habits are this language's own.
"""

from typing import TYPE_CHECKING, Final

from lotus.errors import ExpressionError
from lotus.tape_machine.diagnosis import parse_failure
from lotus.triggers.units import SPELLINGS

if TYPE_CHECKING:
    from lark import UnexpectedInput

_WORDS: Final[dict[str, str]] = {
    "NUMBER": "a number", "NAME": "a name", "OR": "OR", "AND": "AND", "NOT": "NOT", "WITHIN": "WITHIN", "IF": "IF",
    "COMPARE": "a comparison", "EQUALS": "=", "OPEN": "(", "CLOSE": ")", "LPAR": "(", "RPAR": ")", "COMMA": "a comma",
    "$END": "the end",
}  # fmt: skip
# what begins at the place -> (cause, suggestion)
_HABITS: Final[tuple[tuple[str, str, str], ...]] = (
    ("&", "conditions are joined by words", "AND"),
    ("|", "conditions are joined by words", "OR"),
    ("!", "a condition is denied by a word", "NOT"),
    ("~", "a condition is denied by a word", "NOT"),
    ("==", "a price or a rate is never tested for equality", "touch(level=61250, tol=2bps)"),
    ("=", "an assignment, or an argument outside the brackets of an operator", "touch(level=entry)"),
    ("+", "no arithmetic", "a number"),
    ("-", "no arithmetic; a minus is written to its number", "-0.5bps"),
    ("*", "no arithmetic", "a number"),
    ("/", "no arithmetic", "a number"),
    ("%", "a percentage is written to its number", "0.15%"),
    (".", "a number starts with a digit", "0.5"),
    ('"', "no strings", "a name without quotes"),
    ("'", "no strings", "a name without quotes"),
    (";", "one trigger, no statements", "AND"),
    ("{", "no sets or formats", "( )"),
    ("[", "no indexing; the past is reached by lookback", "breakout(lookback=20)"),
    ("\u2212", "a minus sign of typography", "-"),
    ("\u2264", "a comparison of typography", "<="),
    ("\u2265", "a comparison of typography", ">="),
)


def syntax_failure(text: str, error: "UnexpectedInput") -> ExpressionError:
    """Return what a failed parse of a trigger means: the unexpected piece, what could stand there, a likely cause."""
    return parse_failure(text, error, "trigger", _WORDS, _habit)


def _habit(text: str, start: int, kind: str, piece: str) -> tuple[str, str]:
    if kind in ("AND", "WITHIN") and "within" in text[:start].lower():
        return "WITHIN ends what AND joins", "brackets around the part that WITHIN bounds"
    if piece in SPELLINGS and text[start - 1 : start].isspace() and text[:start].rstrip()[-1:].isdigit():
        return "a unit is written to its number, without a space", f"{text[:start].split()[-1][-20:]}{piece}"
    if kind == "COMPARE":
        return "a comparison has a quantity on its left and a number on its right, and does not chain", "mid > 61250usd"
    for begin, cause, suggestion in _HABITS:
        if text.startswith(begin, start):
            return cause, suggestion
    if piece == ")" and text.count(")") > text.count("("):
        return "a bracket is closed that was not opened", ""
    if not piece.isascii():
        return "a character outside the language", "plain ASCII"
    if kind in ("AND", "OR", "NOT", "WITHIN", "NAME"):
        return "a quantity needs a comparison, an operator its brackets", "breakout() or spread_bps < 5bps"
    return "", ""
