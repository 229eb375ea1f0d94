"""Text -> syntax tree of an expression, by `grammar.lark`.

No meaning is checked: names, units and kinds are the checker's.
"""

from typing import TYPE_CHECKING, Any, Final

from lotus.tape_machine.diagnosis import EXPRESSION_WORDS, expression_habit
from lotus.tape_machine.language import Language, reach, read_number
from lotus.tape_machine.syntax import Binary, Call, Name, Span, Tree, Unary
from lotus.tape_machine.units import SPELLINGS, spell

if TYPE_CHECKING:
    from lark import Token

MAX_TEXT: Final[int] = 4_000  # characters
MAX_DEPTH: Final[int] = 24  # of brackets in the text and of the tree
MAX_NODES: Final[int] = 512
_LANGUAGE: Final = Language(
    package="lotus.tape_machine", article="an", name="expression", example="a value, a name or a call",
    max_text=MAX_TEXT, max_depth=MAX_DEPTH, max_nodes=MAX_NODES, nodes="nodes", words=EXPRESSION_WORDS,
    habit=expression_habit, remedy="named sub-expressions",
)  # fmt: skip


def parse(text: str) -> Tree:
    """Return the syntax tree of one expression; raises `ExpressionError` with line, column and a likely cause.

    >>> parse("imb_5 > 0.4")
    Binary(op='>', left=Name(name='imb_5'), right=Number(value=0.4, unit=''))
    """

    def node(rule: str, tokens: "list[Token]", parts: list[Any]) -> Tree:
        first, place = tokens[0], reach(text, tokens)
        match rule:
            case "number":
                return read_number(text, first, spell, SPELLINGS)
            case "name":
                return Name(str(first), place)
            case "call":
                return Call(str(first), tuple(parts), place)
            case "unary":
                return Unary(str(first), parts[0], Span(text, place.start, parts[0].span.end))
        left, right = parts
        return Binary(str(first), left, right, Span(text, left.span.start, right.span.end))

    return _LANGUAGE.read(text, node)[0]
