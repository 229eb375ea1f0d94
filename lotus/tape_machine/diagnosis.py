"""Errors of expressions: where they are, a line with a caret below it, and what the author probably meant.

Everything that turns a failure into an `ExpressionError` is here; what is an error is decided by parser and checker.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from lotus.errors import ExpressionError
from lotus.tape_machine.syntax import Span

if TYPE_CHECKING:
    from lark import UnexpectedInput

Habit = Callable[[str, int, str, str], tuple[str, str]]  # text, place, terminal, piece -> cause, suggestion
Habits = tuple[tuple[str, str, str], ...]  # what begins at the place -> cause, suggestion
WIDTH: Final[int] = 100  # characters of a line that an excerpt shows
LONGEST_NAME: Final[int] = 64
SYNONYMS: Final[dict[str, str]] = {
    "avg": "mean(x, w)", "average": "mean(x, w)", "sma": "mean(x, w)", "ewma": "ema(x, h)", "ewm": "ema(x, h)",
    "stdev": "std(x, w)", "stddev": "std(x, w)", "sd": "std(x, w)", "var": "std(x, w) * std(x, w)",
    "median": "quantile(x, 0.5, w)", "shift": "lag(x, d)", "diff": "delta(x, d)", "ln": "log(x)",
    "if": "where(f, a, b)", "iff": "where(f, a, b)", "isnull": "not known(x)", "isnan": "not known(x)",
    "rolling_max": "max(x, w)", "rolling_min": "min(x, w)", "barssince": "since(f)", "any": "within(f, d)",
    "crossover": "crossed(a, b) > 0", "pow": "x * x", "fillna": "where(known(x), x, 0)",
}  # fmt: skip
COMMON_WORDS: Final[dict[str, str]] = {
    "NUMBER": "a number", "NAME": "a name", "COMPARE": "a comparison", "OPEN": "(", "CLOSE": ")", "COMMA": "a comma",
    "$END": "the end",
}  # fmt: skip
EXPRESSION_WORDS: Final[dict[str, str]] = {
    **COMMON_WORDS, "OR": "or", "AND": "and", "NOT": "not", "PLUS": "+", "MINUS": "-", "TIMES": "*", "OVER": "/",
}  # fmt: skip
_STATEMENTS: Final = frozenset({
    "for", "while", "if", "elif", "else", "lambda", "def", "import", "return", "class", "try", "with", "yield", "async",
    "await", "is", "in", "let", "var",
})  # fmt: skip
_HABITS: Final[Habits] = (
    ("**", "there are no powers", "x * x or sqrt(x)"),
    ("^", "there are no powers", "x * x or sqrt(x)"),
    ("&", "flags are joined by words", "and"),
    ("|", "flags are joined by words", "or"),
    ("!", "a flag is denied by a word", "not x, or a != b"),
    ("==", "comparisons do not chain", "a == b and b == c"),
    ("<", "comparisons do not chain", "a < b and b < c"),
    (">", "comparisons do not chain", "a > b and b > c"),
    ("=", "no assignments and no keyword arguments; equality is ==", "f(x, 20m), or a == b"),
    (".", "no attribute access; a number starts with a digit", "0.5"),
    ("[", "no indexing; the past is reached by lag", "lag(x, 1s)"),
    ("{", "no sets or formats", "( )"),
    ('"', "no strings", "a name without quotes"),
    ("'", "no strings", "a name without quotes"),
    ("`", "no strings", "a name without quotes"),
    ("%", "no remainder; a percentage is written to its number", "0.15%"),
    ("+", "no sign + before a value", "leave it out"),
    ("#", "no comments inside an expression", "a comment of the file around it"),
    ("?", "no conditional operator", "where(f, a, b)"),
    (":", "no conditional operator, slices or blocks", "where(f, a, b)"),
    (";", "one expression, no statements", "a named sub-expression"),
    ("\u2212", "a minus sign of typography", "-"),
    ("\u00d7", "a multiplication sign of typography", "*"),
    ("\u2264", "a comparison of typography", "<="),
    ("\u2265", "a comparison of typography", ">="),
)


def failure(span: Span, found: str, expected: str = "", cause: str = "", suggestion: str = "") -> ExpressionError:
    """Return the error at the beginning of `span`."""
    start = min(span.start, len(span.text))
    line = span.text.count("\n", 0, start) + 1
    begin = span.text.rfind("\n", 0, start) + 1
    return ExpressionError(
        found, expected, cause,
        line=line, column=start - begin + 1, excerpt=_excerpt(span, begin, start), suggestion=suggestion,
    )  # fmt: skip


def nearest(word: str, words: Iterable[str]) -> str:
    """Return the known word within a third of edits (at least one, at most three), or "" when none is so near."""
    if len(word) > LONGEST_NAME:
        return ""
    limit = min(3, max(1, len(word) // 3))
    best = min(((_edits(word.lower(), k.lower(), limit), k) for k in words), default=(limit + 1, ""))
    return best[1] if best[0] <= limit else ""


def parse_failure(
    text: str, error: "UnexpectedInput", what: str, words: Mapping[str, str], habit: Habit
) -> ExpressionError:
    """Return what a failed parse means: the unexpected piece, what could stand there, and a likely cause.

    `words` say in a reader's terms what a terminal of the grammar is; `habit` knows the mistakes of its writers.
    """
    token = getattr(error, "token", None)
    ends = token is not None and token.type == "$END"
    start = len(text.rstrip()) if ends else int(error.pos_in_stream or 0)
    piece = "" if ends else str(token) if token is not None else text[start : start + 1]
    span = Span(text, start, start + max(1, len(piece)))
    allowed = getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None)
    expected = ", ".join(sorted({words[word] for word in allowed or () if word in words}))
    if ends:
        missing = text.count("(") - text.count(")")
        cause = f"{missing} bracket(s) not closed" if missing > 0 else "the text is cut off"
        whole = text.strip() + ")" * missing if 0 < missing < 4 else ""
        return failure(span, f"the {what} ends too early", expected, cause, whole)
    cause, suggestion = habit(text, start, token.type if token is not None else "", piece)
    return failure(span, f"unexpected {piece[:40]!r}", expected, cause, suggestion)


def usual_habit(habits: Habits, text: str, start: int, piece: str) -> tuple[str, str] | None:
    """Return cause and suggestion of a mistake that a language's table holds, or that every language knows."""
    for begin, cause, suggestion in habits:
        if text.startswith(begin, start):
            return cause, suggestion
    if piece == ")" and text.count(")") > text.count("("):
        return "a bracket is closed that was not opened", ""
    return None if piece.isascii() else ("a character outside the language", "plain ASCII")


