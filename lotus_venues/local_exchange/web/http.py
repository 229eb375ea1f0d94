"""The web server under the exchange: uvicorn inside somebody else's loop, with connections that can break off.

Only uvicorn's settings; routes and answers are `server`'s.
"""

import contextlib
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from lotus.json_text import read_json
from lotus.loopback import decoded, stranger
from lotus_venues.bounded_http import BACKLOG, MESSAGE_BYTES, BoundedHttp


class _Protocol(WebSocketsSansIOProtocol):
    """The websocket protocol, with a way to end a connection without a close frame, and one to send much at once."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["state"] |= {"abort": self.transport.abort, "send_all": self.send_all}

    async def send_all(self, texts: Sequence[bytes]) -> None:
        """Send messages in one write. Raises `WebSocketDisconnect` when the client is gone."""
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise WebSocketDisconnect(1006)
        self.transport.write(b"".join(part for text in texts for part in (text_head(len(text)), text)))


def text_head(size: int) -> bytes:
    """Return the head of a whole, unmasked text frame of so many bytes (RFC 6455, 5.2)."""
    if size < 126:
        return bytes((0x81, size))
    return struct.pack("!BBH", 0x81, 126, size) if size < 1 << 16 else struct.pack("!BBQ", 0x81, 127, size)


class LoopbackServer(uvicorn.Server):
    """A server whose signals belong to the loop that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class _Door:
    """Lets in requests of this machine's own programs, none of a page of another origin or under another host."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app, self.port = app, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, words = stranger(decoded(scope["headers"]), self.port)
        if not status:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": words[:100]})
        else:
            await PlainTextResponse(words, status)(scope, receive, send)


def loopback_server(routes: Sequence[BaseRoute], port: int) -> LoopbackServer:
    """Return a server for routes at loopback's port: no lifespan, no logs, no pings of its own, no compression.

    A websocket handler finds `abort` and `send_all` in the state of its scope.
    """
    config = uvicorn.Config(
        _Door(Router(routes), port),
        http=BoundedHttp,
        backlog=BACKLOG,
        ws=_Protocol,
        ws_max_size=MESSAGE_BYTES,
        lifespan="off",
        proxy_headers=False,
        log_level="critical",
        access_log=False,
        ws_ping_interval=None,
        timeout_graceful_shutdown=0,
        ws_per_message_deflate=False,
    )
    return LoopbackServer(config)


async def json_of(request: Request) -> Any:
    """Return the JSON value of a request's body, None for a body of another form."""
    try:
        return read_json(await request.body())
    except ValueError:
        return None
