"""Carrying: one pass from the outboxes to the inboxes, at least once, de-duplicated permanently.

Each row is verified (form, hash, signature, release, route, time to live, quota), put into every target's inbox,
recorded in the atlas, and only then marked; a kill anywhere repeats what the inbox refuses to take twice. A message
that may not be delivered becomes a dead letter with a reason code; one whose target is down waits longer each time.
A batch costs one transaction per database, however many rows it has. No handler runs here.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from lotus.atlas.rows import row_of_message
from lotus.errors import LedgerError
from lotus.modules.backoff import wait_s
from lotus.modules.envelope import Envelope, RefusedError, open_envelope
from lotus.modules.intents import Intent, Module, Reason
from lotus.modules.quota import Bucket, take
from lotus_herald.keys import signing_release
from lotus_herald.links import Links
from lotus_herald.routes import Routes
from lotus_store.databases import Connection, Databases
from lotus_store.ledger import atlas
from lotus_store.ledger.messages import boxes, herald_books, identities
from lotus_store.ledger.messages.boxes import DeadLetter, OutboxRow
from lotus_store.ledger.messages.identities import KnownKey

Failpoint = Callable[[str], None]
Router = Callable[[Connection, Module, Intent], str | None]
Claimed = tuple[Envelope, OutboxRow]
DOWN = (LedgerError, psycopg.OperationalError)


def no_failpoint(label: str) -> None:
    """Do nothing at a failpoint (a place where a kill is worst); tests put their kills here."""


def at_leisure(target: Module) -> bool:
    """Leave what was delivered until the pass is over."""
    return False


def anybody(inbox: Connection, target: Module, intent: Intent) -> None:
    """Leave a message to any replica of its target."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What one pass did, counted by target (`delivered`), by reason (`dead`), rows left for later, senders whose
    database (or the atlas) is down (`silent`), and senders that another Herald serves (`standing_by`)."""

    delivered: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    dead: Mapping[str, int] = field(default_factory=dict)
    postponed: int = 0
    silent: tuple[str, ...] = ()
    standing_by: tuple[str, ...] = ()

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
    """Deliver everything that waits in the outboxes (of one branch, or of all) once, on connections of its own.

    `now_ms` is the time against which messages expire; None delivers all of history, without quotas. A source
    that another Herald serves is left to it.
    """
    with Links(databases) as links:
        return Carrier(links, branch).carry(now_ms, senders)


@dataclass(slots=True)
class Carrier:
    """The carrying half of a Herald: open connections, the locks of its sources, and the buckets of its quotas.

    `router` names the replica of a target that gets a batch's messages of an intent; `on_delivered` is called as soon
    as a target has new ones, and returns whether they were applied: the answers of the target are then carried on at
    once, before the rows that caused them are marked. `failpoint` is called where a kill is worst.
    """

    links: Links
    branch: str | None = None
    routes: Routes = field(default_factory=Routes)
    router: Router = anybody
    on_delivered: Callable[[Module], bool] = at_leisure
    failpoint: Failpoint = no_failpoint
    _buckets: dict[tuple[Module, Module], Bucket] = field(default_factory=dict)

    def carry(self, now_ms: int | None, senders: Sequence[Module] = tuple(Module)) -> Carried:
        """Deliver everything that waits in the outboxes of `senders`; return the counts."""
        going, waiting = _Pass(now_ms), list(senders)
        while waiting:
            for sender in waiting:
                self._carry_all(sender, going)
            waiting, going.answered = [module for module in Module if module in going.answered], set()
        return going.summary()

    def _carry_all(self, sender: Module, going: "_Pass") -> None:
        """Carry what waits in one outbox; one that is under way is looked at again."""
        if sender in going.under_way:
            going.answered.add(sender)
            return
        going.under_way.add(sender)
        try:
            if not self.links.lock(sender.value, self.branch):
                going.standing_by.add(sender)
                return
            while self._carry_batch(sender, going):
                self._load_shed(sender, going)
        except DOWN:
            self.links.drop(sender.value, "out")
            self.links.drop("atlas", "in")
            going.silent.add(sender)
        finally:
            going.under_way.discard(sender)

    def _carry_batch(self, sender: Module, going: "_Pass") -> bool:
        """Carry one batch in one transaction of the sender's database; return whether there may be more."""
        source = self.links.get(sender.value, "out")
        batch = _Batch(sender)
        with source.pipeline(), source.transaction():  # statements to one database travel together
            rows = boxes.claim_outbox(source, sender.value, self.branch, self.routes.batch)
            if not rows:
                return False
            self.failpoint("claimed")
            keys = identities.known_keys(source, sender.value)
            for row in rows:
                self._sort(batch, row, keys, going.now_ms)
            self._hand_out(batch, going)
            self.failpoint("delivered")
            batch.settle(source, self.routes)
            self._tell(source, sender, [row for _, row in batch.arrived], "delivered")
            self._tell(source, sender, [row for row, _, _ in batch.dead], "dead")
            self.failpoint("marking")
        self.failpoint("marked")
        going.counts.update(batch.counts)
        return len(rows) == self.routes.batch

    def _sort(self, batch: "_Batch", row: OutboxRow, keys: Sequence[KnownKey], now_ms: int | None) -> None:
        """Verify a row: it is to be delivered, or a dead letter."""
        try:
            envelope = _checked(row, batch.sender, identities.keys_at(keys, row.said_at))
            self.routes.check(envelope, now_ms)
            if now_ms is not None:
                self._charge(envelope, row)
            batch.claimed.append((envelope, row))
        except RefusedError as refusal:
            batch.dead_letter(row, refusal.reason, str(refusal))

    def _charge(self, envelope: Envelope, row: OutboxRow) -> None:
        """Take one from the quota of each pair, as of when the message was written; from none where one is used up."""
        per_minute, taken = self.routes.quota_per_minute, {}
        for target in envelope.to:
            pair = envelope.sender, target
            taken[pair], passes = take(self._buckets.get(pair), per_minute, envelope.priority, row.said_ms)
            if not passes:
                self._buckets[pair] = taken[pair]
                detail = f"{envelope.event_id} is over the quota of {envelope.sender} to {target}"
                raise RefusedError(Reason.SHED, detail, f"{per_minute} a minute")
        self._buckets |= taken

    def _hand_out(self, batch: "_Batch", going: "_Pass") -> None:
        """Put envelopes into the inboxes, and carry the answers on; those of a target that is down wait."""
        for target in sorted({target for envelope, _ in batch.claimed for target in envelope.to}):
            rows = [(envelope, row) for envelope, row in batch.claimed if target in envelope.to]
            try:
                inbox = self.links.get(target.value, "in")
                named = [(envelope, row.envelope) for envelope, row in rows]
                chosen = {i: self.router(inbox, target, i) for i in {envelope.intent for envelope, _ in rows}}
                new = boxes.deliver(inbox, target.value, named, chosen)
                self.failpoint("put in")
                if new and self.on_delivered(target):
                    self._carry_all(target, going)
                self.links.settle(target.value, batch.sender.value)
            except DOWN as down:
                self.links.drop(target.value, "in")
                batch.postpone(rows, str(down))
                continue
            for envelope, _ in rows:
                outcome = "delivered" if envelope.event_id in new else "repeated"
                batch.counts[target.value, envelope.intent.value, outcome] += 1

    def _tell(self, source: Connection, sender: Module, rows: Sequence[OutboxRow], status: str) -> None:
        """Record rows in the atlas, as done at the time of the sender's open transaction, which marks them."""
        if not rows:
            return
        moment = atlas.moment(source, sender)
        records = [row_of_message(sender, row.event_id, row.envelope, row.attempts, status, moment) for row in rows]
        ledger = self.links.get("atlas", "in")
        with ledger.pipeline(), ledger.transaction():
            atlas.put(ledger, records)
        self.links.settle("atlas", sender.value)

    def _load_shed(self, sender: Module, going: "_Pass") -> None:
        """Keep the queue of a sender bounded: beyond its length the lowest and oldest messages are dead letters."""
        if going.now_ms is None:
            return
        source, limit = self.links.get(sender.value, "out"), self.routes.queue
        over = herald_books.backlog(source, sender.value, self.branch, 20 * limit) - limit
        if over > 0:
            detail = f"more than {limit} messages waited; this was among the lowest and oldest"
            with source.transaction():
                rows = herald_books.load_shed(source, sender.value, self.branch, over, detail)
                self._tell(source, sender, rows, "dead")
            going.counts["", "", Reason.SHED.value] += len(rows)


