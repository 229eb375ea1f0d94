"""Connections by database name: `sig`, `dm`, `tr`, `vis`, `atlas` (Lotus schemas) and `dagster` (its own storage).

`Databases(settings)` starts or joins the embedded server, or uses the given addresses, makes missing databases and
migrates them. On the embedded server a connection is that of the module's role, which owns nothing (Dagster's role owns
its own database); addresses of one's own name their user. Queries and row types do not belong here (see
`lotus_store.ledger`).
"""

import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lotus.errors import LedgerError
from lotus_store.config import DATABASES, Settings
from lotus_store.postgres.addresses import driver_words
from lotus_store.postgres.durability import lazily
from lotus_store.postgres.embedded import WAIT_S, embedded, revive
from lotus_store.postgres.migrations import LOCK_KEY, LOTUS_DATABASES, application_name, migrate
from lotus_store.postgres.queries import query
from lotus_store.postgres.roles import DAGSTER, give_dagster, role_of
from lotus_store.private import own_home

Connection = psycopg.Connection[tuple[Any, ...]]
_Place = tuple[Path, tuple[tuple[str, str], ...]]  # a home, and the addresses of its databases by name
_MIGRATED: Counter[_Place] = Counter()  # what is open in this process and was brought up to date at opening
_MIGRATED_GATE = threading.Lock()


