"""Compositions across modules as `lotus lessons` and `lotus review list` print them."""

from collections.abc import Mapping, Sequence
from typing import Any

from lotus_cli.terminal.tables import folded


def composition_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rows as sentences, under a heading; nothing without any."""
    if not rows:
        return []
    lines = ["COMPOSITIONS across modules"]
    for row in rows:
        lines += [folded(f"  * {row['does']}: {row['state']}; {row['reason']}", "    ")]
        lines += [folded(f"    {row['evidence']}; of {' and '.join(row['parents'])}", "    ")]
    return lines
