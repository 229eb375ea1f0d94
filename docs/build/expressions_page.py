"""The reference page of the expression language, written from its tables.

`python docs/build/expressions_page.py > docs/reference/expressions.md`; a test compares them. Only text is made here.
Facts that the page states belong into `transforms`, `units` or `environment`.
"""

from collections.abc import Iterable
from typing import Final

from lotus.manifest import Manifest
from lotus.tape_machine.checker import LIMIT_MS, MAX_GRAPH_DEPTH, MAX_GRAPH_NODES, check
from lotus.tape_machine.complexity import measure, warm_up
from lotus.tape_machine.environment import Environment, frame_columns
from lotus.tape_machine.parser import MAX_DEPTH, MAX_NODES, MAX_TEXT, parse
from lotus.tape_machine.transforms import OPERATORS, PREFIXES, TRANSFORMS, ArgumentKind, Operator, Transform
from lotus.tape_machine.units import SPELLINGS, SYMBOLS

_HEAD: Final = f"""# The expression language

This page is written from the tables that the checker reads (`lotus/tape_machine`); a test keeps them equal.

An expression is one formula over the columns of a table: frames of {{cadence}} ms, or windows. It looks back, never
ahead: there is no transform with a negative delay and none without a bound. There are no loops, strings, attributes,
indices, assignments or keyword arguments. Errors name line and column, show the place, and suggest the nearest thing
that would be right.

- Text: at most {MAX_TEXT} characters, {MAX_DEPTH} levels and {MAX_NODES} nodes.
- Graph, with all named sub-expressions: at most {MAX_GRAPH_NODES} distinct nodes and {MAX_GRAPH_DEPTH} levels.
- Memory: no operation remembers more than {LIMIT_MS // 3_600_000} h.

## Values

- **Numbers** carry their unit without a space: `20m`, `500ms`, `0.15%`, `2sigma`, `3bps`, `100usd`, `2bps/min`,
  `3bps/sqrt(min)`, `0.5/bps`. `%` is 100 bps, so `0.15%` is 15 bps; a share of one has no unit.
- **Names** are columns, parameters of a spec, or named sub-expressions. A number's kind and unit follow it everywhere.
- **Flags** come from comparisons and from flag columns; `where(f, 1, 0)` makes a number of one.
- **Null** is an unknown number. Unless the tables below say otherwise a null operand gives null, and so does a result
  that is not finite. A comparison with a null is false; a flag is never null.
- **Units** must agree in sums, comparisons and among the numbers of a call; a written `0` fits every unit. A constant
  follows the time unit of what it meets (`since(f) < 30s`, `x > 2bps/h` where x is per minute); a column never does.
- **Durations** become rows, rounded to the nearest; half-lives keep their fraction of a row.
- `max(x, 20m)` is rolling because its second argument is a constant duration; `max(a, b)` takes the larger.

From weakest to strongest: `or`, `and`, `not`, one comparison, `+ -`, `* /`, unary `-`. Comparisons do not chain.
"""
_TIMES: Final = "t counts rows since birth, a window is the row and the w - 1 before it, ages and counts are rows."


def expressions_page() -> str:
    """Return the page, Markdown; every example in it is a doctest."""
    parts = [
        _HEAD.format(cadence=Manifest().kernel.cadence_ms),
        "## Operators\n",
        _table(("operator", "meaning", "units", "null", "example"), map(_operator, (*OPERATORS, *PREFIXES))),
        f"\n## Transforms\n\nIn the formulas {_TIMES}\n",
        *(_transform(form) for form in TRANSFORMS),
        "## Arguments\n",
        _table(("kind", "what may stand there"), ((kind.name.lower(), kind.value) for kind in ArgumentKind)),
        "\n## Units\n",
        _table(("unit", "spelled", "meaning"), map(_unit, SYMBOLS.items())),
        "\n## Columns of a frame\n",
        _table(("column", "kind", "unit"), ((f"`{n}`", c.kind, f"`{c.unit}`") for n, c in frame_columns().items())),
    ]
    return "\n".join(parts)


def describe(text: str) -> str:
    """Return what an expression over frames is: kind, unit, size and the rows after which it is warm.

    >>> describe("mean(spread_bps, 1m) > 2bps")
    'flag; 4 nodes, depth 3; warm after 299 rows'
    """
    node = check(parse(text), Environment(frame_columns(), Manifest().kernel.cadence_ms))
    depth, nodes = measure(node)
    kind = node.kind if node.kind == "flag" else f"number in {node.unit}"
    return f"{kind}; {nodes} nodes, depth {depth}; warm after {warm_up(node)} rows"


def _transform(form: Transform) -> str:
    arguments = "; ".join(f"`{name}` {kind.value}" for name, kind in form.arguments)
    return "\n".join((
        f"### `{form.signature}`\n",
        f"{form.formula}\n",
        f"- arguments: {arguments}",
        f"- unit: {form.unit.value}",
        f"- null: {form.null}",
        f"- memory: {form.memory}",
        f"- cost of a row: {form.cost.value}\n",
        f'    >>> describe("{form.example}")',
        f"    {describe(form.example)!r}\n",
    ))  # fmt: skip


def _operator(row: Operator) -> tuple[str, ...]:
    symbols = " ".join(f"`{symbol}`" for symbol, _ in row.symbols)
    return symbols, row.formula, row.unit, row.null, f"`{row.example}`"


def _unit(item: tuple[str, str]) -> tuple[str, ...]:
    symbol, meaning = item
    spellings = [s for s, canonical in SPELLINGS.items() if canonical == symbol]
    return f"`{symbol}`", " ".join(f"`1{s}`" for s in spellings), meaning


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    print(expressions_page(), end="")
