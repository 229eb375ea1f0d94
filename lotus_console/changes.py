"""Server-sent events: a page hears that something new is stored, and asks again for what it shows.

One task looks at the ledger every `LOOK_S` for all listeners; what changed is a name, never content. At most
`LISTENERS` listen at once. In the literature: server-sent events (HTML standard, 9.2).
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import psycopg
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from lotus.errors import LotusError
from lotus_console.reading import HomeReading

LOOK_S: Final = 2.0
PULSE_S: Final = 15.0  # a comment keeps the connection, and finds those that are gone
LISTENERS: Final = 64
LOG = logging.getLogger(__name__)


class Changes:
    """What is new in one home, and who listens."""

    def __init__(self, reading: HomeReading) -> None:
        """Watch nothing yet."""
        self._reading = reading
        self._state: tuple[object, ...] = ()
        self._turn = 0
        self._news = asyncio.Condition()
        self.listeners = 0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look at the ledger for as long as the block runs."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def stream(self, _request: Request) -> Response:
        """Answer with events; refuse beyond the bound of listeners."""
        if self.listeners >= LISTENERS:
            return PlainTextResponse(f"{LISTENERS} pages listen already\n", 503)
        return Listening(self)

    async def events(self) -> AsyncIterator[bytes]:
        """Yield an event for each change, and a comment while there is none."""
        seen = self._turn
        yield b"retry: 5000\n\n"
        while True:
            with suppress(TimeoutError):
                async with self._news:
                    await asyncio.wait_for(self._news.wait_for(lambda: self._turn > seen), PULSE_S)  # noqa: B023
            yield b"event: changed\ndata: %d\n\n" % self._turn if self._turn > seen else b": pulse\n\n"
            seen = self._turn

    async def _watch(self) -> None:
        while True:
            state = self._state
            try:
                if self.listeners or not state:
                    state = await run_in_threadpool(self._reading.newest)
            except (LotusError, psycopg.Error) as error:
                LOG.warning("the ledger cannot be asked for news: %s", error)
            if state != self._state:
                self._state = state
                self._turn += 1
                async with self._news:
                    self._news.notify_all()
            await asyncio.sleep(LOOK_S)


class Listening(StreamingResponse):
    """The events for one listener, who counts from being accepted until gone, however it ends."""

    def __init__(self, changes: Changes) -> None:
        """Count the listener at once: nobody else is accepted in its place."""
        super().__init__(changes.events(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        self._changes = changes
        changes.listeners += 1

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send events until the listener is gone."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._changes.listeners -= 1
