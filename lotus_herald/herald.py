"""The Herald's loop for a living deployment: carry and consume whenever something waits.

A notification is a hint that shortens the wait, polling is the truth; several hints together cause one pass. Database
work runs in a thread of its own, so that the daemon's event loop never waits for it.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from lotus.errors import LedgerError
from lotus.modules.intents import Module
from lotus_herald.carry import Carried, carry
from lotus_herald.consume import Handlers, consume
from lotus_herald.keys import Keys
from lotus_store.databases import Databases

CHANNELS = (b"LISTEN lotus_outbox", b"LISTEN lotus_inbox")
DEBOUNCE_S = 0.02


@dataclass(slots=True)
class Herald:
    """One deployment's router: which modules it consumes for, with which handlers, on which branch.

    `event_time_ms` and `now_ms` are asked at every pass: the branch's event time, and the clock for expiry.
    """

    databases: Databases
    keys: Keys
    handlers: Mapping[Module, Handlers]
    event_time_ms: Callable[[], int]
    now_ms: Callable[[], int]
    branch: str = "main"
    poll_s: float = 1.0
    passes: int = 0
    _hint: asyncio.Event = field(default_factory=asyncio.Event)

    def turn(self) -> tuple[Carried, dict[str, dict[str, int]]]:
        """Carry and consume once, synchronously; return the counts."""
        carried = carry(self.databases, self.branch, self.now_ms())
        outcomes = {
            module.value: consume(self.databases, module, handlers, self.keys, self.event_time_ms(), self.branch)
            for module, handlers in self.handlers.items()
        }
        self.passes += 1
        return carried, outcomes

    async def run(self) -> None:
        """Run until cancelled; a database that is down is waited for."""
        listeners = [asyncio.create_task(self._listen(module)) for module in Module]
        try:
            while True:
                self._hint.clear()
                with suppress(psycopg.OperationalError, LedgerError):
                    carried, outcomes = await asyncio.to_thread(self.turn)
                    if carried.total or any(outcomes.values()):
                        continue  # an answer may wait already
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hint.wait(), self.poll_s)
                    await asyncio.sleep(DEBOUNCE_S)
        finally:
            for listener in listeners:
                listener.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)

    async def _listen(self, module: Module) -> None:
        """Turn notifications of one database into hints; reconnect for ever."""
        while True:
            with suppress(psycopg.OperationalError, LedgerError):
                dsn = self.databases.dsn(module.value)
                async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
                    for channel in CHANNELS:
                        await connection.execute(channel)
                    async for _ in connection.notifies():
                        self._hint.set()
            await asyncio.sleep(self.poll_s)
