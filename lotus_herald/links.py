"""Connections that stay open between passes: one per database and use, opened when needed, dropped when broken.

The lock of a source lives in its connection, so that the server frees it however the Herald ends. No messages here.
"""

import time
from contextlib import suppress
from types import TracebackType

import psycopg

from lotus.errors import LedgerError
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.messages.herald_books import lock_source, unlock_sources
from lotus_store.postgres.durability import lazily, make_durable, server_of

REST_S = 1.0


class Links:
    """Open connections of one Herald. A database that did not answer is left alone for a second."""

    def __init__(self, databases: Databases) -> None:
        """Remember where to connect; nothing is opened."""
        self._databases = databases
        self._open: dict[tuple[str, str], Connection] = {}
        self._locked: set[tuple[str, str | None]] = set()
        self._resting: dict[str, float] = {}
        self._servers: dict[str, str] = {}

    def get(self, name: str, use: str) -> Connection:
        """Return the connection to a database for one use; raises `LedgerError` when it cannot be reached."""
        connection = self._open.get((name, use))
        if connection is not None and not connection.closed and not connection.broken:
            return connection
        self.drop(name, use)
        if time.monotonic() < self._resting.get(name, 0.0):
            raise LedgerError(f"database {name} did not answer a moment ago", "an answer")
        try:
            # autocommit: an explicit transaction marks what belongs together, and nothing stays open by mistake
            self._open[name, use] = self._databases.connect(name, autocommit=True)
            self._servers[name] = server_of(self._open[name, use])
            if use == "in":
                lazily(self._open[name, use])
        except LedgerError:
            self._resting[name] = time.monotonic() + REST_S
            raise
        return self._open[name, use]

    def settle(self, name: str, before: str) -> None:
        """Bring what the `in` connection committed to disk, unless an ordinary commit of `before` will do so.

        Commits of `in` connections do not wait for the disk; the Herald calls this before it marks the sender's row.
        """
        if self._servers.get(name) != self._servers.get(before):
            make_durable(self.get(name, "in"))

    def lock(self, name: str, branch: str | None) -> bool:
        """Hold the lock of a source on its `out` connection; return whether this Herald has it."""
        connection = self.get(name, "out")
        if (name, branch) not in self._locked and lock_source(connection, name, branch):
            self._locked.add((name, branch))
        return (name, branch) in self._locked

    def drop(self, name: str, use: str) -> None:
        """Forget a connection, and with it the locks that it held."""
        connection = self._open.pop((name, use), None)
        if use == "out":
            self._locked = {held for held in self._locked if held[0] != name}
        if connection is not None:
            with suppress(psycopg.Error):
                if use == "out" and not connection.closed:
                    unlock_sources(connection, name)
                connection.close()

    def close(self) -> None:
        """Close everything; locks are free afterwards."""
        for name, use in list(self._open):
            self.drop(name, use)

    def __enter__(self) -> "Links":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self.close()
