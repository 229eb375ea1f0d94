"""Connections by database name: `sig`, `dm`, `tr`, `vis`, `atlas` (Lotus schemas) and `dagster` (its own storage).

`Databases.open(settings)` starts or joins the embedded server, or uses the given addresses, makes missing databases and
migrates them. Queries and row types do not belong here (see `lotus_store.ledger`).
"""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lotus.errors import LedgerError
from lotus_store.config import DATABASES, Settings
from lotus_store.postgres.embedded import WAIT_S, embedded
from lotus_store.postgres.migrations import migrate

Connection = psycopg.Connection[tuple[object, ...]]


class Databases(AbstractContextManager["Databases"]):
    """The databases of one deployment; close it (or use it as a context manager) to let the embedded server go."""

    def __init__(self, dsns: Mapping[str, str], held: ExitStack | None = None) -> None:
        """Take one address per database; `held` is released by `close`."""
        self._dsns = dict(dsns)
        self._held = held

    @classmethod
    def open(cls, settings: Settings, migrated: bool = True) -> "Databases":
        """Open all databases of `settings`, made and (unless told not to) migrated.

        Raises `LedgerError` when a server does not answer or a database is not the expected one.
        """
        held = ExitStack()
        try:
            dsns = dict(settings.dsns)
            server = settings.server_dsn
            if settings.embedded:
                server = held.enter_context(embedded(settings.home)).server_dsn
            if server:
                made = {n: make_conninfo(server, dbname=f"lotus_{n}") for n in DATABASES if n not in dsns}
                create_missing(server, [f"lotus_{n}" for n in made])
                dsns |= made
            databases = cls(dsns, held if settings.embedded else None)
            if migrated:
                migrate(databases)
        except BaseException:
            held.close()
            raise
        return databases

    def dsn(self, name: str) -> str:
        """Return the libpq address of a database; raises `LedgerError` for an unknown name."""
        if name not in self._dsns:
            raise LedgerError(f"there is no database {name!r}", f"one of {', '.join(self._dsns)}")
        return self._dsns[name]

    def connect(self, name: str, autocommit: bool = False) -> Connection:
        """Return a new connection; use it as a context manager (commit at the end, roll back on an error, close).

        An embedded server that is just being restarted is waited for, at most 60 s. Raises `LedgerError` otherwise.
        """
        deadline = time.monotonic() + (WAIT_S if self._held is not None else 0)
        while True:
            try:
                return psycopg.connect(self.dsn(name), autocommit=autocommit, connect_timeout=10)
            except psycopg.OperationalError as problem:
                if time.monotonic() > deadline or "does not exist" in str(problem):
                    cause = "the server is down, or the address or its rights are wrong"
                    raise LedgerError(f"database {name} cannot be reached: {problem}", "a connection", cause) from problem
            time.sleep(0.1)

    def sqlalchemy_url(self, name: str) -> str:
        """Return the address in SQLAlchemy's form with the psycopg2 driver, as Dagster's storage needs it."""
        parts = {k: str(v) for k, v in conninfo_to_dict(self.dsn(name)).items() if v is not None}
        user, password = quote(parts.pop("user", "")), quote(parts.pop("password", ""))
        dbname, port = quote(parts.pop("dbname", "")), parts.pop("port", "5432")
        login = f"{user}:{password}@" if password else f"{user}@"
        host = parts.get("host", "")
        if host and not host.startswith("/"):
            parts.pop("host")
            return f"postgresql+psycopg2://{login}{host}:{port}/{dbname}" + (f"?{urlencode(parts)}" if parts else "")
        return f"postgresql+psycopg2://{login}/{dbname}?{urlencode(parts | {'port': port})}"

    def close(self) -> None:
        """Let the embedded server go (the last user of a home stops it)."""
        if self._held is not None:
            self._held.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def create_missing(server_dsn: str, names: list[str]) -> None:
    """Create those of the databases `names` that the server does not have yet."""
    try:
        with psycopg.connect(server_dsn, autocommit=True, connect_timeout=10) as connection:
            there = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name in names:
                if name not in there:
                    try:
                        connection.execute(
                            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
                        )
                    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                        continue  # another process made it at the same moment
    except psycopg.Error as problem:
        cause = "the server is down, or the login may not create databases"
        raise LedgerError(f"the databases cannot be made: {problem}", f"a server with {names}", cause) from problem
