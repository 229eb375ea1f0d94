"""Whose databases these are: on a server of one's own each carries the mark of one home, and another one is refused.

Two homes over the same databases would mix two lakes and two recorders. The mark is a comment on the database,
so it is in no table, no backup and no template. An embedded server lies in its home and needs none. The folder of a
worker on another machine may join.
"""

import re
import socket
import uuid
from pathlib import Path

from psycopg import sql

from lotus.errors import LedgerError
from lotus_store.files import write_bytes
from lotus_store.postgres.queries import Connection, query
from lotus_store.private import own_home

FILE = "home_id"
MARK = re.compile(r"Lotus home ([0-9a-f]{32}) \((.*?)\)")


def claim(connection: Connection, name: str, home: Path) -> None:
    """Mark the database of this connection as this home's; within a transaction that holds the lock of migrations.

    Raises `LedgerError` when it is another home's, or when this login does not own it and cannot mark it.
    """
    database, comment, owned = connection.execute(query("common", "comment")).fetchone() or ("", None, False)
    text, path = str(comment or ""), home / FILE
    if not path.exists():
        write_bytes(path, f"{uuid.uuid4().hex}\n".encode())
    own = path.read_text(errors="replace").strip()
    if match := MARK.search(text):
        if match[1] != own:
            cause = (
                f"two homes on one server; a home made anew or without its {FILE} takes over what is there after "
                f"COMMENT ON DATABASE {database} IS NULL"
            )
            raise LedgerError(f"database {name} belongs to the home {match[2]}, and this is {home}", "one home", cause)
        return
    if not owned:
        raise LedgerError(f"the login does not own the database {database}", "its owner, who may mark it as one home's")
    mark = f"Lotus home {own} ({home.resolve()} on {socket.gethostname()})"
    words = sql.SQL("COMMENT ON DATABASE {} IS {}").format(
        sql.Identifier(str(database)), sql.Literal(f"{text}; {mark}" if text else mark)
    )
    connection.execute(words)


def join(connection: Connection, home: Path) -> bool:
    """Make a home that is no one's yet one with the home whose mark this database bears; tell whether it was.

    For a machine that works for that home: a worker of its fleet has a folder of its own and keeps no books in it.
    """
    _, comment, _ = connection.execute(query("common", "comment")).fetchone() or ("", None, False)
    match, path = MARK.search(str(comment or "")), home / FILE
    if match is None or path.exists():
        return False
    own_home(home)
    write_bytes(path, f"{match[1]}\n".encode())
    return True
