"""LISTEN inside a sensor's tick: a tick that finds nothing waits a few seconds for a hint instead of returning at once.

Dagster calls a sensor every 5 s whatever is asked; with this a row creates a run a tenth of a second after its insert.
A hint is only a hint: what is due is always read from the state itself, once more when none came.
"""

import select
from collections.abc import Callable, Sequence
from typing import TypeVar

from psycopg import sql

from lotus_store.databases import Connection

TICK_S = 4.0
T = TypeVar("T")


def read_or_wait(connections: Sequence[Connection], channel: str, read: Callable[[], T], wait_s: float = TICK_S) -> T:
    """Return what `read()` finds; when that is empty, wait for a notification on `channel` or `wait_s`, and read again.

    A notification on any of the connections, which must be in autocommit mode, ends the wait.
    """
    for connection in connections:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    state = read()
    if state:
        return state
    if not any([*connection.notifies(timeout=0.0)] for connection in connections):
        select.select([connection.fileno() for connection in connections], [], [], wait_s)
    return read()
