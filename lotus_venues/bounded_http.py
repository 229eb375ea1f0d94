"""HTTP for uvicorn that slow or many clients cannot fill: bounds on connections, time to ask, and bytes of a request.

uvicorn bounds the time between requests only, and beyond its `limit_concurrency` it refuses everybody. Here whoever has
asked nothing makes room for the newest, so that clients who hold connections open keep nobody out. What is answered is
the application's. In the literature: slowloris, CWE-400 resource exhaustion, eviction of the oldest.
"""

import asyncio
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

CONNECTIONS: Final = 256
BACKLOG: Final = 128  # accepted at one go, before any of them is looked at
ASK_S: Final = 10.0  # to have sent a whole request, from the connection or the last answer on
REQUEST_BYTES: Final = 1 << 20
MESSAGE_BYTES: Final = 1 << 20  # of one websocket message


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's own protocol with bounds; one that was upgraded to a websocket counts, and is never evicted."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; beyond the bound the one that waits longest for its client goes, else this one."""
        super().connection_made(transport)
        self._since_s, self._received = self.loop.time(), 0
        self._unanswered: list[RequestResponseCycle] = []
        self._timer = self.loop.call_later(ASK_S, self._look)
        if len(self.connections) > CONNECTIONS:
            idle = [one for one in self.connections if isinstance(one, BoundedHttp) and one.waits]
            min(idle, key=lambda one: one._since_s).drop() if len(idle) > 1 else self.drop()

    @property
    def waits(self) -> bool:
        """Whether the client is to act: to ask, to send the rest of a body, or to read what was answered."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused

    def data_received(self, data: bytes) -> None:
        """Take bytes unless the request grows beyond its bound."""
        self._received += len(data)
        if self._received > REQUEST_BYTES:
            self.drop()
        else:
            super().data_received(data)

    def on_headers_complete(self) -> None:
        """Begin a request, or let it wait behind the one that is being answered."""
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self._unanswered.append(self.cycle)

    def on_message_complete(self) -> None:
        """Begin a new count."""
        self._received = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin a new wait."""
        self._since_s = self.loop.time()
        self._unanswered = [one for one in self._unanswered if not one.response_complete]
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; whoever answers is told of it, which uvicorn tells the newest request alone."""
        self._timer.cancel()
        for one in self._unanswered:
            one.disconnected = True
            one.message_event.set()
        super().connection_lost(exc)

    def drop(self) -> None:
        """End the connection at once; its place is free from now on."""
        self._timer.cancel()
        self.connections.discard(self)
        self.transport.abort()

    def _look(self) -> None:
        """End a connection whose client has not asked in time; look again at one that has."""
        if self not in self.connections:
            return
        unasked = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
        left_s = self._since_s + ASK_S - self.loop.time()
        if unasked and left_s <= 0:
            self.drop()
        else:
            self._timer = self.loop.call_later(max(left_s, ASK_S / 10), self._look)


def run_bounded(app: Any, **named: Any) -> None:
    """Run uvicorn with an application as `uvicorn.run` does, within the bounds."""
    uvicorn.run(app, **named, http=BoundedHttp, backlog=BACKLOG, ws_max_size=MESSAGE_BYTES)
