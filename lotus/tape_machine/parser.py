"""Text -> syntax tree, by the grammar in `grammar.lark` (LALR(1), no backtracking, no recursion).

The bounds of length, brackets, depth and size are kept here, before anything walks the tree. No meaning is checked:
names, units and kinds are the checker's. The parser generator is imported when the first text is read.
"""

import math
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from lotus.tape_machine.diagnosis import failure, nearest, syntax_failure
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Span, Tree, Unary
from lotus.tape_machine.units import SPELLINGS, spell

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark import Tree as LarkTree

MAX_TEXT: Final[int] = 4_000  # characters
MAX_DEPTH: Final[int] = 24  # of brackets in the text and of the tree
MAX_NODES: Final[int] = 512
_DIGITS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def parse(text: str) -> Tree:
    """Return the syntax tree of one expression; raises `ExpressionError` with line, column and a likely cause.

    >>> parse("imb_5 > 0.4")
    Binary(op='>', left=Name(name='imb_5'), right=Number(value=0.4, unit=''))
    """
    from lark import UnexpectedInput

    _bound(text)
    try:
        raw = _grammar().parse(text)
    except UnexpectedInput as error:
        raise syntax_failure(text, error) from None
    return _tree(text, raw)


@cache
def _grammar() -> "Lark":
    from lark import Lark

    return Lark((files("lotus.tape_machine") / "grammar.lark").read_text("utf-8"), parser="lalr")


def _bound(text: str) -> None:
    if not text.strip():
        raise failure(Span(text), "an empty expression", "a value, a name or a call")
    if len(text) > MAX_TEXT:
        place = Span(text, MAX_TEXT, len(text))
        raise failure(place, f"{len(text)} characters", f"at most {MAX_TEXT}", suggestion="named sub-expressions")
    depth = 0
    for bracket in re.finditer(r"[()]", text):
        depth += 1 if bracket.group() == "(" else -1
        if depth > MAX_DEPTH:
            place = Span(text, bracket.start(), bracket.end())
            raise failure(place, f"more than {MAX_DEPTH} open brackets", suggestion="named sub-expressions")


def _tree(text: str, raw: "LarkTree[Token]") -> Tree:
    """Build from the leaves upwards, so that a tree beyond the bounds is never walked."""
    built: dict[int, tuple[Tree, int]] = {}
    *parts, start = raw.iter_subtrees()
    for count, part in enumerate(parts, 1):
        tokens = [c for c in part.children if isinstance(c, str)]
        below = [built[id(c)] for c in part.children if not isinstance(c, str)]
        tree, depth = _node(text, part.data, tokens, [t for t, _ in below]), 1 + max((d for _, d in below), default=0)
        if depth > MAX_DEPTH:
            raise failure(tree.span, f"an expression deeper than {MAX_DEPTH}", suggestion="named sub-expressions")
        if count > MAX_NODES:
            raise failure(tree.span, f"more than {MAX_NODES} nodes", suggestion="named sub-expressions")
        built[id(part)] = (tree, depth)
    return built[id(start.children[0])][0]


def _node(text: str, rule: str, tokens: "list[Token]", parts: list[Tree]) -> Tree:
    first, last = tokens[0], tokens[-1]
    start, end = first.start_pos or 0, last.end_pos or 0
    match rule:
        case "number":
            return _number(first, Span(text, start, end))
        case "name":
            return Name(str(first), Span(text, start, end))
        case "call":
            return Call(str(first), tuple(parts), Span(text, start, end))
        case "unary":
            return Unary(str(first), parts[0], Span(text, start, parts[0].span.end))
    left, right = parts
    return Binary(str(first), left, right, Span(text, left.span.start, right.span.end))


def _number(literal: str, span: Span) -> Number:
    digits = _DIGITS.match(literal)
    assert digits is not None  # the terminal begins with it
    value = float(digits.group())
    if not math.isfinite(value) or (value == 0.0 and re.search("[1-9]", digits.group().lower().split("e")[0])):
        raise failure(span, f"the number {literal[:40]}", "a magnitude that a double holds")
    try:
        return Number(value, spell(literal[digits.end() :]), span)
    except KeyError as error:
        word = str(error.args[0])
        place = Span(span.text, span.start + literal.index(word, digits.end()), span.end)
        raise failure(
            place, f"unknown unit {word[:40]!r}", ", ".join(SPELLINGS), "a unit is written to its number",
            nearest(word, SPELLINGS),
        ) from None  # fmt: skip
