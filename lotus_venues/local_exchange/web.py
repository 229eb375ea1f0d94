"""The web server under the exchange: uvicorn inside somebody else's loop, with connections that can break off.

Only what uvicorn has to be told; routes and answers are `server`'s.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


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


def loopback_server(routes: Sequence[BaseRoute]) -> LoopbackServer:
    """Return a server for routes: no lifespan, no logs, no pings of its own, no compression.

    A websocket handler finds `abort` in the state of its scope.
    """
    config = uvicorn.Config(
        Starlette(routes=list(routes)),
        ws=_Protocol,
        lifespan="off",
        log_level="critical",
        access_log=False,
        ws_ping_interval=None,
        timeout_graceful_shutdown=0,
        ws_per_message_deflate=False,
    )
    return LoopbackServer(config)
