"""The atlas ledger: what was said and thought, mirrored from the modules' databases and made again from them at will.

The Herald writes the row of a message as it is done with it. What a row says is decided in `lotus.atlas.rows`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import psycopg

from lotus.atlas.rows import LedgerRow, row_of_message, row_of_strand
from lotus.errors import LedgerError
from lotus.modules.intents import Module
from lotus_store.databases import Connection, Databases
from lotus_store.postgres.queries import message_query, query

FILE = "ledger.sql"


@dataclass(frozen=True, slots=True)
class Differences:
    """How the ledger differs from the modules' databases, by ledger_id; `waiting` messages have no row to compare."""

    missing: tuple[str, ...]
    extra: tuple[str, ...]
    changed: tuple[str, ...]
    rows: int
    waiting: int

    @property
    def equal(self) -> bool:
        """Tell whether there is none."""
        return not (self.missing or self.extra or self.changed)


def put(connection: psycopg.Connection[tuple[object, ...]], rows: Iterable[LedgerRow]) -> None:
    """Write rows in the caller's transaction; a row that is there becomes the one given."""
    with connection.cursor() as cursor:
        cursor.executemany(query("atlas", "put_ledger"), [msgspec.structs.astuple(row) for row in rows])


def moment(connection: Connection, module: Module) -> datetime:
    """Return the time of the open transaction, which is that of everything it marks as done."""
    row = connection.execute(message_query(module.value, "moment", FILE)).fetchone()
    return _time(row and row[0])


def mirrored(connection: Connection, module: Module) -> list[LedgerRow]:
    """Return the rows that a module's database gives: messages that are done, and strands."""
    rows = [
        row_of_message(module, str(event_id), str(text), int(str(attempts)), str(status), _time(done))
        for event_id, text, attempts, status, done in connection.execute(
            message_query(module.value, "done_messages", FILE)
        )
    ]
    cursor = connection.execute(message_query(module.value, "strands", FILE))
    names = [column.name for column in cursor.description or ()]
    return rows + [row_of_strand(module, dict(zip(names, strand, strict=True))) for strand in cursor]


def rebuild(databases: Databases) -> int:
    """Make the whole ledger again from the modules' databases, in one transaction; return the number of rows."""
    rows, _ = _of_all(databases)
    with databases.owner("atlas") as atlas:
        atlas.execute(query("atlas", "forget_ledger"))
        put(atlas, rows)
    return len(rows)


def differences(databases: Databases) -> Differences:
    """Compare the ledger with what the modules' databases give now."""
    rows, waiting = _of_all(databases)
    expected = {row.ledger_id: row for row in rows}
    with databases.connect("atlas") as atlas:
        found = {row.ledger_id: row for row in _rows(atlas, query("atlas", "read_ledger"))}
    return Differences(
        missing=tuple(sorted(expected.keys() - found.keys())),
        extra=tuple(sorted(found.keys() - expected.keys() - waiting)),
        changed=tuple(sorted(key for key in expected.keys() & found.keys() if expected[key] != found[key])),
        rows=len(found),
        waiting=len(waiting),
    )


def lifecycle(connection: Connection, lifecycle_id: str) -> list[LedgerRow]:
    """Return everything that belongs to one thread, oldest first."""
    return _rows(connection, query("atlas", "read_lifecycle"), [lifecycle_id])


def _rows(connection: Connection, text: bytes, values: Sequence[str] = ()) -> list[LedgerRow]:
    names = LedgerRow.__struct_fields__
    found = [dict(zip(names, row, strict=True)) for row in connection.execute(text, values)]
    return msgspec.convert(found, list[LedgerRow])


def _of_all(databases: Databases) -> tuple[list[LedgerRow], set[str]]:
    """Return the rows of every module and the names of the messages that still wait."""
    rows: list[LedgerRow] = []
    waiting: set[str] = set()
    for module in Module:
        with databases.connect(module.value) as connection:
            rows += mirrored(connection, module)
            waiting |= {
                str(row[0]) for row in connection.execute(message_query(module.value, "waiting_messages", FILE))
            }
    return rows, waiting


def _time(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise LedgerError(f"a message that is done has the time {value!r}", "a timestamp", "a row was altered by hand")
    return value
