"""HTML of values: the template environment, how each kind of value reads, and intervals drawn in their row.

Everything is escaped unless it was made here; texts come from venues, people and models. No style and no script stands
in a page, so that the content policy can forbid both.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lotus_console.pictures import number
from lotus_console.tables import ShownColumn, Table, ValueKind
from lotus_store.facts.words import clock

WIDTH, HEIGHT, EDGE = 150, 22, 8  # of an interval in its row, px
DASH = "–"
WORDS = {"IDENTIFIED": "accepted", "MODEL_ONLY": "proposed", "REFUSED": "refused"}
STATES = {"IDENTIFIED": "on", "active": "on", "MODEL_ONLY": "half", "proposed": "half"}


@cache
def environment() -> Environment:
    """Return the template environment, made once."""
    made = Environment(
        loader=PackageLoader("lotus_console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(cell=cell, text_of=text_of, with_code=with_code, address=address, ValueKind=ValueKind)
    return made


def address(place: str, given: Mapping[str, Any], **changed: Any) -> str:
    """Return an address with its parameters, some changed, None and empty ones left out.

    >>> address("/lessons", {"state": "REFUSED", "page": 2}, page=None)
    '/lessons?state=REFUSED'
    """
    named = {key: value for key, value in {**given, **changed}.items() if value not in (None, "")}
    return place + (f"?{urlencode(named)}" if named else "")


def cell(column: ShownColumn, row: Mapping[str, Any], scale: tuple[float, float] | None = None) -> Markup:
    """Return a cell's content: its value, as a link where the column has one, with its interval where it has a span."""
    value = row.get(column.name)
    text = Markup.escape(text_of(column.kind, value))
    if column.kind is ValueKind.LEVEL and value is not None:
        text = levels(int(value))
    if column.kind is ValueKind.STATE and value is not None:
        text = Markup('<span class="tag {}">{}</span>').format(STATES.get(value, ""), text)
    if column.kind is ValueKind.LIFE and isinstance(value, int | float):
        text = life(value)
    if column.kind in (ValueKind.BPS, ValueKind.USD) and isinstance(value, int | float) and math.isfinite(value):
        text = Markup('<span class="{}">{}</span>').format("good" if value > 0 else "bad" if value < 0 else "", text)
    if column.kind is ValueKind.CODE:
        text = Markup('<span class="mono">{}</span>').format(text)
    if column.link and value not in (None, ""):
        parts = {key: quote(str(part), safe="") for key, part in row.items()}
        text = Markup('<a href="{}">{}</a>').format(column.link.format_map(parts), text)
    if column.span is not None and scale is not None:
        text += interval([row.get(name) for name in column.span], value, scale)
    if column.below and row.get(column.below):
        text += Markup('<br><span class="dim small">{}</span>').format(row[column.below])
    return text


def text_of(kind: ValueKind, value: Any) -> str:
    """Return a value as people read it, a dash for none.

    >>> text_of(ValueKind.BPS, 1.234), text_of(ValueKind.SHARE, .125), text_of(ValueKind.TEXT, None)
    ('+1.23', '12.5 %', '–')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return DASH
    match kind:
        case ValueKind.COUNT:
            return f"{int(value):,}"
        case ValueKind.NUMBER:
            return number(value)
        case ValueKind.PRICE:
            return f"{value:,.12g}"
        case ValueKind.BPS | ValueKind.USD:
            return f"{value:+,.2f}"
        case ValueKind.SHARE | ValueKind.LIFE:
            return f"{100 * value:.1f} %"
        case ValueKind.TIME:
            return clock(int(value))[:23].replace("T", " ")
        case ValueKind.STATE:
            return WORDS.get(value, str(value))
        case ValueKind.FLAG:
            return "yes" if value else "no"
        case _:
            return str(value)


def with_code(text: str) -> Markup:
    """Return a sentence of ours with what stands in backticks as code.

    >>> str(with_code("nothing <yet>: `lotus demo`"))
    'nothing &lt;yet&gt;: <code>lotus demo</code>'
    """
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if k % 2 else Markup.escape(part) for k, part in enumerate(parts)
    )


def levels(level: int, of: int = 3) -> Markup:
    """Return a level of trust as so many filled marks."""
    marks = Markup("").join(Markup('<i class="f"></i>' if k < level else "<i></i>") for k in range(of))
    return Markup('<span class="lv" role="img" aria-label="level {} of {}">{}</span>').format(level, of, marks)


def life(share: float) -> Markup:
    """Return a share of a time to live as a bar."""
    return Markup(
        '<svg class="life" viewBox="0 0 70 10" width="70" height="10" role="img" aria-label="{:.0f} % of its time">'
        '<rect class="whole" width="70" height="10" rx="3"/><rect width="{:.1f}" height="10" rx="3"/></svg>'
    ).format(100 * share, 70 * share)


def scale_of(column: ShownColumn, rows: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Return the least and largest end of all intervals of a column and zero, None where there is no finite one."""
    if column.span is None:
        return None
    ends = [row.get(name) for row in rows for name in column.span]
    finite = [float(end) for end in ends if isinstance(end, int | float) and math.isfinite(end)]
    return (min(0.0, *finite), max(0.0, *finite)) if len(finite) > 1 else None


def interval(ends: Sequence[Any], middle: Any, scale: tuple[float, float]) -> Markup:
    """Return an interval as a line with its middle and the zero, drawn on the scale of the table."""
    numbers = [*ends, middle]
    if not all(isinstance(x, int | float) and math.isfinite(x) for x in numbers):
        return Markup("")
    least, largest = scale

    def at(value: float) -> str:
        return f"{EDGE + (WIDTH - 2 * EDGE) * (value - least) / ((largest - least) or 1.0):.1f}"

    low, high, half = at(ends[0]), at(ends[1]), HEIGHT / 2
    sign = "good" if ends[0] > 0 else "bad" if ends[1] < 0 else "dim"
    return Markup(
        '<svg class="interval {sign}" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'aria-label="{a:+.2f} to {b:+.2f}"><line class="zero" x1="{z}" x2="{z}" y1="2" y2="{y}"/>'
        '<line class="span" x1="{l}" x2="{r}" y1="{m}" y2="{m}"/><circle cx="{c}" cy="{m}" r="4"/></svg>'
    ).format(
        sign=sign, w=WIDTH, h=HEIGHT, a=ends[0], b=ends[1], z=at(0.0), y=HEIGHT - 2, l=low, r=high, m=half, c=at(middle)
    )  # fmt: skip


def scales_of(table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float] | None]:
    """Return the scale of every column's intervals by name."""
    return {column.name: scale_of(column, rows) for column in table.columns}
