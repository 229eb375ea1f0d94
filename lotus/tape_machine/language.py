"""The front end that both little languages share: grammar, bounds, the walk from text to tree, and number literals.

A grammar (LALR(1), no backtracking, no recursion), the words of its errors and its bounds make a `Language`; what its
nodes are is the language's own parser's. Bounds are checked before anything walks the tree. The parser generator is
imported when the first text is read.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lotus.tape_machine.diagnosis import Habit, failure, nearest, parse_failure
from lotus.tape_machine.syntax import Number, Span

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark import Tree as LarkTree

Node = TypeVar("Node")
Maker = Callable[[str, "list[Token]", list[Any]], Node]
_DIGITS: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Language:
    """One language: `package` holds its `grammar.lark`; `habit` knows the mistakes of its writers."""

    package: str
    article: str
    name: str  # as errors call a text: "an empty trigger"
    example: str  # what an empty text should be
    max_text: int  # characters
    max_depth: int  # of brackets in the text and of the tree
    max_nodes: int
    nodes: str  # what `max_nodes` counts
    words: Mapping[str, str]  # terminal of the grammar -> a reader's word
    habit: Habit
    remedy: str = ""  # against a text beyond the bounds

    def read(self, text: str, make: "Maker[Node]", leaves: tuple[type, ...] = ()) -> list[Node]:
        """Return the nodes below the grammar's start; raises `ExpressionError` with line, column and a likely cause.

        `make` builds a node from its rule, tokens and the nodes below it; nodes of the types `leaves` do not count.
        """
        from lark import UnexpectedInput

        self._bound(text)
        try:
            raw = _grammar(self.package).parse(text)
        except UnexpectedInput as error:
            raise parse_failure(text, error, self.name, self.words, self.habit) from None
        return self._built(raw, make, leaves)

    def _bound(self, text: str) -> None:
        if not text.strip():
            raise failure(Span(text), f"an empty {self.name}", self.example)
        if len(text) > self.max_text:
            place = Span(text, self.max_text, len(text))
            raise failure(place, f"{len(text)} characters", f"at most {self.max_text}", suggestion=self.remedy)
        depth = 0
        for bracket in re.finditer(r"[()]", text):
            depth += 1 if bracket.group() == "(" else -1
            if depth > self.max_depth:
                place = Span(text, bracket.start(), bracket.end())
                raise failure(place, f"more than {self.max_depth} open brackets", suggestion=self.remedy)

    def _built(self, raw: "LarkTree[Token]", make: Callable[..., Any], leaves: tuple[type, ...]) -> list[Any]:
        """Build from the leaves upwards, so that a tree beyond the bounds is never walked."""
        built: dict[int, tuple[Any, int]] = {}
        count = 0
        *parts, start = raw.iter_subtrees()
        for part in parts:
            tokens = [c for c in part.children if isinstance(c, str)]
            below = [built[id(c)] for c in part.children if not isinstance(c, str)]
            node, depth = make(part.data, tokens, [n for n, _ in below]), max((d for _, d in below), default=0)
            if not isinstance(node, leaves):
                depth, count = depth + 1, count + 1
                if depth > self.max_depth:
                    raise failure(
                        node.span, f"{self.article} {self.name} deeper than {self.max_depth}", suggestion=self.remedy
                    )
                if count > self.max_nodes:
                    raise failure(node.span, f"more than {self.max_nodes} {self.nodes}", suggestion=self.remedy)
            built[id(part)] = node, depth
        return [built[id(child)][0] for child in start.children if not isinstance(child, str)]


def reach(text: str, tokens: "list[Token]") -> Span:
    """Return the place from the first token's start to the last one's end."""
    return Span(text, tokens[0].start_pos or 0, tokens[-1].end_pos or 0)


def read_number(text: str, token: "Token", spell: Callable[[str], str], spellings: Iterable[str]) -> Number:
    """Return a number with its unit; `spell` returns a unit's one spelling or raises `KeyError` with the wrong word.

    Raises `ExpressionError` for an unknown unit and a magnitude that no double holds.
    """
    span = reach(text, [token])
    digits = _DIGITS.match(token)
    assert digits is not None  # the terminal begins with it
    value = float(digits.group())
    if not math.isfinite(value) or (value == 0.0 and re.search("[1-9]", digits.group().lower().split("e")[0])):
        raise failure(span, f"the number {token[:40]}", "a magnitude that a double holds")
    try:
        return Number(value, spell(token[digits.end() :]), span)
    except KeyError as error:
        word = str(error.args[0])
        place = Span(text, span.start + token.index(word, digits.end()), span.end)
        units = ", ".join(s for s in spellings if s and s.isascii())
        raise failure(
            place, f"unknown unit {word[:40]!r}", units, "a unit is written to its number", nearest(word, spellings)
        ) from None


@cache
def _grammar(package: str) -> "Lark":
    from lark import Lark

    return Lark((files(package) / "grammar.lark").read_text("utf-8"), parser="lalr", maybe_placeholders=False)
