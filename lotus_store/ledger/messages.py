"""Outbox, inbox, dead letters and identities of a module, in that module's own database.

Rows are claimed by state, never by a cursor over numbers: numbers commit out of order. What a message means, whether it
is allowed and who signs it is decided in `lotus_herald`. (Literature: transactional outbox, idempotent consumer.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from lotus.modules.envelope import Envelope
from lotus_store.postgres.queries import message_query

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A claimed row: `seq` is 0 for an inbox row."""

    seq: int
    event_id: str
    attempts: int
    envelope: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be delivered (`outbox`) or applied (`inbox`), with its reason code."""

    event_id: str
    place: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Lag:
    """How much waits in a module's outbox and inbox, and the age of the oldest waiting inbox row in seconds."""

    outbox: int
    inbox: int
    oldest_s: float


def append_once(connection: Connection, module: str, dedupe_key: str, sealed: Callable[[int], Envelope]) -> str:
    """Append the envelope that `sealed(seq)` makes unless this key was sent before; return the stored text.

    Numbers are gapless: the outbox is locked against other senders until the caller's transaction ends.
    """
    connection.execute(message_query(module, "lock_outbox"))
    known = connection.execute(message_query(module, "sent"), [dedupe_key]).fetchone()
    if known is not None:
        return str(known[0])
    row = connection.execute(message_query(module, "next_seq")).fetchone()
    e = sealed(int(str(row[0])) if row else 1)
    text = e.to_json()
    values = [e.seq, e.event_id, e.dedupe_key, e.lifecycle_id, e.branch, e.intent.value, e.priority, text]
    connection.execute(message_query(module, "put_outbox"), values)
    return text


def claim_outbox(connection: Connection, module: str, branch: str | None, batch: int) -> list[Waiting]:
    """Claim waiting rows, most urgent first, until the caller's transaction ends."""
    rows = connection.execute(message_query(module, "claim_outbox"), {"branch": branch, "batch": batch})
    return [Waiting(*_any(row)) for row in rows]


def dispatched(connection: Connection, module: str, seq: int, outcome: str) -> None:
    """Say that an outbox row is done: `delivered` or `dead`."""
    connection.execute(message_query(module, "dispatched"), [outcome, seq])


def postponed(connection: Connection, module: str, seq: int, wait_s: float) -> None:
    """Count an attempt and leave an outbox row alone for a while."""
    connection.execute(message_query(module, "postponed"), [wait_s, seq])


def deliver(connection: Connection, module: str, e: Envelope, text: str) -> bool:
    """Put an envelope into a module's inbox; return False when it was there before (by name or by dedupe key)."""
    values = [e.event_id, e.sender.value, e.dedupe_key, e.lifecycle_id, e.branch, e.intent.value, e.priority, text]
    return connection.execute(message_query(module, "put_inbox"), values).rowcount == 1


def claim_inbox(connection: Connection, module: str, branch: str | None) -> Waiting | None:
    """Claim the most urgent, oldest waiting inbox row until the caller's transaction ends."""
    row = connection.execute(message_query(module, "claim_inbox"), {"branch": branch}).fetchone()
    return Waiting(0, *_any(row)) if row else None


def consumed(connection: Connection, module: str, event_id: str, outcome: str) -> None:
    """Say that an inbox row is done: `applied`, `refused` or `dead`."""
    connection.execute(message_query(module, "consumed"), [outcome, event_id])


def reconsider(connection: Connection, module: str, event_id: str) -> bool:
    """Make an inbox row that was refused or died wait again (its sender asks again); return whether there was one."""
    return connection.execute(message_query(module, "reconsider"), [event_id]).rowcount == 1


def bury(connection: Connection, module: str, letter: DeadLetter, envelope: str) -> None:
    """Keep a dead letter; it stays replayable."""
    values = [letter.event_id, letter.place, letter.reason, letter.detail, envelope]
    connection.execute(message_query(module, "put_dead"), values)


def replay(connection: Connection, module: str, event_id: str, place: str) -> bool:
    """Make a dead letter wait again; return whether there was one."""
    name = "replay_outbox" if place == "outbox" else "replay_inbox"
    return connection.execute(message_query(module, name), [event_id]).rowcount == 1


def dead_letters(connection: Connection, module: str) -> list[DeadLetter]:
    """Return the dead letters that were not replayed."""
    return [DeadLetter(*_any(row)) for row in connection.execute(message_query(module, "dead_letters"))]


def lag(connection: Connection, module: str) -> Lag:
    """Return how much waits."""
    row = connection.execute(message_query(module, "lag")).fetchone()
    return Lag(*_any(row or (0, 0, 0.0)))


def anything_open(connection: Connection, module: str, branch: str) -> bool:
    """Tell whether any message of a branch still waits in the module's outbox or inbox."""
    row = connection.execute(message_query(module, "anything_open"), {"branch": branch}).fetchone()
    return bool(row and row[0])


def waiting(connection: Connection, module: str) -> list[tuple[str, str, str]]:
    """Return every waiting inbox row as (event_id, branch, intent), oldest first."""
    return [(str(a), str(b), str(c)) for a, b, c in connection.execute(message_query(module, "waiting"))]


def put_identity(connection: Connection, module: str, verify_key: str, release: str) -> None:
    """Register a module's verify key in its own database."""
    connection.execute(message_query(module, "put_identity"), [module, verify_key, release])


def identities(connection: Connection, module: str) -> list[str]:
    """Return the verify keys of a module."""
    return [str(row[0]) for row in connection.execute(message_query(module, "identities"), [module])]


def _any(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row
