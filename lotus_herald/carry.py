"""Carrying: one pass from the outboxes to the inboxes, at least once, de-duplicated for ever.

Each row is verified (form, hash, signature, route, time to live), put into every target's inbox, recorded in the atlas,
and only then marked; a kill anywhere repeats what the inbox refuses to take twice. A message that may not be delivered
becomes a dead letter with a reason code; one whose target is down waits longer each time. No handler runs here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from lotus.atlas.rows import row_of_message
from lotus.errors import LedgerError
from lotus.modules.envelope import Envelope, RefusedError, open_envelope
from lotus.modules.intents import Module, Reason
from lotus_herald.keys import verified
from lotus_herald.routes import Routes, load_routes
from lotus_store.databases import Connection, Databases
from lotus_store.ledger import atlas, messages
from lotus_store.ledger.messages import DeadLetter, Waiting

LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Carried:
    """What one pass did, counted by target (`delivered`), by reason (`dead`), rows left for later, and
    senders whose database is down (`silent`)."""

    delivered: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    dead: Mapping[str, int] = field(default_factory=dict)
    postponed: int = 0
    silent: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Number of rows that are done."""
        return sum(self.delivered.values()) + self.repeated + sum(self.dead.values())


def carry(
    databases: Databases,
    branch: str | None = None,
    now_ms: int | None = None,
    senders: Sequence[Module] = tuple(Module),
) -> Carried:
    """Deliver everything that waits in the outboxes (of one branch, or of all); return the counts.

    `now_ms` is the time against which messages expire; None delivers whatever history said.
    """
    counts: Counter[tuple[str, str]] = Counter()
    silent = []
    for sender in senders:
        try:
            source = databases.connect(sender.value)
        except LedgerError:
            silent.append(sender.value)
            continue
        with closing(source):
            while _carry_batch(databases, source, sender, branch, now_ms, counts):
                pass
    return Carried(
        {name: n for (kind, name), n in sorted(counts.items()) if kind == "delivered"},
        counts["repeated", ""],
        {name: n for (kind, name), n in sorted(counts.items()) if kind == "dead"},
        counts["postponed", ""],
        tuple(silent),
    )


def _carry_batch(
    databases: Databases,
    source: Connection,
    sender: Module,
    branch: str | None,
    now_ms: int | None,
    counts: Counter[tuple[str, str]],
) -> bool:
    """Carry one batch in one transaction of the sender's database; return whether there may be more."""
    routes = load_routes()
    with source.transaction():
        rows = messages.claim_outbox(source, sender.value, branch, routes.batch)
        if not rows:
            return False
        keys = messages.identities(source, sender.value)
        batch = _Batch(databases, source, sender, atlas.moment(source, sender))
        for row in rows:
            try:
                envelope = _checked(row, sender, keys, routes, now_ms)
                _hand_out(databases, envelope, row, counts)
                batch.done(row, "delivered")
            except RefusedError as refusal:
                batch.bury(row, refusal.reason, str(refusal))
                counts["dead", refusal.reason.value] += 1
            except LedgerError as down:
                if row.attempts + 1 >= routes.attempts:
                    batch.bury(row, Reason.EXPIRED, str(down))
                    counts["dead", Reason.EXPIRED.value] += 1
                    continue
                wait_s = min(routes.backoff_s * 2**row.attempts, LONGEST_WAIT_S) * (1 + row.seq % 7 / 14)
                messages.postponed(source, sender.value, row.seq, wait_s)
                counts["postponed", ""] += 1
    return len(rows) == routes.batch


def _checked(row: Waiting, sender: Module, keys: list[str], routes: Routes, now_ms: int | None) -> Envelope:
    envelope = open_envelope(row.envelope)
    if envelope.sender is not sender or not verified(envelope, keys):
        cause = "forged, altered, or signed with a key that the sender never registered"
        raise RefusedError(Reason.BAD_SIGNATURE, f"{envelope.event_id} is not signed by {sender}", "ed25519", cause)
    routes.check(envelope, now_ms)
    return envelope


def _hand_out(databases: Databases, envelope: Envelope, row: Waiting, counts: Counter[tuple[str, str]]) -> None:
    for target in envelope.to:
        with databases.connect(target.value) as inbox:
            new = messages.deliver(inbox, target.value, envelope, row.envelope)
        counts["delivered", target.value] += new
        counts["repeated", ""] += not new


@dataclass(frozen=True, slots=True)
class _Batch:
    """The open transaction of a sender's database, in which rows are done with; `moment` is its time."""

    databases: Databases
    source: Connection
    sender: Module
    moment: datetime

    def done(self, row: Waiting, status: str) -> None:
        with self.databases.connect("atlas") as ledger:
            entry = row_of_message(self.sender, row.event_id, row.envelope, row.attempts, status, self.moment)
            atlas.put(ledger, [entry])
        messages.dispatched(self.source, self.sender.value, row.seq, status)

    def bury(self, row: Waiting, reason: Reason, detail: str) -> None:
        letter = DeadLetter(row.event_id, "outbox", reason.value, detail)
        messages.bury(self.source, self.sender.value, letter, row.envelope)
        self.done(row, "dead")
