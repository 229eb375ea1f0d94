"""The web server under the exchange: uvicorn inside somebody else's loop, with connections that can break off.

Only uvicorn's settings; routes and answers are `server`'s.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from lotus.loopback import decoded, stranger
from lotus_venues.bounded_http import BACKLOG, MESSAGE_BYTES, BoundedHttp


class _Protocol(WebSocketsSansIOProtocol):
    """The websocket protocol, with a way to end a connection without a close frame."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["state"]["abort"] = self.transport.abort


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

    A websocket handler finds `abort` in the state of its scope.
    """
    config = uvicorn.Config(
        _Door(Starlette(routes=list(routes)), port),
        http=BoundedHttp,
        backlog=BACKLOG,
        ws=_Protocol,
        ws_max_size=MESSAGE_BYTES,
        lifespan="off",
        log_level="critical",
        access_log=False,
        ws_ping_interval=None,
        timeout_graceful_shutdown=0,
        ws_per_message_deflate=False,
    )
    return LoopbackServer(config)
