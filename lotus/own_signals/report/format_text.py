"""The format of an events file in words, for `--explain-columns`. What a column is stands in `columns`."""

import textwrap
from typing import Any

from lotus.own_signals.columns import COLUMNS, CONFIG_EXAMPLE, FIRST_ROWS, FileColumn


def columns_text() -> str:
    """Return the format for a terminal, with an example and a configuration."""
    lines = ["COLUMNS of the CSV or Parquet files in --events", ""]
    for c in COLUMNS:
        meaning = textwrap.fill(c.meaning, 100, initial_indent="    ", subsequent_indent="    ")
        lines += [f"{c.name}   {_kind(c)}", meaning, f"    null: {c.null}; example: {c.example}"]
    lines += ["", "FIRST ROWS of an example", "", FIRST_ROWS, "CONFIGURATION (optional, --config)", "", CONFIG_EXAMPLE]
    return "\n".join(lines).rstrip("\n")


def columns_json() -> dict[str, Any]:
    """Return the format as plain values."""
    return {
        "columns": [
            {"name": c.name, "type": c.kind, "required": c.required, "unit": c.unit, "null": c.null,
             "meaning": c.meaning, "example": c.example}
            for c in COLUMNS
        ],
        "example": FIRST_ROWS,
        "config": CONFIG_EXAMPLE,
    }  # fmt: skip


def _kind(c: FileColumn) -> str:
    unit = f", {c.unit}" if c.unit else ""
    return f"{c.kind}{unit}, {'required' if c.required else 'optional'}"