def expression_habit(text: str, start: int, kind: str, piece: str) -> tuple[str, str]:
    """Return the likely cause of an unexpected piece of an expression and a suggestion, each "" when unknown."""
    before = text[:start].rstrip()
    if piece == "*" and before.endswith("*"):
        return "there are no powers", "x * x or sqrt(x)"
    if piece in _STATEMENTS or before.split("(")[-1].split(" ")[-1] in _STATEMENTS:
        return "no loops, conditions, functions or statements", "where(f, a, b) or a transform with a window"
    if usual := usual_habit(_HABITS, text, start, piece):
        return usual
    if piece == ")" and before.endswith("("):
        return "brackets with nothing in them", ""
    if piece[:1].isalnum() and before[-1:].isalnum():
        return "two values without an operator between them; a unit is written to its number", "20m, or a * b"
    return "", ""


def _excerpt(span: Span, begin: int, start: int) -> str:
    end = span.text.find("\n", begin)
    line = span.text[begin : end if end >= 0 else len(span.text)]
    first = max(0, start - begin - WIDTH // 2)
    shown = "".join(c if c.isprintable() and c.isascii() else "." for c in line[first : first + WIDTH])
    width = max(1, min(span.end - start, first + len(shown) - (start - begin)))
    return f"  {shown}\n  {' ' * (start - begin - first)}{'^' * width}"


def _edits(left: str, right: str, limit: int) -> int:
    """Return the number of insertions, deletions and changes between two words, `limit` + 1 when there are more."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(previous + (a != b), row[j] + 1, row[j - 1] + 1)
    return row[-1]
