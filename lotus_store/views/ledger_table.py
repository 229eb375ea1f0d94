"""A table or view of a ledger as DuckDB scans it: only the columns and rows that a question needs, batch by batch.

Statements for PostgreSQL are put together here from names of the manifests and plain values; nothing that a person
wrote reaches it. A transaction may read only, ends after `seconds`, and hands over at most `rows` rows.
(Literature: foreign data wrapper, predicate pushdown.)
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.dataset as ds
from psycopg import sql

from lotus.errors import LotusError, QueryError
from lotus_store.databases import Connection
from lotus_store.manifests.model import ManifestTable
from lotus_store.postgres.queries import query
from lotus_store.views.pushdown import ColumnCondition, conditions

BATCH_ROWS = 8192
_TYPES = {  # of PostgreSQL: how a column is asked for, what Arrow receives, what the question sees
    "text": ("as_it_is", pa.string(), pa.string()),
    "bigint": ("as_it_is", pa.int64(), pa.int64()),
    "integer": ("as_it_is", pa.int32(), pa.int32()),
    "smallint": ("as_it_is", pa.int16(), pa.int16()),
    "boolean": ("as_it_is", pa.bool_(), pa.bool_()),
    "double precision": ("as_it_is", pa.float64(), pa.float64()),
    "numeric": ("as_float", pa.float64(), pa.float64()),
    "timestamp with time zone": ("as_microseconds", pa.int64(), pa.timestamp("us", tz="UTC")),
    "jsonb": ("as_text", pa.string(), pa.string()),
    "text[]": ("as_json", pa.string(), pa.string()),
    "tsvector": ("as_text", pa.string(), pa.string()),
}
_COMPARED: dict[str, tuple[type, ...]] = {
    "text": (str, tuple),
    "bigint": (int,),
    "integer": (int,),
    "smallint": (int,),
}
_SQL = {"==": "=", ">=": ">=", "<=": "<=", ">": ">", "<": "<"}


class LedgerTable(ds.Dataset):  # type: ignore[misc]  # pyarrow has no types
    """The rows of one table or view, read when they are scanned.

    `failure` is why a scan ended, for Arrow hands on only some of its words.
    """

    def __init__(
        self, connect: Callable[[], Connection], name: str, table: ManifestTable, rows: int, seconds: float
    ) -> None:
        """Take how to connect, the table's name and manifest, and its bounds; nothing is read yet."""
        self._connect, self._name, self._table, self._rows, self._seconds = connect, name, table, rows, seconds
        self.failure: LotusError | None = None

    @property
    def schema(self) -> Any:
        """Columns and types: an Arrow schema."""
        return pa.schema([(name, _TYPES[column.type][2]) for name, column in self._table.columns.items()])

    def scanner(self, columns: Any = None, filter: Any = None, **_: Any) -> Any:
        """Return Arrow's scanner of some columns of the rows that a filter takes."""
        names = list(self._table.columns) if columns is None else list(columns)
        schema = pa.schema([self.schema.field(name) for name in names])
        wanted = [] if filter is None else conditions(str(filter))
        batches = self._batches(schema, self._statement(names, wanted))
        return ds.Scanner.from_batches(batches, schema=schema, columns=names, filter=filter)

    def _statement(self, names: list[str], wanted: list[ColumnCondition]) -> sql.Composed:
        columns = [_text(_TYPES[self._table.columns[name].type][0], column=sql.Identifier(name)) for name in names]
        met = [self._condition(c) for c in wanted if isinstance(c.value, self._compared(c.column))]
        both = functools.reduce(lambda one, other: _text("both", one=one, other=other), met, _text("every_row"))
        return _text(
            "scan", columns=sql.SQL(", ").join(columns), table=sql.Identifier(self._name), conditions=both,
            limit=sql.Literal(self._rows + 1),
        )  # fmt: skip

    def _compared(self, column: str) -> tuple[type, ...]:
        """Return the types of the values that PostgreSQL compares with a column as DuckDB does; none for others."""
        return _COMPARED.get(self._table.columns[column].type, ()) if column in self._table.columns else ()

    def _condition(self, condition: ColumnCondition) -> sql.Composed:
        column = sql.Identifier(condition.column)
        if isinstance(condition.value, tuple):
            return _text("one_of", column=column, values=sql.SQL(", ").join(map(sql.Literal, condition.value)))
        is_text = isinstance(condition.value, str) and condition.comparison != "=="
        return _text(
            "compared_as_bytes" if is_text else "compared", column=column,
            comparison=sql.SQL(_SQL[condition.comparison]), value=sql.Literal(condition.value),
        )  # fmt: skip

    def _batches(self, schema: Any, statement: sql.Composed) -> Iterator[Any]:
        """Yield the rows as Arrow batches; raises `QueryError` for what PostgreSQL refuses, and for too many rows."""
        try:
            for rows in self._fetched(statement):
                yield self._batch(schema, rows)
        except psycopg.Error as problem:
            reason = str(problem).split("\n")[0]
            cause = "the question takes too long, or the ledger has another schema (lotus db check)"
            found = f"{self._name} cannot be read: {reason}"
            self.failure = QueryError(found, "an answer of PostgreSQL", cause)
            raise self.failure from problem
        except LotusError as problem:
            self.failure = problem
            raise

    def _fetched(self, statement: sql.Composed) -> Iterator[list[tuple[Any, ...]]]:
        taken = 0
        with self._connect() as connection, connection.cursor("views", binary=True) as cursor:
            connection.execute(_text("read_only", timeout_ms=sql.Literal(max(1, int(self._seconds * 1000)))))
            cursor.execute(statement)
            while rows := cursor.fetchmany(BATCH_ROWS):
                taken += len(rows)
                if taken > self._rows:
                    found = f"{self._name} has more than {self._rows:,} rows that the question reads"
                    raise QueryError(found, "fewer", "no condition on branch, day or time")
                yield rows

    def _batch(self, schema: Any, rows: list[tuple[Any, ...]]) -> Any:
        arrays = []
        for field, values in zip(schema, zip(*rows, strict=True), strict=True):
            _, received, seen = _TYPES[self._table.columns[field.name].type]
            arrays.append(pa.array(values, received).cast(seen))
        return pa.record_batch(arrays, schema=schema)


def _text(name: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(query("views", name).decode()).format(**parts)
