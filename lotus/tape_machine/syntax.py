"""The syntax tree of an expression: five kinds of nodes, each with the place it was read from.

Only values belong here. Trees compare without their places, so what is printed and read again is equal.
"""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a source text: characters start..end."""

    text: str = ""
    start: int = 0
    end: int = 0


NOWHERE: Final = Span()


@dataclass(frozen=True, slots=True)
class Number:
    """A literal: a finite value (>= 0 in an expression) and its unit as `spell` writes it ("" for none)."""

    value: float
    unit: str = ""
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A column, a parameter or a named sub-expression."""

    name: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    op: str
    operand: "Tree"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, a comparison, `and` or `or`."""

    op: str
    left: "Tree"
    right: "Tree"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function with positional arguments."""

    name: str
    arguments: tuple["Tree", ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Tree = Number | Name | Unary | Binary | Call
