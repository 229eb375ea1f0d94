"""Downloads of tables: CSV and Parquet with every column, hidden ones too, as plain values."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lotus_console.reading import HomeReading
from lotus_console.tables import EXPORTED, LARGEST_PAGE, Question, Table, ValueKind
from lotus_store.json_values import plain

TYPES = {
    **dict.fromkeys((ValueKind.COUNT, ValueKind.TIME, ValueKind.LEVEL), pa.int64()),
    **dict.fromkeys(
        (ValueKind.NUMBER, ValueKind.PRICE, ValueKind.BPS, ValueKind.USD, ValueKind.SHARE, ValueKind.LIFE), pa.float64()
    ),
    ValueKind.FLAG: pa.bool_(),
}
RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes a text that begins so for a formula


def all_rows(reading: HomeReading, table: Table, question: Question) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a question in pages, from the first one on, at most `EXPORTED`."""
    for offset in range(0, EXPORTED, LARGEST_PAGE):
        answer = table.source(reading, replace(question, offset=offset, limit=LARGEST_PAGE))
        yield answer.rows
        if not answer.has_more:
            return


def csv_lines(reading: HomeReading, table: Table, question: Question) -> Iterator[bytes]:
    """Yield a table as CSV, UTF-8, a head of column names first."""
    names = [column.name for column in table.columns]
    yield _line(names)
    for rows in all_rows(reading, table, question):
        yield b"".join(_line([_safe(plain(row.get(name))) for name in names]) for row in rows)


def parquet_bytes(reading: HomeReading, table: Table, question: Question) -> bytes:
    """Return a table as one Parquet file; names of units and what columns mean stand in the schema's metadata."""
    fields = [
        pa.field(c.name, TYPES.get(c.kind, pa.string()), metadata={"unit": c.unit, "about": c.about or c.label})
        for c in table.columns
    ]
    rows = [row for page in all_rows(reading, table, question) for row in page]
    columns = [pa.array([_typed(row.get(f.name), f.type) for row in rows], f.type) for f in fields]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=pa.schema(fields)), sink, compression="zstd")
    return sink.getvalue()


def _typed(value: Any, wanted: pa.DataType) -> Any:
    if value is None or not pa.types.is_string(wanted):
        return value
    return value if isinstance(value, str) else str(plain(value))


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def _line(values: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue().encode()
