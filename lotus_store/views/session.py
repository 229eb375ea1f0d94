"""The door for questions: `Views(settings).ask(text)` gives the rows of one SELECT over the lake and the ledgers.

Tables of the lake have their plain name (`signal_events`), those of a ledger its database in front (`sig.lessons`).
Times are UTC, and unknown is null where it is stored as NaN. Every question has a DuckDB of its own in memory, in which
only the tables that it names exist; it cannot open a file, keep anything or change a setting. Arrow reads for it, so
what a question needs is what is read.

What a person wrote belongs into a process of its own, which is bounded hard (`apart.Asker`, `lotus sql`): `seconds`
ends what DuckDB executes, not what one call of one function computes.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.fs as pafs
from psycopg import sql

from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import LakeError, QueryError
from lotus.names import name_of_step, path_step
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.manifests.model import load_manifest
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.queries import query
from lotus_store.views.bounds import Bounds
from lotus_store.views.gate import LAKE, TableName, parsed_question, tables_asked
from lotus_store.views.lake_table import LakeTable, has_parts
from lotus_store.views.ledger_table import LedgerTable
from lotus_store.views.top import top_asked

BATCH_ROWS = 10_000
LATER = {
    spec.name: {c.name: pa.from_numpy_dtype(spec.numpy_dtype(c.name)) for c in spec.columns if c.later}
    for spec in (SIGNAL_EVENTS,)
}
_CLOSED = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",
}
ALL_ROWS = 1 << 62
ASKED = "$asked"
SEMICOLON = ord(";")
LONGEST_MESSAGE = 600
DAMAGED_SCAN = "arrow_scan: get_next failed"
LOST = "one is damaged on disk, or was removed meanwhile; conditions on branch and day leave it out"
HINTS = "Candidate", "Did you mean"
_SAID: dict[type[BaseException], tuple[str, str]] = {
    duckdb.InterruptException: ("less to compute", "no condition on branch, day or symbol, or a join of everything"),
    duckdb.OutOfMemoryException: ("less at once", "no condition on branch, day or symbol, or a join of everything"),
    duckdb.ParserException: ("one SELECT of DuckDB's SQL", "a typing error"),
    duckdb.CatalogException: ("names of tables and functions that exist", "a typing error"),
    duckdb.BinderException: ("columns of the tables asked", "a wrong name; `DESCRIBE table` lists them"),
    duckdb.PermissionException: ("what only reads tables", "files and settings are closed"),
}
_ELSE = ("a question that can be computed", "a value that does not fit")

Sources = list[LakeTable | LedgerTable]


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of an answer: `order` names columns, `-` in front for the highest first; `limit` None for all."""

    order: Sequence[str] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(slots=True)
class SqlAnswer:
    """Rows of a question, batch by batch, as long as it is open; `schema` is Arrow's.

    `more` tells, once all batches were taken, whether there are rows beyond the page.
    """

    schema: Any
    _reader: Iterator[Any]
    _page: Page
    _held: ExitStack
    _sources: Sources
    more: bool = field(default=False, init=False)

    def batches(self) -> Iterator[Any]:
        """Yield Arrow record batches; raises `QueryError` for what fails on the way."""
        skip, left = self._page.offset, self._page.limit
        with self._held, _explained(self._sources):
            for batch in self._reader:
                rows = batch.slice(min(skip, len(batch)))
                skip -= len(batch) - len(rows)
                if left is not None:
                    self.more = len(rows) > left
                    rows, left = rows[:left], left - min(left, len(rows))
                if len(rows):
                    yield rows
                if self.more:
                    return

    def close(self) -> None:
        """Stop reading."""
        self._held.close()

    def table(self) -> Any:
        """Return all rows of the page as one Arrow table."""
        return pa.Table.from_batches(list(self.batches()), self.schema)


