"""The Herald's loop for a living deployment: carry and consume whenever something waits.

A notification is a hint that shortens the wait, polling is the truth; hints that come together cause one pass. Database
work runs in a thread of its own, so that the event loop never waits for it. Maintenance (polls, beats, looks) gives
way to a message within one of its steps. Of several Heralds one serves a source; the others stand by and take
over when its lock is free.
"""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from lotus.errors import LedgerError
from lotus.modules.intents import Module
from lotus_herald.carry import DOWN, Carried, Carrier
from lotus_herald.consume import Consumer, Handlers
from lotus_herald.gaps import GapWatch
from lotus_herald.identity import CARRY, serves, works
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.mirror import StrandMirror
from lotus_herald.replicas import Directory, Replica
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.messages import boxes
from lotus_store.ledger.messages.boxes import Received

logger = logging.getLogger(__name__)

CHANNELS = (b"LISTEN lotus_outbox", b"LISTEN lotus_inbox")
NEVER = -float("inf")
BACKLOG_S = 10.0  # how often what waits is counted
DEBOUNCE_S = 0.002


@dataclass(slots=True)
class Herald:
    """One deployment's router: which modules it consumes for, with which handlers, on which branch (None: all).

    `event_time_ms` and `now_ms` are asked at every pass: the branch's event time, and the clock for expiry. With a name
    in `replica` it registers under it with every module: as one that gets the messages it serves best where it
    consumes, as one that carries elsewhere. `own_only` leaves intents without a handler here to other consumers.
    `on_applied` is called with every committed batch: whose it is, its rows and their outcomes.
    """

    databases: Databases
    keys: Keys
    handlers: Mapping[Module, Handlers]
    event_time_ms: Callable[[], int]
    now_ms: Callable[[], int]
    branch: str | None = "main"
    poll_s: float = 1.0
    on_applied: Callable[[Module, Sequence[Received], Mapping[str, str]], None] | None = None
    replica: str = ""
    own_only: bool = False
    passes: int = 0
    carried: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    backlog: dict[Module, boxes.Lag] = field(default_factory=dict)
    carrier: Carrier = field(init=False)
    _links: Links = field(init=False)
    _gaps: GapWatch = field(init=False)
    _mirror: StrandMirror = field(init=False)
    _directory: Directory = field(init=False)
    _selves: dict[Module, Replica] = field(default_factory=dict)
    _hint: asyncio.Event = field(default_factory=asyncio.Event)
    _over: bool = False
    _passing: threading.Lock = field(default_factory=threading.Lock)
    _hinted: set[Module] = field(default_factory=set)
    _maintained: float = field(default_factory=time.monotonic)  # when maintenance last ended
    _polled: dict[Module, float] = field(default_factory=dict)
    _looked: dict[Module, float] = field(default_factory=dict)
    _counted: dict[Module, float] = field(default_factory=dict)
    _served: set[Module] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make what stays between passes; nothing is opened yet."""
        self._links = Links(self.databases)
        self._directory = Directory(self._links)
        self.carrier = Carrier(self._links, self.branch, router=self._directory.choose)
        self._gaps = GapWatch(self._links)
        self._mirror = StrandMirror(self._links)

    def turn(self, modules: frozenset[Module] = frozenset(Module)) -> tuple[Carried, dict[str, dict[str, int]]]:
        """Carry and consume once, synchronously, for the given senders and whom they spoke to; return the counts.

        What is delivered is consumed at once, and what is answered to it carried on, before the sender's row is marked:
        nobody waits for the marks. A handler's fault is counted and logged; its message stays and is tried again.
        """
        with self._passing:  # a pass that was asked for in a thread may begin after the end
            if self._over:
                return Carried(), {}
            result = self._turn(modules)
            self._maintain()
            return result

    def _turn(self, modules: frozenset[Module]) -> tuple[Carried, dict[str, dict[str, int]]]:
        senders = [module for module in Module if module in modules]
        outcomes: dict[str, Counter[str]] = {module.value: Counter() for module in Module}

        def consume(module: Module) -> bool:
            counts = self._consume(module, self.handlers[module]) if module in self.handlers else {}
            outcomes[module.value].update(counts)
            return bool(counts)

        self.carrier.on_delivered = consume
        carried = self.carrier.carry(self.now_ms(), senders)
        for module in senders:
            consume(module)
        self._served -= set(senders)
        self._served |= set(senders) - {Module(name) for name in (*carried.silent, *carried.standing_by)}
        self._polled |= dict.fromkeys(senders, time.monotonic())
        self.passes += 1
        self.carried += carried.total
        return carried, {module.value: dict(outcomes[module.value]) for module in self.handlers}

    def _maintain(self) -> None:
        """Do what is due, one thing after another; a message that waits comes first, unless they all come so fast that
        nothing else was done for an eighth of the heartbeat.
        """
        patient_until = self._maintained + self.carrier.routes.heartbeat_s / 8
        for duty in self._due():
            with suppress(*DOWN):
                duty()
            if self._hint.is_set() and time.monotonic() < patient_until:
                return
        self._maintained = time.monotonic()

    def _due(self) -> Iterator[Callable[[], object]]:
        """Yield what is due: beats and who else is alive, polls of what no hint told of, looks at what it serves."""
        for module in Module:
            me = self._selves.get(module)
            if self.replica and (me is None or me.is_due()):
                yield partial(self._beat, module)
            if self._directory.is_due(module):
                yield partial(self._directory.look, [module])
        for module in Module:
            if time.monotonic() >= self._polled.get(module, NEVER) + self.poll_s:
                yield partial(self._turn, frozenset([module]))
            if module in self._served and time.monotonic() >= self._looked.get(module, NEVER) + self.poll_s:
                yield partial(self._look, module)
            if module in self._served and time.monotonic() >= self._counted.get(module, NEVER) + BACKLOG_S:
                yield partial(self._count_backlog, module)

    def close(self) -> None:
        """Close all connections, after a pass that is under way; another Herald may take over, this one is over."""
        with self._passing:
            self._over = True
            for module in self._served:
                with suppress(*DOWN):
                    self._mirror.look(module)
            for module, me in self._selves.items():
                with suppress(*DOWN):
                    me.end(self._links.get(module.value, "consume"))
            self._links.close()

    async def run(self) -> None:
        """Run until cancelled; a database that is down is waited for."""
        listeners = [asyncio.create_task(self._listen(module)) for module in Module]
        try:
            while True:
                self._hint.clear()
                hinted, self._hinted = frozenset(self._hinted), set()
                before = self.carried
                await asyncio.to_thread(self.turn, hinted)
                if self._hint.is_set() and self.carried > before:  # more may be on their way
                    await asyncio.sleep(DEBOUNCE_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(self.poll_s, self.carrier.routes.heartbeat_s / 4)):
                        await self._hint.wait()
        finally:
            for listener in listeners:
                listener.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)
            self.close()

    async def stand_by(self) -> None:
        """Be there until cancelled for a caller of `turn`: no hint is heard, and nothing is polled beside it."""
        try:
            await asyncio.Event().wait()
        finally:
            self.close()

    def _consume(self, module: Module, handlers: Handlers) -> dict[str, int]:
        try:
            connection = self._links.get(module.value, "consume")
            return self._consumer(connection, module, handlers).consume(self.event_time_ms())
        except DOWN:
            self._links.drop(module.value, "consume")
        except Exception as fault:
            if module in self._selves:
                self._selves[module].broke()
            self.faults[f"{module}: {type(fault).__name__}"] += 1
            logger.error("a handler of %s broke: %s: %s", module, type(fault).__name__, fault)
        return {}

    def _consumer(self, connection: Connection, module: Module, handlers: Handlers) -> Consumer:
        return Consumer(
            connection=connection,
            module=module,
            handlers=handlers,
            keys=self.keys,
            branch=self.branch,
            replica=self.replica or None,
            own_only=self.own_only,
            on_applied=partial(self._applied, module),
        )

    def _applied(self, module: Module, rows: Sequence[Received], outcomes: Mapping[str, str]) -> None:
        if self.replica:
            self._self(module).applied(rows, outcomes)
        if self.on_applied is not None:
            self.on_applied(module, rows, outcomes)

    def _self(self, module: Module) -> Replica:
        """Return what this process is to a module, registered."""
        if module not in self._selves:
            handlers = self.handlers.get(module)
            me = serves(module, self.replica, handlers) if handlers else works(module, self.replica, CARRY)
            me.register(self._links.get(module.value, "consume"))
            self._selves[module] = me
        return self._selves[module]

    def _beat(self, module: Module) -> None:
        """Beat in a module's database; such a commit need not reach the disk."""
        self._self(module).beat(self._links.get(module.value, "in"))

    def _look(self, sender: Module) -> None:
        """Mirror the strands of a source that this Herald holds, and log gaps in its sequence."""
        self._looked[sender] = time.monotonic()
        self._mirror.look(sender)
        for seq, state in self._gaps.look(sender).items():
            ids = {"sender": sender.value, "seq": seq}
            logger.warning("message %s of %s is missing: %s", seq, sender, state, extra=ids)

    def _count_backlog(self, module: Module) -> None:
        """Count what waits in the boxes of a module that this Herald serves."""
        self._counted[module] = time.monotonic()
        self.backlog[module] = boxes.lag(self._links.get(module.value, "out"), module.value)

    async def _listen(self, module: Module) -> None:
        """Turn notifications of one database into hints; reconnect without end."""
        while True:
            with suppress(psycopg.OperationalError, LedgerError):
                async with await _opened(self.databases.dsn(module.value)) as connection:
                    for channel in CHANNELS:
                        await connection.execute(channel)
                    async for _ in connection.notifies():
                        self._hinted.add(module)
                        self._hint.set()
            await asyncio.sleep(self.poll_s)


async def _opened(dsn: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """Return a listening connection; when cancelled on the way it is waited for and closed, or it would stay open."""
    connecting = asyncio.ensure_future(psycopg.AsyncConnection.connect(dsn, autocommit=True))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        with suppress(psycopg.OperationalError):
            await (await connecting).close()
        raise
