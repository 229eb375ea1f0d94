"""Which conditions of an Arrow filter can be checked before anything is read: by the steps of a path, or by PostgreSQL.

A filter is read from its text, the only form in which Arrow hands it out. What is not recognised is left out, so what
is returned never excludes a row that the filter takes; the whole filter is applied to the rows afterwards. (Literature:
predicate pushdown, partition pruning.)
"""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_ATOM = re.compile(r'(\w+) (==|>=|<=|>|<) (?:"([A-Za-z0-9_.:+,@~-]*)"|(-?\d{1,18}))')
_ONE_OF = re.compile(r"is_in\((\w+), \{value_set=string:\[\s*([^\[\]]*?)\s*\], null_matching_behavior=MATCH\}\)")
_WORD = re.compile(r'"([A-Za-z0-9_.:+,@~-]*)"')
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class ColumnCondition:
    """A column against a text or a whole number, by one of ==, >=, <=, >, <, or `in` several texts."""

    column: str
    comparison: str
    value: str | int | tuple[str, ...]

    def holds(self, value: str | int) -> bool:
        """Tell whether a value meets the condition."""
        if isinstance(self.value, tuple):
            return value in self.value
        return _COMPARE[self.comparison](value, self.value)


def conditions(filter_text: str) -> list[ColumnCondition]:
    """Return conditions that every row has which an Arrow filter takes, from the filter's text.

    >>> [(c.column, c.comparison, c.value) for c in conditions('((branch == "main") and (n > -3))')]
    [('branch', '==', 'main'), ('n', '>', -3)]
    """
    found: list[ColumnCondition] = []
    waiting = [filter_text]
    while waiting:
        parts = list(_conjuncts(_bare(waiting.pop().strip())))
        if len(parts) > 1:
            waiting += reversed(parts)
        elif atom := _ATOM.fullmatch(parts[0]):
            column, comparison, text, number = atom.groups()
            found.append(ColumnCondition(column, comparison, int(number) if text is None else text))
        elif several := _ONE_OF.fullmatch(parts[0]):
            words = [_WORD.fullmatch(word) for word in re.split(r",\s+", several[2])]
            if all(words):
                found.append(ColumnCondition(several[1], "in", tuple(word[1] for word in words if word)))
    return found


def _bare(text: str) -> str:
    """Return a text without the parentheses around all of it."""
    while text.startswith("(") and next(_at_depth_one_closed(text)) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _conjuncts(text: str) -> Iterator[str]:
    """Yield the parts between the words `and` that stand in no parentheses and no quotation marks."""
    start = 0
    for at, depth in _depths(text):
        if depth == 0 and text.startswith(" and ", at):
            yield text[start:at].strip()
            start = at + len(" and ")
    yield text[start:].strip()


def _at_depth_one_closed(text: str) -> Iterator[int]:
    """Yield the places at which parentheses of the outermost level close, and at last one beyond the text."""
    for at, depth in _depths(text):
        if depth == 0 and text[at] in _CLOSING:
            yield at
    yield len(text)


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Yield every place that is in no quotation marks, and how many parentheses are open behind it."""
    depth, quoted, escaped = 0, False, False
    for at, letter in enumerate(text):
        if quoted:
            quoted, escaped = escaped or letter != '"', not escaped and letter == "\\"
            continue
        quoted = letter == '"'
        depth += (letter in _OPENING) - (letter in _CLOSING)
        yield at, depth
