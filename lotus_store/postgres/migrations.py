"""Migrations: numbered files per database, applied once, in order, in one transaction under an advisory lock.

`pre_NNNN_*.sql` only adds, so that the programs of the release before work on: it runs at every opening.
`post_NNNN_*.sql` takes away or alters what they use: it runs when asked, or when no program of another version is
connected; this release works before and after it. Files without a prefix are from before that rule and run as pre.
`sql/<database>/schema.sql` is the truth; `check` proves that a migrated database equals it. The table `lotus_schema`
names the Lotus database and the files that it has had. What several databases have is written once in
`sql/common`, with `{mod}` for the database's name; a line `-- include: common/FILE` puts it in its place, and the hash
of a migration is that of the text as it is applied. (Literature: evolutionary database design, expand and contract.)
"""

import hashlib
import re
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from lotus.errors import LedgerError
from lotus_store.postgres.claims import claim
from lotus_store.postgres.queries import SQL_ROOT, Connection, query
from lotus_store.postgres.roles import as_owner

LOTUS_DATABASES = ("sig", "dm", "tr", "vis", "atlas")
LOCK_KEY = 0x107105  # advisory lock of one migration at a time
SCRATCH = "lotus_check"
INCLUDE = re.compile(rb"^-- include: (common/\S+\.sql)\n", re.MULTILINE)
FILE_NAME = re.compile(r"(?:(pre|post)_)?(\d{4})_\w+\.sql")
ADDITIVE = re.compile(
    r"CREATE (OR REPLACE )?(TABLE|VIEW|FUNCTION|TRIGGER)\b|CREATE INDEX\b|INSERT INTO\b|GRANT\b|COMMENT\b"
    r"|ALTER TABLE \w+ ADD COLUMN (?!.*\b(DROP|RENAME|ALTER)\b)(?!.*\bNOT NULL\b(?!.*\bDEFAULT\b))",
    re.IGNORECASE | re.DOTALL,
)


class Opener(Protocol):
    """Something that connects to a database by name, as one who may change its schema."""

    def owner(self, name: str, autocommit: bool = False) -> Connection:
        """Return a new connection."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file, its text as it is applied, and the hash of that."""

    version: int
    path: Path
    text: bytes
    post: bool

    @property
    def sha256(self) -> str:
        """Hash under which the database records it."""
        return hashlib.sha256(self.text).hexdigest()


def sql_text(path: Path, database: str) -> bytes:
    """Return the text of a file for a database, with what it includes from `sql/common`."""

    def included(line: re.Match[bytes]) -> bytes:
        return (SQL_ROOT / line[1].decode()).read_bytes().replace(b"{mod}", database.encode())

    return INCLUDE.sub(included, path.read_bytes())


def migrations_of(database: str) -> list[Migration]:
    """Return the migrations of a database in order; raises `LedgerError` when the numbers have a hole."""
    return list(_read(SQL_ROOT, database))


@cache
def _read(root: Path, database: str) -> tuple[Migration, ...]:
    """Return the migrations below a folder, read once a process."""
    migrations = []
    for path in (root / database / "migrations").iterdir():
        if name := FILE_NAME.fullmatch(path.name):
            migrations.append(Migration(int(name[2]), path, sql_text(path, database), post=name[1] == "post"))
    migrations.sort(key=lambda m: m.version)
    if [m.version for m in migrations] != list(range(1, len(migrations) + 1)):
        raise LedgerError(
            f"migrations of {database} are {[m.version for m in migrations]}", "1, 2, 3, ... without a hole"
        )
    return tuple(migrations)


def application_name(database: str) -> str:
    """Return the name under which this release connects to a database: it distinguishes its programs from older
    ones."""
    return f"lotus-{database}-v{len(migrations_of(database))}"


def not_additive(text: str) -> list[str]:
    """Return the statements of a migration that do more than add (a `pre_` file may have none)."""
    plain = re.sub(r"--[^\n]*", "", re.sub(r"\$\$.*?\$\$", "''", text, flags=re.DOTALL))
    statements = [" ".join(part.split()) for part in plain.split(";")]
    new = {found[1] for s in statements if (found := re.match(r"CREATE TABLE (\w+)", s))}
    return [s for s in statements if s and not ADDITIVE.match(s) and not _is_unique_in(s, new)]


def _is_unique_in(statement: str, new: set[str]) -> bool:
    """Tell whether a statement makes values unique in a table of the same file: nobody else writes there yet."""
    found = re.match(r"CREATE UNIQUE INDEX \w+ ON (\w+)", statement)
    return found is not None and found[1] in new


