"""What differs between manifests, messages, handlers and live databases: one line for each difference.

Comparing only; nothing is changed and nothing is raised for a difference. (Literature: schema drift detection.)
"""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg import sql

from lotus.modules.intents import Intent, Module
from lotus.modules.messages.catalogue import received_by
from lotus_store.databases import Connection, Databases
from lotus_store.manifests.model import ManifestTable, ModuleManifest, load_manifest
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.queries import query

UNIT_OF_NAME = {"_ms": "ms", "_ns": "ns", "_s": "s", "_bps": "bps"}
ENVELOPE = ("id", "lifecycle_id", "parent_id", "module", "kind", "symbol", "timeframe", "session_bucket", "regime")
STAMPS = ("created_at", "updated_at")
NOT_YET = {Module.SIG: {Intent.ALPHA_HINT}}  # charts speak to the detectors too, and none reads them yet

Handlers = Mapping[Module, Mapping[Intent, str]]


def differences(handlers: Handlers, databases: Databases | None = None) -> list[str]:
    """Return every difference, one line each; without databases only files and code are compared.

    `handlers` are the names of the functions that handle each intent, by module.
    """
    lines = [line for name in LOTUS_DATABASES for line in columns_wrong(load_manifest(name))]
    lines += handlers_wrong(handlers)
    for name in LOTUS_DATABASES if databases is not None else ():
        assert databases is not None
        with databases.connect(name) as connection:
            lines += live_wrong(connection, load_manifest(name))
    return lines


def columns_wrong(manifest: ModuleManifest) -> Iterator[str]:
    """Yield what the manifest leaves open or declares twice: units, ranges, keys, primary keys."""
    keys: dict[str, str] = {}
    for name, table in manifest.tables.items():
        for column, note in table.columns.items():
            place = f"{manifest.module}: {name}.{column}"
            unit = next((u for end, u in UNIT_OF_NAME.items() if column.endswith(end)), "")
            if (note.type == "double precision" and not note.unit) or not note.unit.startswith(unit):
                yield f"{place} has the unit {note.unit!r}; expected {unit or 'one'!r}"
            if note.range and not note.range[0] < note.range[1]:
                yield f"{place} has the range {note.range}; expected low < high"
            if note.key and keys.setdefault(note.key, place) != place:
                yield f"{place} has the key {note.key!r} of {keys[note.key]}"
            own = name == f"{manifest.module}_strand" and column not in ENVELOPE + STAMPS
            if own and not note.key.startswith(f"{manifest.module}."):
                yield f"{place} has the key {note.key!r}; expected {manifest.module}.<name>"
        missing = [c for c in (*table.pk, table.partition_by) if c and c not in table.columns]
        if missing or (table.kind == "table" and not table.pk):
            yield f"{manifest.module}: {name} has the primary key {table.pk}; expected columns of it"


def handlers_wrong(handlers: Handlers) -> Iterator[str]:
    """Yield the handlers of messages that nobody sends to their module, and the messages that a module leaves lying."""
    for module, own in handlers.items():
        received = {kind.contract.intent for kind in received_by(module).values() if not kind.contract.planned}
        yield from (f"{module}: {own[i]} handles {i}, which nobody sends to it" for i in sorted(set(own) - received))
        missing = received - set(own) - NOT_YET.get(module, set()) if own else set()
        yield from (f"{module}: {i} is sent to it, and no handler takes it" for i in sorted(missing))


def live_wrong(connection: Connection, manifest: ModuleManifest, ranges: bool = True) -> Iterator[str]:
    """Yield what a live database has and the manifest has not: tables, columns, types, null rules, keys.

    With `ranges` every row is read too, for values beyond what their columns declare.
    """
    live: dict[str, dict[str, tuple[str, bool]]] = {}
    for table, column, kind, required, view in connection.execute(query("common", "live_columns")).fetchall():
        live.setdefault(str(table), {})[str(column)] = (str(kind), not required or bool(view))
    keys: list[tuple[Any, ...]] = connection.execute(query("common", "live_primary_keys")).fetchall()
    pks = {table: tuple(columns) for table, columns in keys}
    for name in sorted(set(live) | set(manifest.tables)):
        place, note = f"{manifest.module}: {name}", manifest.tables.get(name)
        if note is None or name not in live:
            yield f"{place} is {'in the database only' if note is None else 'missing in the database'}"
            continue
        declared = {column: (c.type, c.nullable) for column, c in note.columns.items()}
        for column in dict.fromkeys([*declared, *live[name]]):
            if declared.get(column) != live[name].get(column):
                yield f"{place}.{column} is {live[name].get(column)}; the manifest says {declared.get(column)}"
        if list(declared) != list(live[name]) and set(declared) == set(live[name]):
            yield f"{place} has its columns in another order than the manifest"
        if pks.get(name, ()) != note.pk:
            yield f"{place} has the primary key {pks.get(name, ())}; the manifest says {note.pk}"
        if ranges and set(declared) <= set(live[name]):
            yield from _out_of_range(connection, name, note, place)


def _out_of_range(connection: Connection, name: str, table: ManifestTable, place: str) -> Iterator[str]:
    """Yield the columns of a table that hold values beyond their declared range (NaN only where it means unknown)."""
    bounded = {c: note for c, note in table.columns.items() if note.range} if table.kind == "table" else {}
    if not bounded:
        return
    counts = [
        sql.SQL("count(*) FILTER (WHERE NOT ({} BETWEEN {} AND {}) AND {}::text <> {})").format(
            sql.Identifier(c), low, high, sql.Identifier(c), sql.Literal(note.unknown)
        )
        for c, note in bounded.items()
        for low, high in [note.range or (0.0, 0.0)]
    ]
    try:
        row = connection.execute(sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(counts), sql.Identifier(name)))
        wrong = [int(str(n)) for n in row.fetchone() or ()]
    except psycopg.errors.UndefinedFunction as problem:
        yield f"{place} has a range on a column that is no number: {problem}"
        return
    for (column, note), n in zip(bounded.items(), wrong, strict=True):
        if n:
            yield f"{place}.{column} has {n} values beyond {note.range}"
