"""Markdown of our own pages as blocks for a template: headings, paragraphs and tables, nothing else.

Texts stay texts; the template escapes them, so that no card can bring markup of its own.
"""

import re
from collections.abc import Iterator
from typing import TypedDict

EMPHASIS = re.compile(r"\*\*|`")


class Block(TypedDict):
    """A `heading` of a level, a `text`, or a `table` of rows whose first one is its head."""

    kind: str
    level: int
    text: str
    rows: list[list[str]]


def blocks(markdown: str) -> list[Block]:
    """Return the blocks of a page.

    >>> page = "# A\\n\\nIt **pays**.\\n\\n| a | b |\\n| --- | --- |\\n| 1 | 2 |"
    >>> [(one["kind"], one["text"] or one["rows"]) for one in blocks(page)]
    [('heading', 'A'), ('text', 'It pays.'), ('table', [['a', 'b'], ['1', '2']])]
    """
    return list(_blocks(markdown))


def _blocks(markdown: str) -> Iterator[Block]:
    rows: list[list[str]] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            cells = [EMPHASIS.sub("", cell.strip()) for cell in line.strip().strip("|").split(" | ")]
            rows.append(cells)
            continue
        if rows:
            is_ruled = len(rows) > 1 and not set("".join(rows[1])) - set("- ")  # the line below a head is no row
            yield {"kind": "table", "level": 0, "text": "", "rows": rows[:1] + rows[2:] if is_ruled else rows}
            rows = []
        text = EMPHASIS.sub("", line.lstrip("#").strip())
        if text:
            level = len(line) - len(line.lstrip("#"))
            yield {"kind": "heading" if level else "text", "level": level, "text": text, "rows": []}