class Databases(AbstractContextManager["Databases"]):
    """The databases of one home, opened at the first use; `close` lets the embedded server go."""

    def __init__(self, settings: Settings, migrated: bool = True, is_lazy: bool = False) -> None:
        """Remember the settings; nothing is started yet. `migrated` brings schemas up to date at opening.

        They are looked at once as long as anything in this process has the same databases open.
        Commits of lazy connections do not wait for the disk: a power cut may forget the last ones, a kill does not.
        """
        self._settings = settings
        self._migrated, self._is_lazy = migrated, is_lazy
        self._held = ExitStack()
        self._dsns: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._place: _Place | None = None
        self._is_new = False  # a database was missing at opening
        self._gate = threading.RLock()

    def open(self) -> "Databases":
        """Start or join the server, make missing databases and migrate them (the first use does this by itself).

        Raises `LedgerError` when a server does not answer or a database is not the expected one, `ConfigError` when the
        home is another user's.
        """
        with self._gate:
            if self._dsns:
                return self
            own_home(self._settings.home)
            try:
                self._owners = self._addresses()
                self._dsns = self._owners | self._module_addresses()
                if self._migrated:
                    self._look_once()
            except BaseException:
                self.close()
                raise
        return self

    def migrate(self, post: bool = False) -> dict[str, int]:
        """Bring the schemas up to date: on the embedded server with roles, on one of one's own as this home's."""
        roles = self._settings.embedded
        return migrate(self, post, roles, home=None if roles else self._settings.home)

    def dsn(self, name: str) -> str:
        """Return the libpq address of a database; raises `LedgerError` for an unknown name."""
        self.open()
        if name not in self._dsns:
            raise LedgerError(f"there is no database {name!r}", f"one of {', '.join(DATABASES)}")
        return self._dsns[name]

    def connect(self, name: str, autocommit: bool = False) -> Connection:
        """Return a new connection; use it as a context manager (commit at the end, roll back on an error, close).

        An embedded server that is just being restarted is waited for, at most 60 s. Raises `LedgerError` otherwise.
        """
        connection = self._connect(name, self.dsn(name), autocommit)
        if self._is_lazy:
            lazily(connection)
            connection.commit()
        return connection

    def set_dagster_apart(self) -> None:
        """Make sure that Dagster's database holds nothing of Lotus; on the embedded server Dagster's role owns it.

        Raises `LedgerError` when it is a Lotus database.
        """
        with self.owner("dagster") as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
            tables = [str(name) for (name,) in connection.execute(query("common", "tables"))]
            if "lotus_schema" in tables:
                cause = "the address of dagster is that of another database"
                raise LedgerError("Dagster's database is a Lotus database", "one of its own", cause)
            if self._settings.embedded and self._migrated:
                give_dagster(connection)

    def reader(self, name: str, autocommit: bool = False) -> Connection:
        """Return a new connection to a Lotus database that may read and nothing else: what Dagster's sensors get.

        On a server of one's own it is that of the address given.
        """
        dsn = self.dsn(name)
        if self._settings.embedded and self._migrated:
            dsn = make_conninfo(dsn, user=DAGSTER)
        return self._connect(name, dsn, autocommit)

    def owner(self, name: str, autocommit: bool = False) -> Connection:
        """Return a new connection that may change the schema: for migrations, restores, atlas rebuilds, tests."""
        return self._connect(name, self.owner_dsn(name), autocommit)

    def owner_dsn(self, name: str) -> str:
        """Return the address of a database for its owner; of a server of one's own that is the address given."""
        self.dsn(name)
        return self._owners[name]

    def _connect(self, name: str, dsn: str, autocommit: bool) -> Connection:
        deadline = time.monotonic() + (WAIT_S if self._settings.embedded else 0)
        while True:
            try:
                return psycopg.connect(dsn, autocommit=autocommit, connect_timeout=10)
            except psycopg.OperationalError as problem:
                if time.monotonic() > deadline or "does not exist" in str(problem):
                    cause = "the server is down, or the address or its rights are wrong"
                    reason = driver_words(problem, dsn)
                    raise LedgerError(f"database {name} cannot be reached: {reason}", "an answer", cause) from None
            time.sleep(0.1)
            if self._settings.embedded:
                revive(self._settings.home)

    def close(self) -> None:
        """Let the embedded server go (the last user of a home stops it); a later use opens again."""
        with self._gate:
            with _MIGRATED_GATE:
                if self._place is not None:
                    _MIGRATED[self._place] -= 1
            self._dsns, self._owners, self._place = {}, {}, None
            self._held.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _look_once(self) -> None:
        """Migrate, unless something in this process did so and still has the same databases open."""
        place = self._settings.home, tuple(sorted(self._owners.items()))
        with _MIGRATED_GATE:
            is_done = _MIGRATED[place] > 0 and not self._is_new
        if not is_done:
            self.migrate()
        with _MIGRATED_GATE:
            _MIGRATED[place] += 1
            self._place = place

    def _addresses(self) -> dict[str, str]:
        dsns, server = dict(self._settings.dsns), self._settings.server_dsn
        if self._settings.embedded:
            server = self._held.enter_context(embedded(self._settings.home)).server_dsn
        if server:
            made = {n: make_conninfo(server, dbname=f"lotus_{n}") for n in DATABASES if n not in dsns}
            self._is_new = create_missing(server, [f"lotus_{n}" for n in made])
            dsns |= made
        for name in set(LOTUS_DATABASES) & set(dsns):
            dsns[name] = make_conninfo(dsns[name], application_name=application_name(name))
        return dsns

    def _module_addresses(self) -> dict[str, str]:
        if not (self._settings.embedded and self._migrated):
            return {}
        users = {name: role_of(name) for name in LOTUS_DATABASES} | {"dagster": DAGSTER}
        return {name: make_conninfo(self._owners[name], user=user) for name, user in users.items()}


def create_missing(server_dsn: str, names: list[str]) -> bool:
    """Create those of the databases `names` that the server does not have yet; tell whether it lacked one.

    An address without a database is asked in `postgres`, as `createdb` does: a login seldom has one of its own name.
    """
    try:
        place = make_conninfo(server_dsn, dbname=conninfo_to_dict(server_dsn).get("dbname") or "postgres")
        with psycopg.connect(place, autocommit=True, connect_timeout=10) as connection:
            there = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            missing = [name for name in names if name not in there]
            for name in missing:
                words = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
                try:
                    connection.execute(words.format(sql.Identifier(name)))
                except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    continue  # another process made it at the same moment
            return bool(missing)
    except psycopg.Error as problem:
        cause = "the server is down, or the login may not create databases"
        reason = driver_words(problem, server_dsn)
        raise LedgerError(
            f"the databases cannot be made: {reason}", f"a server with {', '.join(names)}", cause
        ) from None
