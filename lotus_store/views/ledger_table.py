"""A table or view of a ledger as DuckDB scans it: only the columns and rows that a question needs, batch by batch.

Statements for PostgreSQL are put together here from names of the manifests and plain values; nothing that a person
wrote reaches it. A transaction may read only, ends after `seconds`, and hands over at most `rows` rows. Where few
different rows are expected of many, each is handed over once with its number and repeated here, which is the same rows:
counts over a large table are PostgreSQL's work then. (Literature: foreign data wrapper, predicate pushdown, partial
aggregation.)
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.dataset as ds
from psycopg import sql

from lotus.errors import LotusError, QueryError
from lotus_store.databases import Connection
from lotus_store.manifests.model import ManifestTable
from lotus_store.postgres.queries import query
from lotus_store.views.pushdown import ColumnCondition, conditions
from lotus_store.views.top import Ordered, Top

BATCH_ROWS = 8192
REPEATED = 1 << 17  # rows of a batch of which all are one
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
    "tsvector": ("as_text", pa.string(), pa.string()),
    "text[]": ("as_json", pa.string(), pa.string()),
}
_COMPARED: dict[str, tuple[type, ...]] = {
    "text": (str, tuple),
    "bigint": (int,),
    "integer": (int,),
    "smallint": (int,),
}
_ORDERED = {**dict.fromkeys(("bigint", "integer", "smallint", "boolean"), "ordered_as_it_is"),
            "timestamp with time zone": "ordered_as_it_is", "text": "ordered_as_bytes"}  # fmt: skip
_WAYS = {(False, False): "ASC NULLS LAST", (False, True): "ASC NULLS FIRST",
         (True, False): "DESC NULLS LAST", (True, True): "DESC NULLS FIRST"}  # fmt: skip
_GROUPED = frozenset({"text", "bigint", "integer", "smallint", "boolean"})
MANY_ROWS, FEWER = 50_000, 20  # from so many rows on, where so many times fewer differ
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
        self._top: Top | None = None
        self.failure: LotusError | None = None

    def column_of(self, name: str) -> str:
        """Return the stored name of a column, as a question writes it; "" for none."""
        return next((column for column in self._table.columns if column.lower() == name.lower()), "")

    def cut(self, top: Top | None) -> None:
        """Hand over no more than the first rows of an order, if all of it means the same in PostgreSQL."""
        if top is None or top.rows > self._rows:
            return
        met = all(self._is_compared(c) for c in top.conditions)
        if met and all(self._table.columns[one.column].type in _ORDERED for one in top.order):
            self._top = top

    @property
    def schema(self) -> Any:
        """Columns and types: an Arrow schema."""
        return pa.schema([(name, _TYPES[column.type][2]) for name, column in self._table.columns.items()])

    def scanner(self, columns: Any = None, filter: Any = None, **_: Any) -> Any:
        """Return Arrow's scanner of some columns of the rows that a filter takes."""
        names = list(self._table.columns) if columns is None else list(columns)
        schema = pa.schema([self.schema.field(name) for name in names])
        if self._top is not None:
            batches = self._batches(schema, self._statement(names, list(self._top.conditions)))
        else:
            wanted = [] if filter is None else conditions(str(filter))
            batches = self._batches(schema, self._statement(names, wanted), self._counted(names, wanted))
        return ds.Scanner.from_batches(batches, schema=schema, columns=names, filter=filter)

    def _statement(self, names: list[str], wanted: list[ColumnCondition]) -> sql.Composed:
        parts = self._parts(names, wanted) | {"limit": sql.Literal(self._rows + 1)}
        if self._top is None:
            return _text("scan", **parts)
        order = [self._order(one) for one in self._top.order] or [_text("any_order")]
        return _text("top", **parts | {"order": sql.SQL(", ").join(order), "limit": sql.Literal(self._top.rows)})

    def _counted(self, names: list[str], wanted: list[ColumnCondition]) -> sql.Composed | None:
        """Return the statement for each different row with its number; None where none of it can be grouped."""
        if any(self._table.columns[name].type not in _GROUPED for name in names):
            return None
        return _text("counted", **self._parts(names, wanted), limit=sql.Literal(self._rows + 1))

    def _parts(self, names: list[str], wanted: list[ColumnCondition]) -> dict[str, sql.Composable]:
        columns = [_text(_TYPES[self._table.columns[name].type][0], column=sql.Identifier(name)) for name in names]
        met = [self._condition(c) for c in wanted if self._is_compared(c)]
        both = functools.reduce(lambda one, other: _text("both", one=one, other=other), met, _text("every_row"))
        return {
            "columns": sql.SQL(", ").join(columns), "table": sql.Identifier(self._name), "conditions": both,
        }  # fmt: skip

    def _order(self, one: Ordered) -> sql.Composed:
        way = sql.SQL(_WAYS[one.is_descending, one.is_null_first])
        return _text(_ORDERED[self._table.columns[one.column].type], column=sql.Identifier(one.column), way=way)

    def _is_compared(self, condition: ColumnCondition) -> bool:
        return isinstance(condition.value, self._compared(condition.column))

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

    def _batches(self, schema: Any, statement: sql.Composed, counted: sql.Composed | None = None) -> Iterator[Any]:
        """Yield the rows as Arrow batches; raises `QueryError` for what PostgreSQL refuses, and for too many rows."""
        try:
            with self._opened() as connection:
                if counted is not None and _pays(connection, counted):
                    for rows in self._fetched(connection, counted):
                        yield from _repeated(self._batch(schema, [row[:-1] for row in rows]), [row[-1] for row in rows])
                    return
                for rows in self._fetched(connection, statement):
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

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        with self._connect() as connection:
            connection.execute(_text("read_only", timeout_ms=sql.Literal(max(1, int(self._seconds * 1000)))))
            yield connection

    def _fetched(self, connection: Connection, statement: sql.Composed) -> Iterator[list[tuple[Any, ...]]]:
        taken = 0
        with connection.cursor("views", binary=True) as cursor:
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


def _pays(connection: Connection, counted: sql.Composed) -> bool:
    """Tell whether PostgreSQL expects many rows of which few differ."""
    row = connection.execute(_text("explained", statement=counted)).fetchone()
    plan: Any = row[0][0]["Plan"] if row else {}
    groups, largest, waiting = plan.get("Plan Rows", 0), 0, [plan]
    while waiting:
        part = waiting.pop()
        waiting += part.get("Plans", ())
        largest = max(largest, part.get("Plan Rows", 0))
    return bool(largest >= MANY_ROWS and groups * FEWER <= largest)


def _repeated(batch: Any, times: list[int]) -> Iterator[Any]:
    """Yield each row of a batch as often as it was counted, in batches of bounded length."""
    for row, many in enumerate(times):
        one, left = batch.slice(row, 1), many
        if many > REPEATED:
            whole = one.take(np.zeros(REPEATED, np.int64))
            while left > REPEATED:
                yield whole
                left -= REPEATED
        yield one.take(np.zeros(left, np.int64))


def _text(name: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(query("views", name).decode()).format(**parts)