def migrate(databases: Opener, post: bool = False, roles: bool = False, home: Path | None = None) -> dict[str, int]:
    """Bring every Lotus database to the newest version; return how many files each has had.

    Safe to repeat, and concurrently. `post` runs destructive files even while programs of another version are
    connected; `roles` puts roles, owner and rights in order; `home` is whose they then are. Raises `LedgerError` for a
    database that is another one, foreign, altered, newer than this program or another home's.
    """
    return {name: _migrate_one(databases, name, post, roles, home) for name in LOTUS_DATABASES}


def check(databases: Opener) -> dict[str, int]:
    """Verify that every Lotus database is the expected one, up to date, and equal to `schema.sql`; return the versions.

    Raises `LedgerError` naming the database and the first differences.
    """
    versions = {}
    for name in LOTUS_DATABASES:
        with databases.owner(name) as connection:
            applied = _applied(connection, name)
            newest = len(migrations_of(name))
            if len(applied) != newest:
                cause = "run `lotus db migrate`, with --post once no older program is left"
                raise LedgerError(f"database {name} has had {len(applied)} migrations", f"{newest}", cause)
            _compare(connection, name)
            versions[name] = newest
    return versions


def catalogue(connection: Connection, schema: str = "public") -> set[str]:
    """Return one line for each column, constraint, index, view, function and trigger of a schema."""
    connection.execute("SELECT set_config('search_path', %s, true)", [schema])
    rows = connection.execute(query("common", "catalogue"), {"schema": schema}).fetchall()
    return {str(row[0]).replace(f"{schema}.", "") for row in rows}


def _migrate_one(databases: Opener, name: str, post: bool, roles: bool, home: Path | None) -> int:
    with databases.owner(name) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        with as_owner(connection, name, LOTUS_DATABASES) if roles else nullcontext():
            applied = _run_waiting(connection, name, post)
        if home:
            claim(connection, name, home)  # after the look at what it is; one that is refused is rolled back
    return applied


def _run_waiting(connection: Connection, name: str, post: bool) -> int:
    applied = _applied(connection, name)
    waiting = [m for m in migrations_of(name) if m.version not in applied]
    if any(m.post for m in waiting) and not post:
        others = connection.execute(query("common", "older_programs")).fetchone()
        post = others == (0,)
    for migration in waiting:
        if migration.post and not post:
            continue
        try:
            connection.execute(migration.text)
        except psycopg.Error as problem:
            raise LedgerError(f"{migration.path.name} of {name} failed: {problem}", "a clean migration") from problem
        connection.execute(query("common", "record_migration"), [migration.version, name, migration.sha256])
        applied.add(migration.version)
    return len(applied)


def _applied(connection: Connection, name: str) -> set[int]:
    """Return the applied versions after verifying that this is the Lotus database `name`."""
    tables = {str(row[0]) for row in connection.execute(query("common", "tables")).fetchall()}
    if "lotus_schema" not in tables:
        if tables:
            cause = "the address points at another program's database"
            raise LedgerError(f"database {name} is not a Lotus database: it has {sorted(tables)[:5]}", "empty", cause)
        connection.execute((SQL_ROOT / "common" / "schema.sql").read_bytes())
        return set()
    rows = connection.execute(query("common", "applied")).fetchall()
    others = sorted({str(r[1]) for r in rows} - {name})
    if others:
        raise LedgerError(f"this is the Lotus database {others[0]!r}", f"{name!r}", "two addresses were exchanged")
    released = {m.version: m for m in migrations_of(name)}
    newest = max((int(str(row[0])) for row in rows), default=0)
    if newest > len(released):
        cause = "a newer Lotus has migrated it"
        raise LedgerError(f"database {name} has version {newest}", f"at most {len(released)}", cause)
    for version, _, sha256 in rows:
        migration = released[int(str(version))]
        if sha256 != migration.sha256:
            cause = "the file was edited after it had been applied"
            raise LedgerError(f"{name}: {migration.path.name} was applied with another text", migration.sha256, cause)
    return {int(str(row[0])) for row in rows}


def _compare(connection: Connection, name: str) -> None:
    with connection.transaction(force_rollback=True):
        live = catalogue(connection)
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCRATCH)))
        connection.execute("SELECT set_config('search_path', %s, true)", [SCRATCH])
        connection.execute((SQL_ROOT / "common" / "schema.sql").read_bytes())
        connection.execute(sql_text(SQL_ROOT / name / "schema.sql", name))
        fresh = catalogue(connection, SCRATCH)
    extra, missing = sorted(live - fresh), sorted(fresh - live)
    if extra or missing:
        raise LedgerError(
            f"database {name} differs from sql/{name}/schema.sql: it has {extra[:3]} and lacks {missing[:3]}",
            "the schema of this version",
            "somebody altered the database, or a migration is missing",
        )
