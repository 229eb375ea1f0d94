"""Messages that retention lets go: what everybody was done with before a time, in all modules at once.

A message goes from its sender's outbox first and from inboxes after, so nothing that went can be carried again. Before
the first of them goes, each branch is marked up to the latest day that one of them speaks of (`forgotten_days`): no
night says such a day again under a key that nobody remembers; and the sender is marked up to the number that may be
missing, so that nobody takes it for a gap. Marks only rise and every step finds what the one before left, so a purge
that is killed goes on the next time. The newest row of an outbox stays (numbers go on from it), and the 100 newest of
an inbox by branch and intent. (Literature: low-water marks, log truncation.)
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from lotus.timebase import day_of, day_start_ms, next_day
from lotus_store.ledger.retention import forget_until
from lotus_store.postgres.queries import Connection, message_query, query


def drop_messages(modules: Mapping[str, Connection], atlas: Connection, first_day: str) -> dict[str, int]:
    """Let go what was said before a day; return rows by table.

    Where a message of any module still waits, nothing as young as it goes. Needs owners' connections in autocommit, one
    of them to `sig`.
    """
    until = datetime.fromtimestamp(day_start_ms(first_day) / 1e3, UTC)
    for module, connection in modules.items():
        (oldest,) = connection.execute(message_query(module, "oldest_open")).fetchone() or (None,)
        until = min(until, oldest) if isinstance(oldest, datetime) else until
    cut = {"until": until}
    counts: dict[str, int] = {}
    for module, connection in modules.items():
        _mark(modules["sig"], connection, module, cut)
        counts[f"{module}_outbox"] = _drop_outbox(connection, atlas, module)
    for module, connection in modules.items():
        for table in ("inbox", "dead_letter", "gap"):
            counts[f"{module}_{table}"] = connection.execute(message_query(module, f"drop_{table}"), cut).rowcount
    return counts


def _mark(sig: Connection, connection: Connection, module: str, cut: Mapping[str, datetime]) -> None:
    going = connection.execute(message_query(module, "latest_times"), cut).fetchall()
    if not going:
        return
    with sig.transaction():
        for branch, time_ms in going:  # a day is learned when it is over, so its messages carry the next day's start
            forget_until(sig, str(branch), next_day(day_of(int(str(time_ms)) - 1)))
    connection.execute(message_query(module, "put_message_mark"), cut)


def _drop_outbox(connection: Connection, atlas: Connection, module: str) -> int:
    """Delete what the mark lets go, and its rows of the atlas, some thousands at a time."""
    gone = 0
    while rows := connection.execute(message_query(module, "old_outbox")).fetchall():
        ids = [str(event_id) for (event_id,) in rows]
        atlas.execute(query("atlas", "drop_ledger"), {"ids": ids, "table": f"{module}_outbox"})
        gone += connection.execute(message_query(module, "drop_outbox"), [ids]).rowcount
    return gone
