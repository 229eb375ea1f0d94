"""Outbox, inbox and dead letters of a module, in that module's own database.

Rows are claimed by state, never by a cursor over numbers: numbers commit out of order. What a message means, whether it
is allowed and who signs it is decided in `lotus_herald`; what the Herald counts is in `herald_books`.
(Literature: transactional outbox, idempotent consumer.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from lotus.modules.envelope import Envelope
from lotus.modules.intents import Intent
from lotus_store.postgres.queries import Connection, message_query, message_rows, put_rows


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A claimed outbox row; `said_at` is when its sender wrote it."""

    seq: int
    event_id: str
    attempts: int
    envelope: str
    said_at: datetime

    @property
    def said_ms(self) -> int:
        """The time at which its sender wrote it, in milliseconds UTC."""
        return int(self.said_at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Received:
    """A claimed inbox row."""

    event_id: str
    attempts: int
    envelope: str
    received_at: datetime


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


def append_once(
    connection: Connection, module: str, dedupe_keys: Sequence[str], sealed: Callable[[int, int], tuple[Envelope, str]]
) -> list[str]:
    """Append the envelopes that `sealed(index, seq)` makes, except those whose key was sent before; return all texts.

    Numbers are gapless: other senders wait until the caller's transaction ends.
    """
    connection.execute(message_query(module, "lock_outbox"))
    rows_sent = connection.execute(message_query(module, "next_and_sent"), [list(dedupe_keys)]).fetchall()
    seq = int(str(rows_sent[0][0]))
    texts = {str(key): str(text) for _, key, text in rows_sent if key is not None}
    new: list[tuple[Envelope, str]] = []
    for index, key in enumerate(dedupe_keys):
        if key not in texts:
            new.append(sealed(index, seq + len(new)))
            texts[key] = new[-1][1]
    rows = [(e.seq, *_columns(e), text) for e, text in new]
    put_rows(connection, message_query(module, "put_outbox"), rows)
    return [texts[key] for key in dedupe_keys]


def sent(connection: Connection, module: str, dedupe_key: str) -> str | None:
    """Return the text of the envelope that was sent under a key; None when none was."""
    row = connection.execute(message_query(module, "sent"), [[dedupe_key]]).fetchone()
    return None if row is None else str(row[1])


def claim_outbox(connection: Connection, module: str, branch: str | None, batch: int) -> list[OutboxRow]:
    """Claim waiting rows, most urgent first, until the caller's transaction ends."""
    rows = connection.execute(message_query(module, "claim_outbox"), {"branch": branch, "batch": batch})
    return [OutboxRow(*row) for row in rows]


def dispatched(connection: Connection, module: str, seqs: Sequence[int], outcome: str) -> None:
    """Mark outbox rows as done: `delivered` or `dead`."""
    connection.execute(message_query(module, "dispatched"), [outcome, list(seqs)])


def postponed(connection: Connection, module: str, waits_s: Mapping[int, float]) -> None:
    """Count an attempt and leave outbox rows (by number) alone for a while."""
    connection.execute(message_query(module, "postponed"), [list(waits_s), list(waits_s.values())])


def deliver(
    connection: Connection,
    module: str,
    envelopes: Sequence[tuple[Envelope, str]],
    replica_of: Mapping[Intent, str | None] = MappingProxyType({}),
) -> set[str]:
    """Put envelopes (with their texts) into a module's inbox in one statement; return the names of those that are new.

    `replica_of` names the replica that is to have the messages of an intent (none: anybody).
    One that was there before, by name or by sender and dedupe key, is left as it is.
    """
    rows = [(e.event_id, e.sender.value, *_columns(e)[1:], text, replica_of.get(e.intent)) for e, text in envelopes]
    return {str(row[0]) for row in connection.execute(*message_rows(module, "put_inbox", rows))}


def claim_inbox(
    connection: Connection,
    module: str,
    branch: str | None,
    batch: int = 1,
    skip: Sequence[str] = (),
    replica: str | None = None,
    intents: Sequence[str] | None = None,
) -> list[Received]:
    """Claim the most urgent, oldest waiting inbox rows until the caller's transaction ends.

    `skip` names rows to leave alone; with `replica`, rows meant for another one are left alone too, with `intents` all
    other intents.
    """
    only = None if intents is None else list(intents)
    values = {"branch": branch, "batch": batch, "skip": list(skip), "replica": replica, "intents": only}
    rows = connection.execute(message_query(module, "claim_inbox"), values)
    return [Received(*row) for row in rows]


def consumed(connection: Connection, module: str, outcomes: Mapping[str, str]) -> None:
    """Mark inbox rows (by name) as done: `applied`, `refused` or `dead`."""
    connection.execute(message_query(module, "consumed"), [list(outcomes), list(outcomes.values())])


def failed(connection: Connection, module: str, event_id: str) -> None:
    """Count an attempt of an inbox row whose handler broke; it keeps waiting."""
    connection.execute(message_query(module, "failed"), [event_id])


def reconsider(connection: Connection, module: str, event_id: str) -> bool:
    """Make an inbox row that was refused or died wait again (its sender asks again); return whether there was one."""
    return connection.execute(message_query(module, "reconsider"), [event_id]).rowcount == 1


def dead_letter(connection: Connection, module: str, letters: Sequence[tuple[DeadLetter, str]]) -> None:
    """Keep dead letters (each with its envelope); they stay replayable."""
    rows = [(x.event_id, x.place, x.reason, x.detail.replace("\0", "\\0"), text) for x, text in letters]
    connection.execute(*message_rows(module, "put_dead", rows))


def replay(connection: Connection, module: str, event_id: str, place: str) -> bool:
    """Make a dead letter wait again; return whether there was one, which of several at once is told to one alone."""
    name = "replay_outbox" if place == "outbox" else "replay_inbox"
    return connection.execute(message_query(module, name), [event_id]).rowcount == 1


def dead_letters(connection: Connection, module: str) -> list[DeadLetter]:
    """Return the dead letters that were not replayed."""
    return [DeadLetter(*row) for row in connection.execute(message_query(module, "dead_letters"))]


def lag(connection: Connection, module: str) -> Lag:
    """Return how much waits."""
    row = connection.execute(message_query(module, "lag")).fetchone()
    return Lag(*(row or (0, 0, 0.0)))


def inbox_lag_s(connection: Connection, module: str, branch: str, intents: Sequence[str], window_s: float) -> float:
    """Return the p99 of how long inbox rows of a branch and some intents waited, s: of all that wait, and of those that
    were taken in the last `window_s`; 0 without any.
    """
    values = {"branch": branch, "intents": list(intents), "window_s": window_s}
    row = connection.execute(message_query(module, "inbox_lag"), values).fetchone()
    return float(row[0]) if row else 0.0


def oldest_dead_h(connection: Connection, module: str) -> float:
    """Return the age of the oldest dead letter that was not replayed, h; 0 where there is none."""
    row = connection.execute(message_query(module, "oldest_dead")).fetchone()
    return float(row[0]) if row else 0.0


def anything_open(connection: Connection, module: str, branch: str) -> bool:
    """Tell whether any message of a branch still waits in the module's outbox or inbox."""
    row = connection.execute(message_query(module, "anything_open"), {"branch": branch}).fetchone()
    return bool(row and row[0])


def waiting(
    connection: Connection, module: str, branch: str | None = None, intents: Sequence[str] | None = None
) -> list[tuple[str, str, str]]:
    """Return waiting inbox rows (of one branch, of some intents) as (event_id, branch, intent), oldest first."""
    values = {"branch": branch, "intents": None if intents is None else list(intents)}
    return [(str(a), str(b), str(c)) for a, b, c in connection.execute(message_query(module, "waiting"), values)]


def newest(connection: Connection, module: str, intent: str, branch: str | None = None) -> list[str]:
    """Return the envelopes of the 100 newest messages of an intent that were applied (of one branch), newest first."""
    rows = connection.execute(message_query(module, "newest"), {"intent": intent, "branch": branch})
    return [str(text) for (text,) in rows]


def releases_lately(connection: Connection, module: str, seconds: float) -> list[str]:
    """Return the releases under which a module sent something in the last seconds (of its 100 newest messages)."""
    rows = connection.execute(message_query(module, "releases_lately"), [seconds])
    return sorted(str(release) for (release,) in rows)


def _columns(e: Envelope) -> tuple[object, ...]:
    return e.event_id, e.dedupe_key, e.lifecycle_id, e.branch, e.intent.value, e.priority
