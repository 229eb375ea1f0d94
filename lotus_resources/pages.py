"""Dagster's pages behind a door of ours: `python -m lotus_resources.pages -p PORT ...` is `dagster-webserver` with it.

Dagster's own server asks nobody who he is, answers to any Host and takes changes by GET, so that a page in a browser on
the same machine could command it. Here the host must be loopback's by name, a request must come from these pages or
from no page, GraphQL is read by POST alone, and whoever asks shows the token that `lotus up` printed: once in the
address, then as a cookie, or as a bearer. Slow and many clients are bounded (`lotus_venues.bounded_http`). In the
literature: DNS rebinding, cross-site request forgery.
"""

import hmac
import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from lotus.loopback import check_token, decoded, stranger
from lotus_venues.bounded_http import run_bounded

TOKEN_ENV: Final = "LOTUS_PAGES_TOKEN"
NAME_ENV: Final = "LOTUS_PAGES_NAME"  # of the home; without it only those of loopback
ASK: Final = "open the address that `lotus up` printed, with its token"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class AccessMiddleware:
    """An ASGI application that lets in who may enter another one."""

    def __init__(self, app: App, port: int, token: str, *names: str) -> None:
        """Guard `app`, served at loopback's `port`, also by `names`; `token` is what an owner shows."""
        self.app, self._port, self._token, self._names = app, port, token, names
        self._cookie = f"lotus_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = decoded(scope["headers"])
        asked = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        shown = dict(asked).get("token", "")
        status, words = self._refusal(scope, headers, shown, {key for key, _ in asked})
        if status:
            await _refuse(scope, send, status, words)
        elif shown and scope["type"] == "http":
            rest = urlencode([(key, value) for key, value in asked if key != "token"])
            place = scope["path"] + (f"?{rest}" if rest else "")
            cookie = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
            await _answer(send, 303, b"", [(b"location", place.encode()), (b"set-cookie", cookie.encode())])
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[str, str], shown: str, keys: set[str]) -> tuple[int, str]:
        """Return status and words of a refusal, (0, "") for none."""
        status, words = stranger(headers, self._port, *self._names)
        if status:
            return status, words
        if scope["type"] == "http" and scope["path"].endswith("/graphql") and scope["method"] != "POST" and keys:
            return 405, "GraphQL by POST only"
        given = (shown, self._of_cookie(headers.get("cookie", "")), headers.get("authorization", "").partition(" ")[2])
        if not any(hmac.compare_digest(one.encode(), self._token.encode()) for one in given):
            return 401, ASK
        return 0, ""

    def _of_cookie(self, text: str) -> str:
        try:
            cookie = SimpleCookie(text).get(self._cookie)
        except CookieError:
            return ""
        return cookie.value if cookie else ""


async def _refuse(scope: Scope, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": words[:100]})
    else:
        await _answer(send, status, words.encode("utf-8", "replace") + b"\n", [(b"content-type", b"text/plain")])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    fixed = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *fixed]})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve Dagster's pages with the arguments of `dagster-webserver`; the token stands in the environment."""
    from lotus_resources.dagster_internals import serve_pages

    token, port = os.environ.pop(TOKEN_ENV), int(sys.argv[sys.argv.index("-p") + 1])
    check_token(token, TOKEN_ENV)
    names = [name for name in (os.environ.get(NAME_ENV),) if name]
    serve_pages(lambda app: AccessMiddleware(app, port, token, *names), run_bounded)


if __name__ == "__main__":
    main()
