"""What pages read: the databases as a role that may only read, a pool each, and the lake.

Every connection is read-only for its whole life and gives up a statement after five seconds. In the literature: least
privilege, connection pool.
"""

from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from lotus.priors.asset_context import words_of
from lotus.priors.vocabulary import Vocabulary
from lotus_console.remembered import Remembered
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.lake import Lake
from lotus_store.postgres.queries import load_queries
from lotus_store.postgres.roles import READERS

CONNECTIONS = 8  # a database
GUARDS = "-c default_transaction_read_only=on -c statement_timeout=5000"
CONSOLE_ROLE = READERS[0]


class PooledConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that goes back to its pool at the end of a `with`, where psycopg leaves one out."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit or roll back, and go back."""
        super().__exit__(kind, error, trace)
        self.close()


class ReadingDatabases(Databases):
    """The databases of a home, read-only: `connect` gives a connection of a pool, whose `close` gives it back."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; nothing is opened yet."""
        super().__init__(settings)
        self._embedded = settings.embedded
        self._pools: dict[str, ConnectionPool[PooledConnection]] = {}

    def connect(self, name: str, autocommit: bool = False) -> Connection:
        """Return a connection that may only read; use it as a context manager."""
        with self._gate:
            pool = self._pools.get(name) or self._pools.setdefault(name, self._pool(name))
        return pool.getconn(10.0)

    def close(self) -> None:
        """Close the pools and let the server go."""
        with self._gate:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()
        super().close()

    def _pool(self, name: str) -> ConnectionPool[PooledConnection]:
        dsn = make_conninfo(self.dsn(name), options=GUARDS)
        if self._embedded:
            dsn = make_conninfo(dsn, user=CONSOLE_ROLE)
        return ConnectionPool(
            dsn, connection_class=PooledConnection, min_size=0, max_size=CONNECTIONS, max_idle=60.0, close_returns=True,
            open=True,
        )  # fmt: skip


@dataclass(frozen=True)
class HomeReading:
    """The home that the pages are of. `databases` reads; `settings.branch` is the branch that is shown."""

    settings: Settings
    databases: Databases
    dagster_url: str = ""
    lake: Lake = field(init=False)
    memory: Remembered = field(default_factory=Remembered, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Open the lake."""
        object.__setattr__(self, "lake", Lake(self.settings.lake_root))

    @cached_property
    def words(self) -> Vocabulary:
        """The words of rules, with the universe's coins."""
        return words_of(self.settings.manifest.universe)

    def rows(self, module: str, name: str, /, **given: Any) -> list[dict[str, Any]]:
        """Return the rows of a named query of `sql/console/<module>.sql`; `branch` is given by itself."""
        return self.composed(module, sql.SQL(named(module, name).decode()), given)

    def newest(self) -> tuple[Any, ...]:
        """Return what changes with every commit, swap and act: a key for what is remembered of the ledger."""
        return tuple(self.rows("sig", "newest")[0].values())

    def composed(self, module: str, text: sql.SQL | sql.Composed, given: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of a composed query as mappings by column name."""
        with self.databases.connect(module) as connection:
            cursor: psycopg.Cursor[dict[str, Any]] = connection.cursor(row_factory=dict_row)
            return cursor.execute(text, {"branch": self.settings.branch, **given}).fetchall()


def named(module: str, name: str) -> bytes:
    """Return a named query of the console on a module's database; raises `KeyError` for none of that name."""
    return load_queries("console", f"{module}.sql")[name]
