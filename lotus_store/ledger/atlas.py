"""The atlas ledger: messages and strands, mirrored from the modules' databases and made again from them at will.

The Herald writes the row of a message as it is done with it, and looks every moment for strands that changed. What a
row holds is decided in `lotus.atlas.rows`; the numbers of modules are copied here, and a row takes up those of its day
as it is written or as they come, whichever is later. (Literature: incremental view maintenance.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from lotus.atlas.numbers import Key, LedgerNumbers, ModuleNumbers, for_ledger, key_of
from lotus.atlas.rows import LedgerRow, branches_of, numbers_key, row_of_message, row_of_strand, with_numbers
from lotus.errors import LedgerError
from lotus.modules.intents import Module
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.bodies import to_body
from lotus_store.ledger.module_numbers import read_numbers
from lotus_store.postgres.queries import message_query, query

FILE = "ledger.sql"
NUMBERS = LedgerNumbers.__struct_fields__
AT_ONCE = 1_000  # rows of one statement


@dataclass(frozen=True, slots=True)
class Differences:
    """How the ledger differs from the modules' databases, by ledger_id; `waiting` messages have no row to compare.

    `numbers` are those of modules (branch, day, module) whose copy is not what the module's database has.
    """

    missing: tuple[str, ...]
    extra: tuple[str, ...]
    changed: tuple[str, ...]
    numbers: tuple[str, ...]
    rows: int
    waiting: int

    @property
    def equal(self) -> bool:
        """Tell whether there is none."""
        return not (self.missing or self.extra or self.changed or self.numbers)


def put(connection: Connection, rows: Iterable[LedgerRow]) -> None:
    """Write rows in the caller's transaction; a row that is there becomes the one given, of two alike the last counts.

    They carry the numbers that the atlas has of their module and day, whatever numbers they have themselves.
    """
    members = {row.ledger_id: msgspec.structs.asdict(row) | {"numbers_day": numbers_key(row)[1]} for row in rows}
    connection.execute(query("atlas", "lock_numbers_shared"))
    values = list(members.values())
    for first in range(0, len(values), AT_ONCE):
        part = msgspec.json.encode(values[first : first + AT_ONCE])
        connection.execute(query("atlas", "put_ledger"), [part.decode()])


def take_numbers(atlas: Connection, rows: Iterable[ModuleNumbers]) -> int:
    """Copy numbers of modules, and let the rows of the days after carry them; return how many were new or others."""
    taken = 0
    with atlas.transaction():
        atlas.execute(query("atlas", "lock_numbers"))
        for row in rows:
            if _put_numbers(atlas, row):
                first = datetime.fromisoformat(row.day).replace(tzinfo=UTC) + timedelta(days=1)
                names = dict(zip(("branch", "day", "module"), key_of(row), strict=True))
                atlas.execute(
                    query("atlas", "carry_numbers"), names | {"first": first, "end": first + timedelta(days=1)}
                )
                taken += 1
    return taken


def mirror_strands(source: Connection, atlas: Connection, module: Module, since: datetime) -> datetime:
    """Write the rows of a module's strands that changed at `since` or later; return the latest change seen."""
    cursor = source.execute(message_query(module.value, "strands_since", FILE), [since])
    names = [column.name for column in cursor.description or ()]
    strands = [dict(zip(names, strand, strict=True)) for strand in cursor]
    if not strands:
        return since
    threads = sorted({str(strand["lifecycle_id"]) for strand in strands})
    with atlas.transaction():
        branches = {
            str(thread): str(branch) for thread, branch in atlas.execute(query("atlas", "thread_branches"), [threads])
        }
        put(atlas, [row_of_strand(module, strand, branches) for strand in strands])
    return max(_time(strand["updated_at"]) for strand in strands)


def moment(connection: Connection, module: Module) -> datetime:
    """Return the time of the open transaction, which is that of everything it marks as done."""
    row = connection.execute(message_query(module.value, "moment", FILE)).fetchone()
    return _time(row and row[0])


def rebuild(databases: Databases) -> int:
    """Make the whole ledger again from the modules' databases, in one transaction; return the number of rows.

    Heralds wait meanwhile with what they are done with.
    """
    with databases.owner("atlas") as atlas:
        atlas.execute(query("atlas", "lock_numbers"))
        mirrored = _mirrored(databases)
        atlas.execute(query("atlas", "forget_ledger"))
        atlas.execute(query("atlas", "forget_numbers"))
        for row in mirrored.numbers:
            _put_numbers(atlas, row)
        put(atlas, mirrored.rows)
    return len(mirrored.rows)


