"""The Herald's loop for a living deployment: carry and consume whenever something waits.

A notification is a hint that shortens the wait, polling is the truth; hints that come together cause one pass. Database
work runs in a thread of its own, so that the daemon's event loop never waits for it. Of several Heralds one serves a
source; the others stand by and take over when its lock is free.
"""

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from lotus.errors import LedgerError
from lotus.modules.intents import Module
from lotus_herald.carry import DOWN, Carried, Carrier
from lotus_herald.consume import Consumer, Handlers, OnApplied
from lotus_herald.gaps import GapWatch
from lotus_herald.identity import CARRY, serves, works
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.mirror import StrandMirror
from lotus_herald.replicas import Directory, Replica
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.messages import Received
from lotus_store.manifests.payload_types import validators

CHANNELS = (b"LISTEN lotus_outbox", b"LISTEN lotus_inbox")
DEBOUNCE_S = 0.002


@dataclass(slots=True)
class Herald:
    """One deployment's router: which modules it consumes for, with which handlers, on which branch (None: all).

    `event_time_ms` and `now_ms` are asked at every pass: the branch's event time, and the clock for expiry. With a name
    in `replica` it registers under it with every module: as one that gets the messages it serves best where it
    consumes, as one that carries elsewhere. `own_only` leaves intents without a handler here to other consumers.
    """

    databases: Databases
    keys: Keys
    handlers: Mapping[Module, Handlers]
    event_time_ms: Callable[[], int]
    now_ms: Callable[[], int]
    branch: str | None = "main"
    poll_s: float = 1.0
    on_applied: OnApplied = None
    replica: str = ""
    own_only: bool = False
    passes: int = 0
    carried: int = 0
    faults: Counter[str] = field(default_factory=Counter)
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
    _looked: float = -float("inf")
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

        What is delivered is consumed at once, before the sender's row is marked: nobody waits for the marks.
        A handler's fault is counted and told on standard error; its message stays and is tried again.
        """
        with self._passing:  # a pass that was asked for in a thread may begin after the end
            return (Carried(), {}) if self._over else self._turn(modules)

    def _turn(self, modules: frozenset[Module]) -> tuple[Carried, dict[str, dict[str, int]]]:
        senders = [module for module in Module if module in modules]
        outcomes: dict[str, Counter[str]] = {module.value: Counter() for module in self.handlers}

        def consume(module: Module) -> None:
            if module in self.handlers:
                outcomes[module.value].update(self._consume(module, self.handlers[module]))

        self.carrier.on_delivered = consume
        carried = self.carrier.carry(self.now_ms(), senders)
        for module in self.handlers:
            if module in modules:
                consume(module)
        is_whole = len(senders) == len(Module)  # a pass over some of them looks at none, or the others would starve
        if is_whole and time.monotonic() >= self._looked + self.poll_s:
            self._served = set(senders) - {Module(name) for name in (*carried.silent, *carried.standing_by)}
            self._look(self._served)
        self._aware()
        self.passes += 1
        self.carried += carried.total
        return carried, {name: dict(counts) for name, counts in outcomes.items()}

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
        await asyncio.to_thread(validators)  # compiled before the first message, which would wait for it
        listeners = [asyncio.create_task(self._listen(module)) for module in Module]
        modules = frozenset(Module)
        try:
            while True:
                self._hint.clear()
                self._hinted.clear()
                await asyncio.to_thread(self.turn, modules)
                if self._hint.is_set():  # it came during the pass: more may be on their way
                    await asyncio.sleep(DEBOUNCE_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(self.poll_s, self.carrier.routes.heartbeat_s / 4)):
                        await self._hint.wait()
                overdue = time.monotonic() >= self._looked + self.poll_s
                modules = frozenset(Module) if overdue else frozenset(self._hinted)
        finally:
            for listener in listeners:
                listener.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)
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
            print(f"herald: a handler of {module} broke: {type(fault).__name__}: {fault}", file=sys.stderr)
        return {}

    def _consumer(self, connection: Connection, module: Module, handlers: Handlers) -> Consumer:
        found = Consumer(
            connection, module, handlers, self.keys, self.branch, own_only=self.own_only, on_applied=self.on_applied
        )
        if self.replica:
            found.replica, found.on_applied = self.replica, partial(self._applied, module)
        return found

    def _applied(self, module: Module, rows: Sequence[Received], outcomes: Mapping[str, str]) -> None:
        self._self(module).applied(rows, outcomes)
        if self.on_applied is not None:
            self.on_applied(rows, outcomes)

    def _self(self, module: Module) -> Replica:
        """Return what this process is to a module, registered."""
        if module not in self._selves:
            handlers = self.handlers.get(module)
            me = serves(module, self.replica, handlers) if handlers else works(module, self.replica, CARRY)
            me.register(self._links.get(module.value, "consume"))
            self._selves[module] = me
        return self._selves[module]

    def _aware(self) -> None:
        """Beat for every module, and see who else is alive."""
        for module in Module if self.replica else ():
            with suppress(*DOWN):
                self._self(module).beat(self._links.get(module.value, "consume"))
        self._directory.look()

    def _look(self, senders: set[Module]) -> None:
        """Mirror strands, and look for gaps in the sequences, of the sources that this Herald holds.

        Gaps are told on standard error.
        """
        for sender in sorted(senders):
            with suppress(*DOWN):
                self._mirror.look(sender)
                for seq, state in self._gaps.look(sender).items():
                    print(f"herald: message {seq} of {sender} is missing: {state}", file=sys.stderr)
        self._looked = time.monotonic()

    async def _listen(self, module: Module) -> None:
        """Turn notifications of one database into hints; reconnect for ever."""
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
