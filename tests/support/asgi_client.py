"""A client of an ASGI application in this process: it sends exactly what it is told, and keeps cookies like a browser.

No header is added but the host and a cookie, so that a request may be as wrong as a test wants it.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlencode

URLENCODED = "application/x-www-form-urlencoded"
Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass
class AsgiClient:
    """One client at an address; `host` is what it takes the server's name for."""

    app: Any
    host: str
    address: str = "127.0.0.1"
    cookies: dict[str, str] = field(default_factory=dict)
    runner: asyncio.Runner = field(default_factory=asyncio.Runner, repr=False)

    def get(self, place: str, headers: Mapping[str, str] | Pairs = ()) -> Answer:
        """Ask for a place."""
        return self.ask("GET", place, headers)

    def post(
        self, place: str, data: Mapping[str, str] | bytes = b"", headers: Mapping[str, str] | Pairs = ()
    ) -> Answer:
        """Post a form, or bytes as they are."""
        named = list(headers.items() if isinstance(headers, Mapping) else headers)
        if not isinstance(data, bytes):
            named, data = [("content-type", URLENCODED), *named], urlencode(data).encode()
        return self.ask("POST", place, named, data)

    def ask(self, method: str, place: str, headers: Mapping[str, str] | Pairs = (), body: bytes = b"") -> Answer:
        """Send one request and return its answer."""
        given = list(headers.items() if isinstance(headers, Mapping) else headers)
        names = {name.lower() for name, _ in given}
        if "host" not in names:
            given.insert(0, ("host", self.host))
        if self.cookies and "cookie" not in names:
            given.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        path, _, query = place.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode("latin-1", "replace"),
            "root_path": "", "headers": [(n.encode("latin-1"), v.encode("latin-1", "replace")) for n, v in given],
            "client": (self.address, 50_000), "server": (self.host, None),
        }  # fmt: skip
        answer = self.runner.run(_asked(self.app, scope, body))
        for cookie in SimpleCookie(answer.headers.get("set-cookie", "")).values():
            self.cookies.pop(cookie.key, None)
            if cookie.value:
                self.cookies[cookie.key] = cookie.value
        return answer


async def _asked(app: Any, scope: dict[str, Any], body: bytes) -> Answer:
    parts: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []
    forever = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not parts:
            await forever.wait()
        return parts.pop()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0].get("headers", ())}
    return Answer(sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:]))