def differences(databases: Databases) -> Differences:
    """Compare the ledger with what the modules' databases give now."""
    mirrored = _mirrored(databases)
    numbers = {key_of(row): for_ledger(row) for row in mirrored.numbers}
    expected = {row.ledger_id: with_numbers(row, numbers) for row in mirrored.rows}
    with databases.connect("atlas") as atlas:
        stored = {row.ledger_id: row for row in _rows(atlas, query("atlas", "read_ledger"))}
        copied = _copied(atlas)
    others = sorted(key for key in numbers.keys() | copied.keys() if numbers.get(key) != copied.get(key))
    return Differences(
        missing=tuple(sorted(expected.keys() - stored.keys())),
        extra=tuple(sorted(stored.keys() - expected.keys() - mirrored.waiting)),
        changed=tuple(sorted(key for key in expected.keys() & stored.keys() if expected[key] != stored[key])),
        numbers=tuple(" ".join(key) for key in others),
        rows=len(stored),
        waiting=len(mirrored.waiting),
    )


def lifecycle(connection: Connection, lifecycle_id: str) -> list[LedgerRow]:
    """Return everything that belongs to one thread, oldest first."""
    return _rows(connection, query("atlas", "read_lifecycle"), [lifecycle_id])


def _rows(connection: Connection, text: bytes, values: Sequence[str] = ()) -> list[LedgerRow]:
    names = LedgerRow.__struct_fields__
    records = [dict(zip(names, row, strict=True)) for row in connection.execute(text, values)]
    return msgspec.convert(records, list[LedgerRow])


@dataclass(frozen=True, slots=True)
class _Mirrored:
    """What the modules' databases give: rows, names of messages that still wait, numbers of modules."""

    rows: list[LedgerRow]
    waiting: set[str]
    numbers: list[ModuleNumbers]


def _mirrored(databases: Databases) -> _Mirrored:
    messages: list[LedgerRow] = []
    strands: list[tuple[Module, dict[str, Any]]] = []
    waiting: set[str] = set()
    for module in Module:
        with databases.connect(module.value) as connection:
            messages += _messages(connection, module)
            cursor = connection.execute(message_query(module.value, "strands", FILE))
            names = [column.name for column in cursor.description or ()]
            strands += [(module, dict(zip(names, strand, strict=True))) for strand in cursor]
            waiting |= {
                str(row[0]) for row in connection.execute(message_query(module.value, "waiting_messages", FILE))
            }
    with databases.connect("atlas") as connection:
        of_strands = connection.execute(query("atlas", "strand_branches")).fetchall()
    threads = {row.lifecycle_id for row in messages}
    branches = {str(thread): str(branch) for thread, branch in of_strands if thread not in threads}
    branches |= branches_of(messages)
    rows = messages + [row_of_strand(module, strand, branches) for module, strand in strands]
    with databases.connect("sig") as connection:
        return _Mirrored(rows, waiting, read_numbers(connection))


def _messages(connection: Connection, module: Module) -> list[LedgerRow]:
    """Return the rows of the messages that are done in a module's database."""
    done = connection.execute(message_query(module.value, "done_messages", FILE))
    return [
        row_of_message(module, str(event_id), str(text), int(str(attempts)), str(status), _time(moment))
        for event_id, text, attempts, status, moment in done
    ]


def _put_numbers(atlas: Connection, row: ModuleNumbers) -> bool:
    """Copy the numbers of one module and day; return whether they are new or others than before."""
    members = for_ledger(row)
    bodies = [None if body is None else to_body(body) for body in (members.observer_effects, members.entanglement_data)]
    values = [*key_of(row), members.resonance_frequency, *bodies]
    return atlas.execute(query("atlas", "put_numbers"), values).rowcount > 0


def _copied(atlas: Connection) -> dict[Key, LedgerNumbers]:
    rows = atlas.execute(query("atlas", "read_numbers"))
    return {
        (str(branch), str(day), str(module)): msgspec.convert(dict(zip(NUMBERS, numbers, strict=True)), LedgerNumbers)
        for branch, day, module, *numbers in rows
    }


def _time(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise LedgerError(f"a message that is done has the time {value!r}", "a timestamp", "a row was altered by hand")
    return value
