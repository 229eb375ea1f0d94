"""What the author of a trigger with a syntax error probably meant.

The form of an error (place, excerpt, nearest word) is the front end's; only the habits are this language's own.
"""

from typing import Final

from lotus.tape_machine.diagnosis import COMMON_WORDS, Habits, usual_habit
from lotus.triggers.units import SPELLINGS

TRIGGER_WORDS: Final[dict[str, str]] = {
    **COMMON_WORDS, "OR": "OR", "AND": "AND", "NOT": "NOT", "WITHIN": "WITHIN", "IF": "IF", "EQUALS": "=",
}  # fmt: skip
_HABITS: Final[Habits] = (
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


def trigger_habit(text: str, start: int, kind: str, piece: str) -> tuple[str, str]:
    """Return the likely cause of an unexpected piece of a trigger and a suggestion, each "" when unknown."""
    if kind in ("AND", "WITHIN") and "within" in text[:start].lower():
        return "WITHIN ends what AND joins", "brackets around the part that WITHIN bounds"
    if piece in SPELLINGS and text[start - 1 : start].isspace() and text[:start].rstrip()[-1:].isdigit():
        return "a unit is written to its number, without a space", f"{text[:start].split()[-1][-20:]}{piece}"
    if kind == "COMPARE":
        return "a comparison has a quantity on its left and a number on its right, and does not chain", "mid > 61250usd"
    if usual := usual_habit(_HABITS, text, start, piece):
        return usual
    if kind in ("AND", "OR", "NOT", "WITHIN", "NAME"):
        return "a quantity needs a comparison, an operator its brackets", "breakout() or spread_bps < 5bps"
    return "", ""
