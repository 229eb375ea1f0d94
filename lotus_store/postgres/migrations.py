"""Migrations: numbered files per database, applied once, in order, each in one transaction under an advisory lock.

`sql/<database>/schema.sql` is the truth; `check` proves that a migrated database equals it. The table `lotus_schema`
says which Lotus database this is and which files it has had. (Literature: evolutionary database design.)
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from lotus.errors import LedgerError
from lotus_store.postgres.queries import SQL_ROOT, query

LOTUS_DATABASES = ("sig", "dm", "tr", "vis", "atlas")
LOCK_KEY = 0x107105  # advisory lock of one migration at a time
SCRATCH = "lotus_check"


class Opener(Protocol):
    """Something that connects to a database by name."""

    def connect(self, name: str, autocommit: bool = False) -> psycopg.Connection[tuple[object, ...]]:
        """Return a new connection."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file and the hash of its text."""

    version: int
    path: Path
    sha256: str


def migrations_of(database: str) -> list[Migration]:
    """Return the migrations of a database in order; raises `LedgerError` when the numbers have a hole."""
    found = []
    for path in sorted((SQL_ROOT / database / "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql")):
        found.append(Migration(int(path.name[:4]), path, hashlib.sha256(path.read_bytes()).hexdigest()))
    if [m.version for m in found] != list(range(1, len(found) + 1)):
        raise LedgerError(f"migrations of {database} are {[m.version for m in found]}", "1, 2, 3, ... without a hole")
    return found


def migrate(databases: Opener) -> dict[str, int]:
    """Bring every Lotus database to the newest version; return the versions. Safe to run again and concurrently.

    Raises `LedgerError` for a database that is another one, foreign, altered or newer than this program.
    """
    return {name: _migrate_one(databases, name) for name in LOTUS_DATABASES}


def check(databases: Opener) -> dict[str, int]:
    """Verify that every Lotus database is the expected one, up to date, and equal to `schema.sql`; return the versions.

    Raises `LedgerError` naming the database and the first differences.
    """
    versions = {}
    for name in LOTUS_DATABASES:
        with databases.connect(name) as connection:
            applied = _applied(connection, name)
            newest = len(migrations_of(name))
            if len(applied) != newest:
                raise LedgerError(f"database {name} has version {len(applied)}", f"{newest}", "run `lotus db migrate`")
            _compare(connection, name)
            versions[name] = newest
    return versions


def catalogue(connection: psycopg.Connection[tuple[object, ...]], schema: str = "public") -> set[str]:
    """Return one line for each column, constraint, index, view, function and trigger of a schema."""
    connection.execute("SELECT set_config('search_path', %s, true)", [schema])
    rows = connection.execute(query("common", "catalogue"), {"schema": schema}).fetchall()
    return {str(row[0]).replace(f"{schema}.", "") for row in rows}


def _migrate_one(databases: Opener, name: str) -> int:
    with databases.connect(name) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        applied = _applied(connection, name)
        for migration in migrations_of(name)[len(applied) :]:
            try:
                connection.execute(migration.path.read_bytes())
            except psycopg.Error as problem:
                raise LedgerError(
                    f"{migration.path.name} of {name} failed: {problem}", "a clean migration"
                ) from problem
            connection.execute(query("common", "record_migration"), [migration.version, name, migration.sha256])
        return len(migrations_of(name))


def _applied(connection: psycopg.Connection[tuple[object, ...]], name: str) -> list[tuple[int, str]]:
    """Return the applied (version, hash) after verifying that this is the Lotus database `name`."""
    tables = {str(row[0]) for row in connection.execute(query("common", "tables")).fetchall()}
    if "lotus_schema" not in tables:
        if tables:
            cause = "the address points at another program's database"
            raise LedgerError(f"database {name} is not a Lotus database: it has {sorted(tables)[:5]}", "empty", cause)
        connection.execute((SQL_ROOT / "common" / "schema.sql").read_bytes())
        return []
    rows = connection.execute(query("common", "applied")).fetchall()
    others = sorted({str(r[1]) for r in rows} - {name})
    if others:
        raise LedgerError(f"this is the Lotus database {others[0]!r}", f"{name!r}", "two addresses were exchanged")
    known = migrations_of(name)
    if len(rows) > len(known):
        cause = "a newer Lotus has migrated it"
        raise LedgerError(f"database {name} has version {len(rows)}", f"at most {len(known)}", cause)
    for row, migration in zip(rows, known, strict=False):
        if row[2] != migration.sha256:
            cause = "the file was edited after it had been applied"
            raise LedgerError(f"{name}: {migration.path.name} was applied with another text", migration.sha256, cause)
    return [(int(str(r[0])), str(r[2])) for r in rows]


def _compare(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    with connection.transaction(force_rollback=True):
        live = catalogue(connection)
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCRATCH)))
        connection.execute("SELECT set_config('search_path', %s, true)", [SCRATCH])
        connection.execute((SQL_ROOT / "common" / "schema.sql").read_bytes())
        connection.execute((SQL_ROOT / name / "schema.sql").read_bytes())
        fresh = catalogue(connection, SCRATCH)
    extra, missing = sorted(live - fresh), sorted(fresh - live)
    if extra or missing:
        raise LedgerError(
            f"database {name} differs from sql/{name}/schema.sql: it has {extra[:3]} and lacks {missing[:3]}",
            "the schema of this version",
            "somebody altered the database, or a migration is missing",
        )
