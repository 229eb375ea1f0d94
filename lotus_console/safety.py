"""Headers of safety on every answer: nothing from elsewhere, nothing inline, no frame, nothing kept by others.

In the literature: content security policy level 3, clickjacking, MIME sniffing.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # none at all would make the origin of our own forms null
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


class SafetyHeaders:
    """An ASGI application that adds the headers to every answer of another one; pages are not stored, files are."""

    def __init__(self, app: Any) -> None:
        """Wrap `app`."""
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Hand a request on and add to its answer."""
        is_file = str(scope.get("path", "")).startswith("/static/")
        storing = (b"cache-control", b"max-age=3600" if is_file else b"no-store")

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS, storing]
            await send(message)

        await self.app(scope, receive, adding if scope["type"] == "http" else send)
