"""Values of an answer in plain form, and as lines of a terminal. No question is asked here."""

import json
import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lotus_cli.terminal.tables import TableColumn, table

LONGEST = 200  # characters of a cell


def value_of(text: str) -> str | int | float:
    """Return what a word of the command line stands for: a number where it is one, else the text.

    >>> value_of("5"), value_of("0.5"), value_of("main"), value_of("nan")
    (5, 0.5, 'main', 'nan')
    """
    try:
        number = json.loads(text, parse_constant=str)
    except ValueError:
        return text
    return number if isinstance(number, int | float) and not isinstance(number, bool) else text


def plain_rows(batch: Any) -> list[list[Any]]:
    """Return the rows of an Arrow batch; times as text, bytes in hexadecimal, what is nested as JSON in text."""
    columns = [[_plain(value) for value in column.to_pylist()] for column in batch.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def as_lines(schema: Any, rows: Sequence[Sequence[Any]], wide: bool) -> str:
    """Return rows as a table: numbers to the right, control characters visible, long texts cut."""
    columns = [TableColumn(_shown(field.name), right=_is_number(field.type)) for field in schema]
    return table(columns, [[_shown(value) for value in row] for row in rows], wide)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond % 1000 == 0 else "microseconds")
    if isinstance(value, bytes):
        return value.hex()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, default=_plain) if isinstance(value, dict | list | tuple) else str(value)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else str(value)
    text = str(value)
    text = text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