@dataclass(slots=True)
class _Pass:
    """One pass, and whose outboxes are under way in it: a sender's answers are carried inside its target's.

    `answered` are those that may have more since they were claimed.
    """

    now_ms: int | None
    counts: Counter[herald_books.Counted] = field(default_factory=Counter)
    under_way: set[Module] = field(default_factory=set)
    answered: set[Module] = field(default_factory=set)
    silent: set[Module] = field(default_factory=set)
    standing_by: set[Module] = field(default_factory=set)

    def summary(self) -> Carried:
        """Return what it did."""
        delivered: Counter[str] = Counter()
        dead: Counter[str] = Counter()
        others: Counter[str] = Counter()
        for (target, _, outcome), n in sorted(self.counts.items()):
            if outcome == "delivered":
                delivered[target] += n
            elif outcome in ("repeated", "postponed"):
                others[outcome] += n
            else:
                dead[outcome] += n
        apart = ([module.value for module in Module if module in which] for which in (self.silent, self.standing_by))
        return Carried(dict(delivered), others["repeated"], +dead, others["postponed"], *map(tuple, apart))


@dataclass(slots=True)
class _Batch:
    """The rows of one transaction, sorted: those to deliver, dead letters, and those to try again."""

    sender: Module
    claimed: list[Claimed] = field(default_factory=list)
    dead: list[tuple[OutboxRow, Reason, str]] = field(default_factory=list)
    later: dict[int, str] = field(default_factory=dict)
    counts: Counter[herald_books.Counted] = field(default_factory=Counter)

    @property
    def arrived(self) -> list[Claimed]:
        """Rows that reached every target."""
        return [(envelope, row) for envelope, row in self.claimed if row.seq not in self.later]

    def dead_letter(self, row: OutboxRow, reason: Reason, detail: str) -> None:
        """Make a row a dead letter."""
        self.dead.append((row, reason, detail))

    def postpone(self, rows: Sequence[Claimed], why: str) -> None:
        """Try rows again later."""
        self.later |= {row.seq: why for _, row in rows}

    def settle(self, source: Connection, routes: Routes) -> None:
        """Write what became of the rows, in the sender's transaction."""
        sender, waits = self.sender.value, {}
        for envelope, row in self.claimed:
            if row.seq in self.later and row.attempts + 1 >= routes.attempts:
                self.dead_letter(row, Reason.UNREACHABLE, self.later[row.seq])
            elif row.seq in self.later:
                waits[row.seq] = wait_s(row.event_id, row.attempts, routes.backoff_s)
                self.counts["", envelope.intent.value, "postponed"] += 1
        for _, reason, _ in self.dead:
            self.counts["", "", reason.value] += 1
        letters = [
            (DeadLetter(row.event_id, "outbox", reason.value, text), row.envelope) for row, reason, text in self.dead
        ]
        boxes.dispatched(source, sender, [row.seq for _, row in self.arrived], "delivered")
        if letters:
            boxes.dead_letter(source, sender, letters)
            boxes.dispatched(source, sender, [row.seq for row, _, _ in self.dead], "dead")
        if waits:
            boxes.postponed(source, sender, waits)
        herald_books.count(source, sender, self.counts)


def _checked(row: OutboxRow, sender: Module, keys: Mapping[str, frozenset[str]]) -> Envelope:
    envelope = open_envelope(row.envelope)
    releases = signing_release(envelope, row.envelope, keys) if envelope.sender is sender else None
    if releases is None:
        cause = "forged, altered, or signed with a key that the sender never registered"
        raise RefusedError(Reason.BAD_SIGNATURE, f"{envelope.event_id} is not signed by {sender}", "ed25519", cause)
    if envelope.release not in releases:
        detail = f"{envelope.event_id} names release {envelope.release}"
        raise RefusedError(Reason.BAD_RELEASE, detail, f"one of {', '.join(sorted(releases))}")
    if envelope.event_id != row.event_id or envelope.seq != row.seq:
        detail = f"row {row.seq} ({row.event_id}) holds message {envelope.seq} ({envelope.event_id})"
        raise RefusedError(Reason.BAD_ENVELOPE, detail, "its own message", "a row was copied over another")
    return envelope
