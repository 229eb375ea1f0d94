"""What differs between manifests, the map of models, the code and live databases: one line for each difference.

Comparing only; nothing is changed and nothing is raised for a difference. (Literature: schema drift detection.)
"""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import yaml
from psycopg import sql

from lotus.modules import payloads
from lotus.modules.intents import Intent, Module
from lotus.modules.payloads import Payload
from lotus_store.databases import Connection, Databases
from lotus_store.manifests.model import ManifestTable, ModuleManifest, load_manifest, load_payloads
from lotus_store.manifests.payload_types import form_of, payload_type
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.queries import SQL_ROOT, query

UNIT_OF_NAME = {"_ms": "ms", "_ns": "ns", "_s": "s", "_bps": "bps"}
ENVELOPE = ("id", "lifecycle_id", "parent_id", "module", "kind", "symbol", "timeframe", "session_bucket", "regime")
STAMPS = ("created_at", "updated_at")

Handlers = Mapping[Module, Mapping[Intent, str]]


def differences(handlers: Handlers, databases: Databases | None = None) -> list[str]:
    """Return every difference, one line each; without databases only files and code are compared.

    `handlers` are the names of the functions that handle each intent, by module.
    """
    found = [line for name in LOTUS_DATABASES for line in columns_wrong(load_manifest(name))]
    found += [*events_wrong(handlers), *payloads_wrong()]
    for name in LOTUS_DATABASES if databases is not None else ():
        assert databases is not None
        with databases.connect(name) as connection:
            found += live_wrong(connection, load_manifest(name))
    return found


def columns_wrong(manifest: ModuleManifest) -> Iterator[str]:
    """Yield what the manifest leaves open or says twice: units, ranges, keys, primary keys."""
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


def events_wrong(handlers: Handlers) -> Iterator[str]:
    """Yield what map, manifests and handlers say differently about who sends what to whom."""
    routes = yaml.safe_load((SQL_ROOT / "models.map.yaml").read_text(encoding="utf-8"))["routes"]
    manifests = {m: load_manifest(m.value) for m in Module}
    sent = {(e.intent, e.schema_ref): m for m, x in manifests.items() for e in x.events.outbound}
    for module, manifest in manifests.items():
        said = {e.intent for e in manifest.events.outbound}
        heard = {e.intent for e in manifest.events.inbound}
        for name, words, way in (("from", said, "says"), ("to", heard, "hears")):
            allowed = {Intent(i) for i, route in routes.items() if module.value in route[name]}
            yield from (f"{module}: the manifest {way} {i}, the map does not" for i in sorted(words - allowed))
            yield from (f"{module}: the map {way} {i}, the manifest does not" for i in sorted(allowed - words))
        for event in manifest.events.inbound:
            if (event.intent, event.schema_ref) not in sent:
                yield f"{module}: hears {event.schema_ref} as {event.intent}, which no manifest sends"
        told = {(e.intent, e.handler) for e in manifest.events.inbound if e.handler}
        code = set(handlers.get(module, {}).items())
        yield from (f"{module}: the manifest names the handler {h} of {i}, the code does not" for i, h in told - code)
        yield from (f"{module}: the code has the handler {h} of {i}, the manifest does not" for i, h in code - told)


def payloads_wrong() -> Iterator[str]:
    """Yield payload specs that are missing, unused, or not the form of the structure of the same name in the code."""
    specs = load_payloads()
    used = {e.payload for m in Module for e in load_manifest(m.value).events.outbound}
    yield from (f"the payload {name} has no spec in common/payloads.yaml" for name in sorted(used - set(specs)))
    yield from (f"the payload {name} is sent by nobody" for name in sorted(set(specs) - used))
    for kind in Payload.__subclasses__():
        if kind.__module__ != payloads.__name__:
            continue
        spec = specs.get(kind.__name__)
        if spec is None:
            yield f"the code has the payload {kind.__name__}, common/payloads.yaml does not"
        elif form_of(payload_type(kind.__name__, spec)) != form_of(kind):
            yield f"the payload {kind.__name__} has another form in common/payloads.yaml than in the code"


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
        told = {column: (c.type, c.nullable) for column, c in note.columns.items()}
        for column in dict.fromkeys([*told, *live[name]]):
            if told.get(column) != live[name].get(column):
                yield f"{place}.{column} is {live[name].get(column)}; the manifest says {told.get(column)}"
        if list(told) != list(live[name]) and set(told) == set(live[name]):
            yield f"{place} has its columns in another order than the manifest"
        if pks.get(name, ()) != note.pk:
            yield f"{place} has the primary key {pks.get(name, ())}; the manifest says {note.pk}"
        if ranges and set(told) <= set(live[name]):
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
