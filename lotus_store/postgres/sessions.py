"""Whether a connection is a session: leases, lanes, LISTEN and prepared statements are a session's.

A pooler in transaction mode (pgbouncer) hands a session to whoever begins a transaction. To one client alone it mostly
gives the same session again, so it is seen only by two, of which one holds what the other had.
"""

from typing import Any

import psycopg

from lotus_store.postgres.queries import Connection, query

ASKED = 5  # times; a pooler that takes turns gives another session each time


def shared_sessions(one: Connection, other: Connection) -> str:
    """Return how two connections (autocommit) share sessions, "" where each has its own."""
    seen = {_number(one) for _ in range(ASKED)}
    with other.transaction():
        if _number(other) in seen:
            return "two connections in one session"
        seen.add(_number(one))
    return f"statements of one connection in {len(seen)} sessions" if len(seen) > 1 else ""


def _number(connection: psycopg.Connection[Any]) -> int:
    (number,) = connection.execute(query("common", "session_number"), prepare=False).fetchone() or (0,)
    return int(number)
