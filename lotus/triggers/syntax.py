"""The syntax tree of a trigger: conditions, the words that join them, and the place each was read from.

Only values belong here. Trees compare without their places, so what is printed and read again is equal.
"""

from dataclasses import dataclass, field

from lotus.tape_machine.syntax import NOWHERE, Name, Number, Span

Value = Number | Name


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call; `name` is "" when its place says which it is."""

    name: str
    value: Value
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OperatorCall:
    """An operator with its arguments: something that happens at a frame."""

    operator: str
    arguments: tuple[Argument, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """A quantity beside a number: something that holds at a frame."""

    quantity: str
    op: str
    number: Number
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The denial of a condition."""

    part: "Tree"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts."""

    parts: tuple["Tree", ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """One or more of two or more parts."""

    parts: tuple["Tree", ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Within:
    """A part whose happenings are remembered for `limit` after the first of them."""

    part: "Tree"
    limit: Number
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Tree = OperatorCall | Compare | Not | And | Or | Within


@dataclass(frozen=True, slots=True)
class Guarded:
    """A whole text: the condition, and the preconditions after IF."""

    part: Tree
    gates: tuple[Tree, ...] = ()
