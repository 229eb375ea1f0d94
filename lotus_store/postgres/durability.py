"""When a commit is on disk: commits that do not wait, and waiting for them later. No messages or tables here.

A server writes one log in order, so that an ordinary commit brings every earlier one of the same server to disk,
whatever its database. (Literature: group commit, write-ahead logging.)
"""

from lotus_store.postgres.queries import Connection, query


def server_of(connection: Connection) -> str:
    """Return what tells one run of one server from others."""
    row = connection.execute(query("common", "server")).fetchone()
    return str(row[0]) if row else ""


def lazily(connection: Connection) -> None:
    """Let commits of this connection return before they are on disk."""
    connection.execute(query("common", "lazily"))


def make_durable(connection: Connection) -> None:
    """Wait until everything that this connection has committed is on disk (a small commit behind it is)."""
    connection.execute(query("common", "make_durable"))
