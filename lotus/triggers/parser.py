"""Text -> syntax tree, by the grammar in `grammar.lark` (LALR(1), no backtracking, no recursion).

The bounds of length, brackets, depth and number of conditions are kept here, before anything walks the tree. No
meaning is checked: operators, quantities and units of a place are the checker's.
"""

import math
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from lotus.tape_machine.diagnosis import failure, nearest
from lotus.tape_machine.syntax import Name, Span
from lotus.triggers.diagnosis import syntax_failure
from lotus.triggers.syntax import (
    And,
    Argument,
    Compare,
    Guarded,
    Not,
    NumberLiteral,
    OperatorCall,
    Or,
    Tree,
    Value,
    Within,
)
from lotus.triggers.units import SPELLINGS

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark import Tree as LarkTree

MAX_TEXT: Final[int] = 2_000  # characters
MAX_DEPTH: Final[int] = 16  # of brackets in the text and of the tree
MAX_PARTS: Final[int] = 64  # conditions and the words that join them
MAX_ARGUMENTS: Final[int] = 16
_DIGITS: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def parse(text: str) -> Guarded:
    """Return the syntax tree of one trigger; raises `ExpressionError` with line, column and a likely cause.

    >>> parse("not touch(vwap)").part
    Not(part=OperatorCall(operator='touch', arguments=(Argument(name='', value=Name(name='vwap')),)))
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

    grammar = (files("lotus.triggers") / "grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


def _bound(text: str) -> None:
    if not text.strip():
        raise failure(Span(text), "an empty trigger", "a condition such as touch(level=entry)")
    if len(text) > MAX_TEXT:
        raise failure(Span(text, MAX_TEXT, len(text)), f"{len(text)} characters", f"at most {MAX_TEXT}")
    depth = 0
    for bracket in re.finditer(r"[()]", text):
        depth += 1 if bracket.group() == "(" else -1
        if depth > MAX_DEPTH:
            raise failure(Span(text, bracket.start(), bracket.end()), f"more than {MAX_DEPTH} open brackets")


def _tree(text: str, raw: "LarkTree[Token]") -> Guarded:
    """Build from the leaves upwards, so that a tree beyond the bounds is never walked."""
    built: dict[int, tuple[Tree, int]] = {}
    arguments: dict[int, Argument] = {}
    values: dict[int, Value] = {}
    *parts, start = raw.iter_subtrees()
    for part in parts:
        tokens = [c for c in part.children if isinstance(c, str)]
        below = [c for c in part.children if not isinstance(c, str)]
        first, last = _reach(tokens)
        match part.data:
            case "number":
                values[id(part)] = _number(text, tokens[0])
            case "name":
                values[id(part)] = Name(str(tokens[0]), Span(text, first, last))
            case "argument":
                value = values[id(below[0])]
                name, begin = (str(tokens[0]), first) if tokens else ("", value.span.start)
                arguments[id(part)] = Argument(name, value, Span(text, begin, value.span.end))
            case "call":
                if len(below) > MAX_ARGUMENTS:
                    raise failure(arguments[id(below[MAX_ARGUMENTS])].span, f"more than {MAX_ARGUMENTS} arguments")
                listed = tuple(arguments[id(b)] for b in below)
                built[id(part)] = OperatorCall(str(tokens[0]), listed, Span(text, first, last)), 1
            case "compare":
                number = _number(text, tokens[2])
                compare = Compare(str(tokens[0]), str(tokens[1]), number, Span(text, first, last))
                built[id(part)] = compare, 1
            case rule:
                inner = [built[id(b)] for b in below]
                built[id(part)] = _joined(text, str(rule), tokens, [t for t, _ in inner]), 1 + max(d for _, d in inner)
        if id(part) in built:
            tree, depth = built[id(part)]
            if depth > MAX_DEPTH:
                raise failure(tree.span, f"a trigger deeper than {MAX_DEPTH}")
            if len(built) > MAX_PARTS:
                raise failure(tree.span, f"more than {MAX_PARTS} conditions and words that join them")
    whole = [built[id(child)][0] for child in start.children if not isinstance(child, str)]
    return Guarded(whole[0], tuple(whole[1:]))


def _joined(text: str, rule: str, tokens: "list[Token]", parts: list[Tree]) -> Tree:
    first, last = _reach(tokens)
    start, end = parts[0].span.start, parts[-1].span.end
    match rule:
        case "denied":
            return Not(parts[0], Span(text, first, end))
        case "within":
            return Within(parts[0], _number(text, tokens[1]), Span(text, start, last))
        case "both":
            return And(tuple(parts), Span(text, start, end))
    return Or(tuple(parts), Span(text, start, end))


def _reach(tokens: "list[Token]") -> tuple[int, int]:
    return (tokens[0].start_pos or 0, tokens[-1].end_pos or 0) if tokens else (0, 0)


def _number(text: str, token: "Token") -> NumberLiteral:
    span = Span(text, token.start_pos or 0, token.end_pos or 0)
    digits = _DIGITS.match(token)
    assert digits is not None  # the terminal begins with it
    value = float(digits.group())
    if not math.isfinite(value) or (value == 0.0 and re.search("[1-9]", digits.group().lower().split("e")[0])):
        raise failure(span, f"the number {token[:40]}", "a magnitude that a double holds")
    word = str(token[digits.end() :])
    unit = SPELLINGS.get(word, SPELLINGS.get(word.lower()))
    if unit is None:
        place = Span(text, span.start + digits.end(), span.end)
        raise failure(
            place, f"unknown unit {word[:40]!r}", ", ".join(s for s in SPELLINGS if s.isascii() and s),
            "a unit is written to its number", nearest(word, SPELLINGS),
        )  # fmt: skip
    return NumberLiteral(value, unit, span)
