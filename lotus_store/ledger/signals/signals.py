"""The signal bus in the sig database: validated payloads of published windows, one row per run, event and schema.

Rows are named by what they are and never changed. What a payload holds is `lotus.modules.signals`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lotus_store.postgres.queries import Connection, query


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One payload as canonical JSON, the window it belongs to and the end of that window (event time)."""

    event_id: str
    schema_ver: str
    time_ms: int
    payload: str


def put_signals(connection: Connection, run_id: str, rows: Sequence[SignalRow]) -> int:
    """Append payloads to a run; those already there stay. Return how many were new."""
    with connection.cursor() as cursor:
        values = [[run_id, row.event_id, row.schema_ver, row.time_ms, row.payload] for row in rows]
        cursor.executemany(query("sig", "put_signal"), values)
        return cursor.rowcount


def read_signals(connection: Connection, run_id: str) -> list[SignalRow]:
    """Return the payloads of a run, oldest window first."""
    return [SignalRow(*row) for row in connection.execute(query("sig", "read_signals"), [run_id])]


def published_signal(connection: Connection, event_id: str, schema_ver: str) -> str | None:
    """Return the payload that was published of an event (by a living daemon, else by a replay), None without one."""
    row = connection.execute(query("sig", "published_signal"), [event_id, schema_ver]).fetchone()
    return str(row[0]) if row else None
