"""What the Herald keeps beside the messages: its lock on a source, counts, the backlog that it load-sheds, and gaps.

All in the sender's own database. When to load-shed and what a gap means is decided in `lotus_herald`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lotus.modules.envelope import Envelope
from lotus_store.ledger.messages.boxes import OutboxRow
from lotus_store.postgres.queries import Connection, message_query, message_rows

Counted = tuple[str, str, str]  # target ("" for none), intent, outcome


def lock_source(connection: Connection, module: str, branch: str | None) -> bool:
    """Become the one Herald of a source and branch for as long as the connection lives; return whether it is free.

    Asking again on the same connection is harmless; a killed holder's lock is freed by the server.
    """
    row = connection.execute(message_query(module, "lock_source"), [branch or "*"]).fetchone()
    return bool(row and row[0])


def unlock_sources(connection: Connection, module: str) -> None:
    """Free the locks of a connection at once (the server would free them a moment after its end)."""
    connection.execute(message_query(module, "unlock_sources"))


def source_held(connection: Connection, module: str) -> bool:
    """Tell whether any Herald holds the source at this moment."""
    row = connection.execute(message_query(module, "source_holder")).fetchone()
    return bool(row and row[0])


def count(connection: Connection, module: str, counts: Mapping[Counted, int]) -> None:
    """Add to the counts, in the transaction whose work is counted."""
    rows = [(*key, counts[key]) for key in sorted(counts)]  # one order for everybody, so that nobody deadlocks
    if rows:
        connection.execute(*message_rows(module, "count", rows))


def counts(connection: Connection, module: str) -> dict[Counted, int]:
    """Return everything that was ever counted for a sender."""
    rows = connection.execute(message_query(module, "counts")).fetchall()
    return {(str(target), str(intent), str(outcome)): int(str(n)) for target, intent, outcome, n in rows}


def backlog(connection: Connection, module: str, branch: str | None, limit: int) -> int:
    """Return how many outbox rows wait, counting no further than `limit`."""
    row = connection.execute(message_query(module, "backlog"), {"branch": branch, "limit": limit}).fetchone()
    return int(str(row[0])) if row else 0


def load_shed(connection: Connection, module: str, branch: str | None, n: int, detail: str) -> list[OutboxRow]:
    """Make dead letters of the `n` lowest, oldest waiting rows and return them; urgent ones never."""
    rows: Any = connection.execute(message_query(module, "shed"), {"branch": branch, "n": n, "detail": detail})
    return [OutboxRow(*row) for row in rows]


def message_mark(connection: Connection, module: str) -> int:
    """Return the number up to which retention may have let messages of a sender go; 0 where it never did."""
    row = connection.execute(message_query(module, "message_mark")).fetchone()
    return int(str(row[0])) if row else 0


def sequence_after(connection: Connection, module: str, mark: int) -> tuple[int, int]:
    """Return the highest number above `mark` and how many there are (0, 0: none)."""
    row = connection.execute(message_query(module, "sequence_after"), [mark]).fetchone() or (0, 0)
    return int(str(row[0])), int(str(row[1]))


def missing_after(connection: Connection, module: str, mark: int, last: int) -> list[int]:
    """Return the first (at most 10,000) numbers in (mark, last] that no committed row has."""
    rows = connection.execute(message_query(module, "missing_after"), {"mark": mark, "last": last})
    return [int(str(row[0])) for row in rows]


def running(connection: Connection, module: str) -> frozenset[str]:
    """Return the transactions of the server that run at this moment, by virtual id (given before the first write)."""
    return frozenset(str(row[0]) for row in connection.execute(message_query(module, "running")))


def put_gap(connection: Connection, module: str, seq: int, state: str) -> None:
    """Keep what became of a missing number: `healed` or `alarmed`."""
    connection.execute(message_query(module, "put_gap"), [seq, state])


def gaps(connection: Connection, module: str) -> dict[int, str]:
    """Return the missing numbers of a sender with what became of them."""
    return {int(str(s)): str(state) for s, state in connection.execute(message_query(module, "gaps"))}


def received_with(connection: Connection, module: str, sender: str, seq: int) -> list[tuple[str, datetime]]:
    """Return the envelopes of a sender's number in this module's inbox with their arrivals (a scan: only for a gap)."""
    rows: Any = connection.execute(message_query(module, "received_with"), [sender, str(seq)])
    return [(text, received_at) for text, received_at in rows]


def heal(connection: Connection, module: str, envelope: Envelope, text: str, said_at: datetime) -> bool:
    """Put a lost outbox row back (it will be carried again and found delivered); return whether it was missing."""
    e = envelope
    values = [e.seq, e.event_id, e.dedupe_key, e.lifecycle_id, e.branch, e.intent.value, e.priority, text, said_at]
    return connection.execute(message_query(module, "heal"), values).rowcount == 1


def unanswered(connection: Connection, module: str, intent: str, answer: str) -> Sequence[tuple[str, float]]:
    """Return the delivered messages of an intent without an answer, as (name, seconds since delivery)."""
    rows = connection.execute(message_query(module, "unanswered"), {"intent": intent, "answer": answer})
    return [(str(name), float(str(age_s))) for name, age_s in rows]
