"""What pages read: the databases as a role that may only read, a pool each, and the lake.

Every connection is read-only for its whole life and gives up a statement after five seconds. A server that is away is
waited for once, then only looked for, so that pages that need no ledger keep their threads. In the literature: least
privilege, connection pool, circuit breaker.
"""

import time
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from lotus.detectors.spec import DetectorSpec
from lotus.priors.segment_context import rule_words
from lotus.priors.vocabulary import Vocabulary
from lotus_console.remembered import Remembered
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.detector_sets import detectors_ever
from lotus_store.postgres.queries import load_queries
from lotus_store.postgres.roles import READERS

CONNECTIONS = 8  # a database
WAIT_S: Final = 5.0  # for a connection
AWAY_S: Final = 5.0  # so long after a server could not be reached it is only looked for
GLANCE_S: Final = 0.05
LOST_MS: Final = 10_000  # a peer behind a broken network that confirms nothing
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
        self._away_since: dict[str, float] = {}  # monotonic seconds by server

    def connect(self, name: str, autocommit: bool = False) -> Connection:
        """Return a connection that may only read; use it as a context manager. Raises `PoolTimeout` for none."""
        with self._gate:
            pool = self._pools.get(name) or self._pools.setdefault(name, self._pool(name))
        server = _server(str(pool.conninfo))
        is_away = time.monotonic() - self._away_since.get(server, -AWAY_S) < AWAY_S
        try:
            return pool.getconn(GLANCE_S if is_away else WAIT_S)
        except PoolTimeout:
            if pool.get_stats().get("pool_size", 0) < CONNECTIONS:  # not all are lent: no further one could be made
                self._away_since[server] = time.monotonic()
            raise

    def close(self) -> None:
        """Close the pools and let the server go."""
        with self._gate:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()
        super().close()

    def _pool(self, name: str) -> ConnectionPool[PooledConnection]:
        dsn = make_conninfo(
            self.dsn(name), options=GUARDS, connect_timeout=int(WAIT_S), tcp_user_timeout=LOST_MS, keepalives_idle=5,
            keepalives_interval=2, keepalives_count=3,
        )  # fmt: skip
        if self._embedded:
            dsn = make_conninfo(dsn, user=CONSOLE_ROLE)
        return ConnectionPool(
            dsn, connection_class=PooledConnection, min_size=0, max_size=CONNECTIONS, max_idle=60.0, close_returns=True,
            reconnect_timeout=AWAY_S, open=True,
        )  # fmt: skip


def _server(conninfo: str) -> str:
    """Return which server a connection string leads to.

    >>> _server("host=/run/pg dbname=lotus_sig port=5432") == _server("dbname=lotus_dm host=/run/pg port=5432")
    True
    """
    given = conninfo_to_dict(conninfo)
    return f"{given.get('host')} {given.get('hostaddr')} {given.get('port')}"


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
        return rule_words(self.settings.manifest)

    def rows(self, module: str, name: str, /, **given: Any) -> list[dict[str, Any]]:
        """Return the rows of a named query of `sql/console/<module>.sql`; `branch` is given by itself."""
        return self.composed(module, sql.SQL(named(module, name).decode()), given)

    def detectors(self) -> tuple[DetectorSpec, ...]:
        """Return the detectors that are scored on the branch or were."""
        with self.databases.connect("sig") as sig:
            return detectors_ever(sig, self.settings.branch, self.settings.manifest)

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
