"""Consuming: each waiting inbox row in one transaction with its effect, its answers and the mark that it is done.

A crash at any point loses nothing and applies nothing twice. What a message does is its handler's business.
(Literature: idempotent consumer, unit of work.)
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

from lotus.errors import LotusError
from lotus.modules.envelope import Envelope, Message, RefusedError, open_envelope
from lotus.modules.intents import Intent, Module, Reason
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Connection, Databases
from lotus_store.ledger import messages
from lotus_store.ledger.messages import DeadLetter, Waiting


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a handler is given: the message, the open transaction of its module, and the event time of its line.

    Event time is the latest time that the module's branch has reached: the end of the learned day in a backfill, the
    daemon's venue time in live running.
    """

    module: Module
    envelope: Envelope
    connection: Connection
    keys: Keys
    event_time_ms: int

    def answer(self, message: Message) -> Envelope:
        """Send a message in the same transaction."""
        return send(self.connection, self.module, message, self.keys)


Handler = Callable[[Delivery], str]
Handlers = Mapping[Intent, Handler]


def consume(
    databases: Databases,
    module: Module,
    handlers: Handlers,
    keys: Keys,
    event_time_ms: int,
    branch: str | None = None,
) -> dict[str, int]:
    """Consume everything that waits in a module's inbox; return counts by outcome (`applied`, `refused`, `dead`).

    A handler returns `applied` or `refused`; a `LotusError` it raises makes a dead letter, anything else is a fault of
    the program: it rolls the transaction back, is raised, and leaves the message waiting.
    """
    counts: Counter[str] = Counter()
    with closing(databases.connect(module.value)) as connection:
        while True:
            with connection.transaction():
                row = messages.claim_inbox(connection, module.value, branch)
                if row is None:
                    return dict(counts)
                outcome = _apply(connection, row, module, handlers, keys, event_time_ms)
                messages.consumed(connection, module.value, row.event_id, outcome)
            counts[outcome] += 1


def _apply(
    connection: Connection, row: Waiting, module: Module, handlers: Handlers, keys: Keys, event_time_ms: int
) -> str:
    try:
        with connection.transaction():
            envelope = open_envelope(row.envelope)
            handler = handlers.get(envelope.intent)
            if handler is None:
                raise RefusedError(Reason.NO_HANDLER, f"{module} does not listen to {envelope.intent}")
            return handler(Delivery(module, envelope, connection, keys, event_time_ms))
    except RefusedError as refusal:
        reason, detail = refusal.reason, str(refusal)
    except LotusError as problem:
        reason, detail = Reason.HANDLER_FAILED, f"{type(problem).__name__}: {problem}"
    letter = DeadLetter(row.event_id, "inbox", reason.value, detail)
    messages.bury(connection, module.value, letter, row.envelope)
    return "dead"
