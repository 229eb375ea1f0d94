"""Consuming: waiting inbox rows in one transaction with their effects, their answers and the mark that they are done.

A crash at any point loses nothing and applies nothing twice. Rows are applied many to a transaction; when one of them
is refused, the transaction is undone and the same rows are applied again, each behind a savepoint of its own. What a
message does is its handler's business. (Literature: idempotent consumer, unit of work, optimistic batching.)
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import psycopg

from lotus.errors import LotusError
from lotus.modules.envelope import Envelope, Message, RefusedError, open_envelope
from lotus.modules.intents import Intent, Module, Reason
from lotus.modules.messages.catalogue import decoded
from lotus.modules.messages.payload import Payload
from lotus_herald.carry import Failpoint, no_failpoint
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_herald.routes import Routes
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.messages import boxes
from lotus_store.ledger.messages.boxes import DeadLetter, Received

TOGETHER = 64  # rows of one transaction
P = TypeVar("P", bound=Payload, covariant=True)


@dataclass(frozen=True, slots=True)
class Delivery(Generic[P]):
    """What a handler is given: the message with its typed payload, the open transaction, and the event time.

    Event time is the latest time that the module's branch has reached: the end of the learned day in a backfill, the
    daemon's venue time in live running. A handler may be called again for the same message when its transaction was
    undone, so all its effects belong in that transaction.
    """

    module: Module
    envelope: Envelope
    payload: P
    connection: Connection
    keys: Keys
    event_time_ms: int

    def answer(self, message: Message) -> Envelope:
        """Send a message in the same transaction."""
        return send(self.connection, self.module, message, self.keys)


Handler = Callable[[Delivery[Any]], str]
Handlers = Mapping[Intent, Handler]
OnApplied = Callable[[Sequence[Received], Mapping[str, str]], None] | None  # rows of a committed batch, their outcomes


def consume(
    databases: Databases,
    module: Module,
    handlers: Handlers,
    keys: Keys,
    event_time_ms: int,
    branch: str | None = None,
    own_only: bool = False,
) -> dict[str, int]:
    """Consume everything that waits in a module's inbox; return counts by outcome (`applied`, `refused`, `dead`).

    A handler returns `applied` or `refused`; a `LotusError` it raises makes a dead letter. Anything else is a fault of
    the program: its effects are undone, the other messages are consumed, then it is raised; the message is tried again
    in later passes, and is a dead letter (`handler_fault`) when the attempts of the map are used up.
    """
    with closing(databases.connect(module.value, autocommit=True)) as connection:
        return Consumer(connection, module, handlers, keys, branch, own_only=own_only).consume(event_time_ms)


@dataclass(slots=True)
class Consumer:
    """One module's consumer on one connection (in autocommit mode), perhaps one of several replicas.

    `own_only` leaves the intents that it has no handler for to another consumer; else they become dead letters.
    """

    connection: Connection
    module: Module
    handlers: Handlers
    keys: Keys
    branch: str | None = None
    replica: str | None = None
    own_only: bool = False
    failpoint: Failpoint = no_failpoint
    on_applied: OnApplied = None
    _broken: list[str] = field(default_factory=list)

    def consume(self, event_time_ms: int) -> dict[str, int]:
        """Consume everything that waits; see `consume`."""
        counts: Counter[str] = Counter()
        faults: list[Exception] = []
        self._broken = []
        while True:
            try:
                rows, outcomes = self._together(event_time_ms)
            except psycopg.OperationalError:
                raise
            except Exception:  # one of them was refused or broke; find out which
                rows, outcomes = self._apart(event_time_ms, faults)
            self.failpoint("consumed")
            counts.update(outcomes.values())
            if rows and self.on_applied is not None:
                self.on_applied(rows, outcomes)
            if len(rows) < TOGETHER:
                break
        if faults:
            raise faults[0]
        return dict(counts)

    def _together(self, event_time_ms: int) -> tuple[list[Received], dict[str, str]]:
        """Apply a batch without savepoints, statements travelling together; anything raised undoes all of it."""
        with self.connection.pipeline(), self.connection.transaction():
            rows = self._claim()
            outcomes = {row.event_id: self._handle(row, event_time_ms) for row in rows}
            self._finish(outcomes)
        return rows, outcomes

    def _apart(self, event_time_ms: int, faults: list[Exception]) -> tuple[list[Received], dict[str, str]]:
        """Apply a batch with a savepoint for each row: refusals become dead letters, faults are left for later."""
        outcomes: dict[str, str] = {}
        letters: list[tuple[DeadLetter, str]] = []
        with self.connection.transaction():
            rows = self._claim()
            for row in rows:
                try:
                    with self.connection.transaction():
                        outcomes[row.event_id] = self._handle(row, event_time_ms)
                    continue
                except psycopg.OperationalError:
                    raise
                except RefusedError as refusal:
                    reason, detail = refusal.reason, str(refusal)
                except LotusError as problem:
                    reason, detail = Reason.HANDLER_FAILED, f"{type(problem).__name__}: {problem}"
                except Exception as fault:
                    faults.append(fault)
                    self._broken.append(row.event_id)
                    boxes.failed(self.connection, self.module.value, row.event_id)
                    if row.attempts + 1 < Routes().attempts:
                        continue
                    reason, detail = Reason.HANDLER_FAULT, f"{type(fault).__name__}: {fault}"
                outcomes[row.event_id] = "dead"
                letters.append((DeadLetter(row.event_id, "inbox", reason.value, detail), row.envelope))
            if letters:
                boxes.dead_letter(self.connection, self.module.value, letters)
            self._finish(outcomes)
        return rows, outcomes

    def _claim(self) -> list[Received]:
        intents = [intent.value for intent in self.handlers] if self.own_only else None
        return boxes.claim_inbox(
            self.connection, self.module.value, self.branch, TOGETHER, self._broken, self.replica, intents
        )

    def _handle(self, row: Received, event_time_ms: int) -> str:
        envelope = open_envelope(row.envelope)
        handler = self.handlers.get(envelope.intent)
        if handler is None:
            raise RefusedError(Reason.NO_HANDLER, f"{self.module} does not listen to {envelope.intent}")
        payload = decoded(envelope.schema_ref, envelope.payload)
        if payload.contract.intent is not envelope.intent:
            mismatch = f"{envelope.schema_ref} as {envelope.intent}"
            raise RefusedError(Reason.BAD_PAYLOAD, mismatch, payload.contract.intent)
        return handler(
            Delivery(
                module=self.module,
                envelope=envelope,
                payload=payload,
                connection=self.connection,
                keys=self.keys,
                event_time_ms=event_time_ms,
            )
        )

    def _finish(self, outcomes: Mapping[str, str]) -> None:
        if outcomes:
            self.failpoint("applied")
            boxes.consumed(self.connection, self.module.value, outcomes)
            self.failpoint("consuming")