class Views(AbstractContextManager["Views"]):
    """Lake and ledgers of one home, to be asked; the ledgers' server is joined when a question names one of theirs."""

    def __init__(self, settings: Settings, bounds: Bounds | None = None, databases: Databases | None = None) -> None:
        """Open nothing yet; `databases` are those that a server holds open already."""
        self._bounds = bounds or Bounds()
        self._lake = Lake(settings.lake_root)
        self._held = ExitStack()
        self._databases = databases or self._held.enter_context(Databases(settings))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the ledgers' server go."""
        self._held.close()

    def tables(self) -> list[TableName]:
        """Return every table that can be asked: those of the lake first, each part by name."""
        filesystem, base = self._lake.place()
        entries = filesystem.get_file_info(pafs.FileSelector(base, allow_not_found=True))
        folders = sorted(name_of_step(e.base_name) for e in entries if not e.base_name.startswith("."))
        stored = [TableName("", name) for name in folders if has_parts(filesystem, f"{base}/{path_step(name)}")]
        ledgers = [TableName(name, table) for name in LOTUS_DATABASES for table in sorted(load_manifest(name).tables)]
        return [*stored, *ledgers]

    def schema(self, table: TableName) -> Any:
        """Return the columns of a table and their types: an Arrow schema."""
        return self._source(table).schema

    def ask(self, text: str, parameters: Mapping[str, Any] | None = None, page: Page | None = None) -> SqlAnswer:
        """Return the rows of one SELECT; close or exhaust the answer.

        `$name` stands for a parameter; those that the question does not name are not used.

        Raises `QueryError` for what is not allowed, cannot be computed or takes too long, `LakeError` for damage.
        """
        page = page or Page()
        sources: Sources = []
        with ExitStack() as held, _explained(sources):
            connection = held.enter_context(closing(self._opened()))
            statement = parsed_question(connection, text)
            for name in tables_asked(statement, self.tables()):
                sources.append(self._attach(connection, name))
            if len(sources) == 1 and isinstance(only := sources[0], LedgerTable):
                only.cut(top_asked(statement, only.column_of))
            connection.execute(query("views", "settings").decode())
            timer = threading.Timer(self._bounds.seconds, connection.interrupt)
            timer.daemon = True
            held.callback(timer.cancel)
            timer.start()
            names = connection.extract_statements(text)[0].named_parameters
            given = {name: value for name, value in (parameters or {}).items() if name in names}
            result = connection.execute(_ordered(text, page), given)
            reader = result.to_arrow_reader(BATCH_ROWS)
            return SqlAnswer(reader.schema, reader, page, held.pop_all(), sources)

    def _opened(self) -> Any:
        own = {"threads": self._bounds.threads, "memory_limit": f"{self._bounds.memory_mb}MB"}
        return duckdb.connect(config={**_CLOSED, **own})

    def _attach(self, connection: Any, name: TableName) -> LakeTable | LedgerTable:
        """Make a table known under its name to one question, and return it."""
        source = self._source(name)
        source_name = f"all of {name}"
        schema, rows = sql.Identifier(name.schema or LAKE), _text("stored_rows", source=sql.Identifier(source_name))
        if replaced := [*_zeros(name), *_unknown(name, source)]:
            parts = {"columns": sql.SQL(", ").join(replaced), "source": sql.Identifier(source_name)}
            rows = _text("rows_with", **parts)
        connection.register(source_name, source)
        connection.execute(_text("schema", schema=schema).as_string())
        connection.execute(_text("view", schema=schema, table=sql.Identifier(name.table), rows=rows).as_string())
        return source

    def _source(self, name: TableName) -> LakeTable | LedgerTable:
        bounds = self._bounds
        if name.schema:
            manifest = load_manifest(name.schema).tables[name.table]
            return LedgerTable(
                lambda: self._databases.reader(name.schema), name.table, manifest, bounds.ledger_rows, bounds.seconds
            )
        filesystem, base = self._lake.place()
        return LakeTable(filesystem, f"{base}/{path_step(name.table)}", _later(name))


def _later(name: TableName) -> dict[str, Any]:
    """Return the columns of a table that are not stored on days on which they are zero, with their Arrow types."""
    return {} if name.schema else LATER.get(name.table, {})


def _zeros(name: TableName) -> list[sql.Composed]:
    return [_text("zero_if_not_stored", column=sql.Identifier(column)) for column in _later(name)]


def _unknown(name: TableName, source: LakeTable | LedgerTable) -> list[sql.Composed]:
    """Return what makes null of NaN, which is how unknown is stored: averages and comparisons leave it out then."""
    measured = [f.name for f in source.schema if pa.types.is_floating(f.type) and f.name not in _later(name)]
    return [_text("null_if_unknown", column=sql.Identifier(column)) for column in measured]


def _ordered(text: str, page: Page) -> str:
    """Return the question with the order and the length of a page, which DuckDB then need not sort whole."""
    if not page.order:
        return text
    order = sql.SQL(", ").join(
        _text("falling" if c.startswith("-") else "rising", column=sql.Identifier(c.removeprefix("-")))
        for c in page.order
    )
    limit = sql.Literal(ALL_ROWS if page.limit is None else page.limit + page.offset + 1)
    return _text("ordered", order=order, limit=limit).as_string().replace(ASKED, _without_end(text), 1)


def _without_end(text: str) -> str:
    """Return a statement up to the semicolon that ends it."""
    written = text.encode()
    ends = [at for at, kind in duckdb.tokenize(text) if kind == duckdb.token_type.operator and written[at] == SEMICOLON]
    return written[: ends[-1]].decode() if ends else text


@contextmanager
def _explained(sources: Sources) -> Iterator[None]:
    """Turn what DuckDB refuses into a `QueryError`; why the scan of a ledger ended says that scan."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as problem:
        if failures := [s.failure for s in sources if isinstance(s, LedgerTable) and s.failure is not None]:
            raise failures[0] from problem
        first, *others = str(problem).split("\n")
        found = " ".join([first, *(line.strip() for line in others if line.startswith(HINTS))])
        if isinstance(problem, duckdb.InterruptException):
            found = "the question takes longer than it may"
        if DAMAGED_SCAN in found:
            raise LakeError(
                f"a part of the lake cannot be read: {found[:LONGEST_MESSAGE]}", "whole Parquet files", LOST
            ) from problem
        expected, cause = next((words for kind, words in _SAID.items() if isinstance(problem, kind)), _ELSE)
        raise QueryError(found[:LONGEST_MESSAGE], expected, cause) from problem


def _text(name: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(query("views", name).decode()).format(**parts)
