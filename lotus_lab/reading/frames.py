"""A table in memory as rows of events: pandas, polars, Arrow, or whatever hands itself over as an Arrow stream.

Cells are those of `cells`, names those of `columns`; nothing is copied that Arrow can share. In the literature: the
Arrow PyCapsule interface.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lotus.errors import SchemaError
from lotus.own_signals.columns import FEATURE_PREFIX
from lotus.own_signals.table import FileRows
from lotus_lab.reading.cells import Piece, shortened, typed_column
from lotus_lab.reading.columns import check_once, checked_names, used

CONTEXT = ("ts", "asset", "detector_id")  # of events to come
NAME = "the table"  # in messages, where a file has its name
_KINDS = "a table of pandas, polars or Arrow, or the path of a file or folder"


@dataclass(frozen=True, slots=True)
class TableColumns(Mapping[str, Any]):
    """The used columns of an Arrow table, typed when asked for; `names`: theirs by the format's."""

    table: pa.Table
    names: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        """Return a column as `FileRows` holds it; raises `SchemaError` with row and cause for a wrong cell."""
        if name not in self.names:
            raise KeyError(name)
        return typed_column(NAME, name, lambda: self._pieces(name))

    def _pieces(self, name: str) -> Iterator[Piece]:
        first = 0
        for chunk in self.table.column(self.names[name]).unify_dictionaries().chunks:
            if len(chunk):
                yield first, chunk
                first += len(chunk)

    def __contains__(self, name: object) -> bool:
        """Whether the table has the column."""
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        """Yield the names of columns that are used."""
        return (name for name in self.names if used(name))

    def __len__(self) -> int:
        """Return the number of columns that are used."""
        return sum(used(name) for name in self.names)


def read_table(events: object, columns: Mapping[str, str]) -> tuple[list[FileRows], list[str]]:
    """Return the rows of one table, and its unused columns; raises `SchemaError` for what is no table of events."""
    table = arrow_of(events)
    names = checked_names(NAME, table.column_names, columns)
    if not table.num_rows:
        raise SchemaError(f"{NAME} has no row", "one row for every window, published or not")
    return [FileRows(NAME, table.num_rows, TableColumns(table, names))], sorted(n for n in names if not used(n))


def arrow_of(events: object) -> pa.Table:
    """Return a table as an Arrow table; raises `SchemaError` for another kind, or for cells of mixed types."""
    try:
        if isinstance(events, pa.Table):
            return events
        if isinstance(events, pa.RecordBatch):
            return pa.Table.from_batches([events])
        if type(events).__module__.split(".")[0] == "pandas" and hasattr(events, "columns"):
            return pa.Table.from_pandas(_named(events), preserve_index=False)
        if hasattr(events, "__arrow_c_stream__"):
            return pa.table(events)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        text = shortened(" ".join(str(error).split()), 160)
        raise SchemaError(
            f"{NAME} cannot be taken: {text}", "one type in every column", "a column of mixed types?"
        ) from None
    raise SchemaError(f"events are a {type(events).__name__}", _KINDS)


def _named(frame: Any) -> Any:
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        raise SchemaError(f"{NAME} has a column named {odd[0]!r}", "texts as names", "columns of several levels?")
    check_once(NAME, list(frame.columns))
    return frame


def read_context(events: object, columns: Mapping[str, str]) -> FileRows:
    """Return events to come as rows: `ts`, `asset`, `detector_id` and features; what is not known yet is not asked for.

    Columns of outcomes are passed over. Raises `SchemaError` as `read_table` does.
    """
    table = arrow_of(events)
    held = {ours: theirs for ours, theirs in columns.items() if theirs in table.column_names}
    names = checked_names(NAME, table.column_names, held, CONTEXT)
    if not table.num_rows:
        raise SchemaError(f"{NAME} has no row", "one row or more")
    source = TableColumns(table, names)
    wanted = [name for name in source if name in CONTEXT or name.startswith(FEATURE_PREFIX)]
    unknown = {
        "horizon_s": np.zeros(table.num_rows, dtype=np.int64),
        "published": np.zeros(table.num_rows, dtype=np.bool_),
    }
    return FileRows(NAME, table.num_rows, {name: source[name] for name in wanted} | unknown)
