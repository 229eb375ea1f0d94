"""Syntax tree -> text with as few brackets as the grammar allows; reading the text gives the same tree."""

from typing import assert_never

from lotus.tape_machine.printer import number_text
from lotus.tape_machine.syntax import Name, Number
from lotus.triggers.syntax import (
    And,
    Argument,
    Compare,
    Guarded,
    Not,
    OperatorCall,
    Or,
    Tree,
    Value,
    Within,
)

_OR, _WITHIN, _AND, _NOT, _ATOM = range(5)


def text_of(tree: Tree | Guarded) -> str:
    """Return the canonical text of a tree.

    >>> from lotus.triggers.parser import parse
    >>> text_of(parse("(breakout(20,2.0σ))and retest( prev_high,tol =0.15%)within 6h if spread_bps<5"))
    'breakout(20, 2sigma) AND retest(prev_high, tol=0.15%) WITHIN 6h IF spread_bps < 5'
    """
    if isinstance(tree, Guarded):
        return " IF ".join(filter(None, (text_of(tree.part), ", ".join(map(text_of, tree.gates)))))
    return _printed(tree)[0]


def value_text(value: Value) -> str:
    """Return the text of an argument's value."""
    return value.name if isinstance(value, Name) else _number(value)


def _printed(tree: Tree) -> tuple[str, int]:
    match tree:
        case OperatorCall(operator, arguments):
            return f"{operator}({', '.join(map(_argument, arguments))})", _ATOM
        case Compare(quantity, op, number):
            return f"{quantity} {op} {_number(number)}", _ATOM
        case Not(part):
            return f"NOT {_at(part, _NOT)}", _NOT
        case And(parts):
            return " AND ".join(_at(part, _NOT) for part in parts), _AND
        case Within(part, limit):
            return f"{_at(part, _AND)} WITHIN {_number(limit)}", _WITHIN
        case Or(parts):
            return " OR ".join(_at(part, _WITHIN) for part in parts), _OR
    assert_never(tree)


def _at(tree: Tree, level: int) -> str:
    text, own = _printed(tree)
    return text if own >= level else f"({text})"


def _argument(argument: Argument) -> str:
    text = value_text(argument.value)
    return f"{argument.name}={text}" if argument.name else text


def _number(number: Number) -> str:
    return ("-" if number.value < 0.0 else "") + number_text(abs(number.value)) + number.unit
