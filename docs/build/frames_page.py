"""`docs/reference/frames.md`, made from the table of columns.

`python docs/build/frames_page.py > docs/reference/frames.md`. Text only; what a column is stands in
`lotus.microtape.frames.spec`. The field's word: data dictionary.
"""

from collections.abc import Sequence

from lotus.columns import TableSpec
from lotus.microtape.frames.spec import (
    FLOAT_COLUMNS,
    INT_COLUMNS,
    MICROTAPE_QUOTES,
    QUALITY_BITS,
    TAPE_GAPS,
    FrameColumn,
)

_HEAD = """# Frames: the columns of `microtape_frames`

Written from the table in `lotus/microtape/frames/spec.py` by `python docs/build/frames_page.py`; edit that.

A frame holds what came before its end (event time, 200 ms by default). b, a = best bid and ask price, B, A = their
sizes, all of the newest top of book by venue time (the best bid and offer and both book forms); mid = (a + b) / 2.
Every formula speaks of the state at the end of the frame; `x'` is x of the frame before. Books and context hold their
last value and carry its age. Prices are integer price units of the asset, sizes integer lots.

A gap ends a life: the frames after it are, bit for bit, those of an asset that starts there, so nothing rolls over a
gap and every column is null again until its rule lets it speak. State is born blank two hours before the day it serves
and nothing remembers longer. Trailing ranks and quantiles come from a histogram of 64 quarter-octave bins whose weight
halves every 20 minutes; they never see the frame they are applied to. The work of a frame and the size of the state do
not depend on how many frames came before.
"""
_COLUMNS = ("column", "unit", "formula", "null", "range", "looks back")


def frames_page() -> str:
    """Return the page: every column of a frame, the quality bits, and the two tables beside it."""
    rows = [_column_row(column) for column in INT_COLUMNS + FLOAT_COLUMNS]
    bits = [(f"`{name}`", str(bit), text) for name, bit, text in QUALITY_BITS]
    parts = [_HEAD, _table(_COLUMNS, rows), "## Bits of `quality`\n", _table(("bit", "value", "set when"), bits)]
    for spec in (MICROTAPE_QUOTES, TAPE_GAPS):
        parts += [f"## `{spec.name}`\n", _table(("column", "unit", "meaning", "range"), _plain_rows(spec))]
    return "\n".join(parts)


def _column_row(column: FrameColumn) -> tuple[str, ...]:
    bounds = _range(column.low, column.high)
    return (f"`{column.name}`", column.unit, column.formula, str(column.null), bounds, column.memory)


def _plain_rows(spec: TableSpec) -> list[tuple[str, ...]]:
    return [(f"`{c.name}`", c.unit, c.doc, _range(c.low, c.high)) for c in spec.columns]


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "any"
    if high is None:
        return f">= {low:g}"
    return f"<= {high:g}" if low is None else f"{low:g} to {high:g}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    print(frames_page(), end="")
