"""Syntax tree -> text with as few brackets as the grammar allows; reading the text gives the same tree.

Spaces stand around every operator of two operands, so that a division is never taken for a unit.
"""

from typing import Final

from lotus.tape_machine.syntax import Binary, Call, Name, Number, Tree, Unary

_LEVEL: Final[dict[str, int]] = {
    "or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4, "+": 5, "-": 5, "*": 6, "/": 6,
}  # fmt: skip
_NOT, _COMPARE, _MINUS, _ATOM = 3, 4, 7, 8


def text_of(tree: Tree) -> str:
    """Return the canonical text of a tree.

    >>> from lotus.tape_machine.parser import parse
    >>> text_of(parse("((imb_5)*2)>0.5 and(not(a or b))"))
    'imb_5 * 2 > 0.5 and not (a or b)'
    """
    return _printed(tree)[0]


def number_text(value: float) -> str:
    """Return the shortest decimal of a value >= 0 that reads back as the same double."""
    return str(int(value)) if value < 1e15 and value == int(value) else repr(value)


def _printed(tree: Tree) -> tuple[str, int]:
    match tree:
        case Number(value, unit):
            return number_text(value) + unit, _ATOM
        case Name(name):
            return name, _ATOM
        case Call(name, arguments):
            return f"{name}({', '.join(text_of(a) for a in arguments)})", _ATOM
        case Unary("not", operand):
            return f"not {_at(operand, _NOT)}", _NOT
        case Unary(_, operand):
            return f"-{_at(operand, _MINUS)}", _MINUS
        case Binary(op, left, right):
            level = _LEVEL[op]
            chains = level != _COMPARE
            return f"{_at(left, level if chains else level + 1)} {op} {_at(right, level + 1)}", level


def _at(tree: Tree, level: int) -> str:
    text, own = _printed(tree)
    return text if own >= level else f"({text})"
