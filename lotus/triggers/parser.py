"""Text -> syntax tree of a trigger, by `grammar.lark` and the front end of the expression language.

No meaning is checked: operators, quantities and units of a place are the checker's.
"""

from typing import TYPE_CHECKING, Any, Final

from lotus.tape_machine.diagnosis import failure
from lotus.tape_machine.language import Language, reach, read_number
from lotus.tape_machine.syntax import Name, Number, Span
from lotus.triggers.diagnosis import TRIGGER_WORDS, trigger_habit
from lotus.triggers.syntax import And, Argument, Compare, Guarded, Not, OperatorCall, Or, Within
from lotus.triggers.units import SPELLINGS, spell

if TYPE_CHECKING:
    from lark import Token

MAX_TEXT: Final[int] = 2_000  # characters
MAX_DEPTH: Final[int] = 16  # of brackets in the text and of the tree
MAX_PARTS: Final[int] = 64  # conditions and the words that join them
MAX_ARGUMENTS: Final[int] = 16
_LANGUAGE: Final = Language(
    package="lotus.triggers", article="a", name="trigger", example="a condition such as touch(level=entry)",
    max_text=MAX_TEXT, max_depth=MAX_DEPTH, max_nodes=MAX_PARTS, nodes="conditions and words that join them",
    words=TRIGGER_WORDS, habit=trigger_habit,
)  # fmt: skip


def parse(text: str) -> Guarded:
    """Return the syntax tree of one trigger; raises `ExpressionError` with line, column and a likely cause.

    >>> parse("not touch(vwap)").part
    Not(part=OperatorCall(operator='touch', arguments=(Argument(name='', value=Name(name='vwap')),)))
    """

    def number(token: "Token") -> Number:
        return read_number(text, token, spell, SPELLINGS)

    def node(rule: str, tokens: "list[Token]", parts: list[Any]) -> Any:
        match rule:
            case "number":
                return number(tokens[0])
            case "name":
                return Name(str(tokens[0]), reach(text, tokens))
            case "argument":
                value: Span = parts[0].span
                name, start = (str(tokens[0]), tokens[0].start_pos or 0) if tokens else ("", value.start)
                return Argument(name, parts[0], Span(text, start, value.end))
            case "call":
                if len(parts) > MAX_ARGUMENTS:
                    raise failure(parts[MAX_ARGUMENTS].span, f"more than {MAX_ARGUMENTS} arguments")
                return OperatorCall(str(tokens[0]), tuple(parts), reach(text, tokens))
            case "compare":
                return Compare(str(tokens[0]), str(tokens[1]), number(tokens[2]), reach(text, tokens))
        start, end = parts[0].span.start, parts[-1].span.end
        match rule:
            case "denied":
                return Not(parts[0], Span(text, reach(text, tokens).start, end))
            case "within":
                return Within(parts[0], number(tokens[1]), Span(text, start, reach(text, tokens).end))
            case "both":
                return And(tuple(parts), Span(text, start, end))
        return Or(tuple(parts), Span(text, start, end))

    condition, *gates = _LANGUAGE.read(text, node, leaves=(Argument, Name, Number))
    return Guarded(condition, tuple(gates))
