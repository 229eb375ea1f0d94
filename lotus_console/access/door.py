"""The door before the console: which names it answers to, who may enter, and the session that a page's forms prove.

One who shows the token is let in: as a bearer, once in the address, or in the login's form; then a signed cookie says
so for `LASTS_S`. A proxy that is trusted by its address may say who asks instead. Nothing of a session is stored.
In the literature: DNS rebinding, cross-site request forgery, signed stateless sessions, login throttling.
"""

import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from lotus.errors import ConfigError
from lotus.loopback import LINK, NAMES, SAFE_SITES, decoded
from lotus_console.access.attempts import Attempts
from lotus_console.access.forms import form_of
from lotus_console.access.sessions import SESSION, PageSession
from lotus_console.render import environment
from lotus_console.safety import SafetyHeaders

LASTS_S: Final = 30 * 86_400
ONCE: Final = (
    b"host",
    b"origin",
    b"cookie",
    b"authorization",
    b"content-length",
    b"content-type",
    b"transfer-encoding",
)
WHO: Final = re.compile(r"[\w.@+ -]{1,80}", re.ASCII)
Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that has let somebody in: the address that it asks from, and the header in which it says who asks."""

    address: str
    header: str


@dataclass(frozen=True, slots=True)
class Entry:
    """How one enters. `hosts`: values of the Host header that are ours; an empty `token` lets nobody in by one."""

    port: int
    token: str = field(repr=False)
    hosts: frozenset[str]
    proxy: Proxy | None = None
    dagster_url: str = ""


def hosts_of(port: int, own: str, *names: str) -> frozenset[str]:
    """Return the Host headers of loopback and of a home's `own` name at a port, of further names also without it."""
    return frozenset({f"{name}:{port}" for name in (*NAMES, own, *names)} | set(names))


class Door:
    """An ASGI application that lets in who may enter another one, and names the session in the scope."""

    def __init__(self, app: App, entry: Entry, now_s: Callable[[], float] = time.time) -> None:
        """Guard `app`; sessions are signed with a key made of the token."""
        self.app, self._entry, self._now_s = app, entry, now_s
        self._key = hmac.digest(entry.token.encode() or secrets.token_bytes(32), b"lotus console sessions", "sha256")
        self._cookie = f"lotus_console_{entry.port}"
        self._attempts = Attempts()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "no websocket here"})
        else:
            answer = await self._answer(scope, receive)
            await (SafetyHeaders(answer) if answer is not None else self.app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Any) -> Response | None:
        """Return the door's own answer, None for a request that may pass."""
        if words := _malformed(scope, self._entry.proxy):
            return PlainTextResponse(words + "\n", 400)
        headers = decoded(scope["headers"])
        if refusal := self._stranger(scope["method"], headers):
            return refusal
        path = scope["path"]
        if path == "/login" and scope["method"] == "POST":
            return await self._login(scope, receive)
        if path.startswith("/static/"):
            return None
        asked = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if shown := dict(asked).get("token", ""):
            rest = urlencode([(key, value) for key, value in asked if key != "token"])
            place = _here(quote(path) + (f"?{rest}" if rest else ""))
            return self._tried(scope, shown, place) or self._let_in(place)
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            scope[SESSION] = PageSession(self._signed("form of bearer"))
            return self._tried(scope, bearer)
        session = self._session(scope, headers)
        if session is None:
            return self._ask(scope, headers)
        scope[SESSION] = session
        return self._own_page(scope)

    def _own_page(self, scope: Scope) -> Response | None:
        path = str(scope["path"])
        if path in ("/login", "/logout"):
            gone = RedirectResponse("/", 303)
            if path == "/logout" and scope["method"] == "POST":
                gone.delete_cookie(self._cookie, httponly=True, samesite="strict")
            return gone
        if path.startswith("/dagster/") and self._entry.dagster_url:
            asked = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
            place = f"{quote(path.removeprefix('/dagster'))}?{urlencode([*asked, ('token', self._entry.token)])}"
            name = decoded(scope["headers"])["host"].rpartition(":")[0]  # from another name it would be another site
            port = urlsplit(self._entry.dagster_url).port
            return RedirectResponse(f"http://{name}:{port}{place}", 303)
        return None

    def _stranger(self, method: str, headers: Mapping[str, str]) -> Response | None:
        """Return the refusal of another host, or of a request that another page has made.

        Another page may only lead here: a link is opened as a page of its own, and brings no cookie from other sites.
        """
        host = headers.get("host", "")
        if host not in self._entry.hosts:
            return PlainTextResponse(
                f"host {host[:80]!r}; expected: {NAMES[0]}:{self._entry.port}, or the name that was printed\n", 400
            )
        origin = headers.get("origin", f"http://{host}")
        is_link = method == "GET" and (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == LINK
        is_ours = headers.get("sec-fetch-site", "none") in SAFE_SITES or is_link
        if origin not in (f"http://{host}", f"https://{host}") or not is_ours:
            return PlainTextResponse(f"a request of another page ({origin[:80]})\n", 403)
        return None

    def _tried(self, scope: Scope, token: str, place: str = "") -> Response | None:
        """Return the refusal of a wrong token, or of too many of them; None for the right one.

        The refusal is the login again where somebody wants to see `place`.
        """
        client = (scope.get("client") or ("",))[0]
        if wait_s := self._attempts.wait_s(client):
            words = f"too many wrong tokens; expected: another try in {wait_s:.0f} s\n"
            return PlainTextResponse(words, 429, headers={"retry-after": f"{wait_s:.0f}"})
        if self._entry.token and hmac.compare_digest(token.encode("utf-8", "replace"), self._entry.token.encode()):
            return None
        self._attempts.failed(client)
        if place:
            return self._page(place, "That is not the token")
        return PlainTextResponse("that is not the token; expected: that of `lotus up` or `lotus console`\n", 401)

    async def _login(self, scope: Scope, receive: Any) -> Response:
        try:
            given = await form_of(Request(scope, receive))
        except ConfigError as error:
            return PlainTextResponse(f"{error}\n", 400)
        place = _here(given.get("next", ""))
        return self._tried(scope, given.get("token", ""), place) or self._let_in(place)

    def _let_in(self, place: str) -> Response:
        """Return the answer that gives a session and leads on."""
        answer = RedirectResponse(place, 303)
        name = f"{self._now_s() + LASTS_S:.0f}.{secrets.token_urlsafe(12)}"
        answer.set_cookie(
            self._cookie, f"{name}.{self._signed(name)}", max_age=LASTS_S, httponly=True, samesite="strict"
        )  # fmt: skip
        return answer

    def _session(self, scope: Scope, headers: Mapping[str, str]) -> PageSession | None:
        proxy = self._entry.proxy
        if proxy is not None and (scope.get("client") or ("",))[0] == proxy.address:
            who = headers.get(proxy.header.lower(), "")
            if WHO.fullmatch(who):
                return PageSession(self._signed(f"form of {who}"), who)
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return None
        name, _, sign = (cookie.value if cookie else "").rpartition(".")
        if not name or not hmac.compare_digest(sign.encode(), self._signed(name).encode()):
            return None
        return PageSession(self._signed(f"form of {name}")) if self._now_s() < float(name.partition(".")[0]) else None

    def _ask(self, scope: Scope, headers: Mapping[str, str]) -> Response:
        """Return the login for one who looks at pages, a line for a program."""
        if "text/html" not in headers.get("accept", "") or str(scope["path"]).startswith("/api/"):
            words = "no token; expected: that of `lotus up` or `lotus console`, as a bearer or at /login\n"
            return PlainTextResponse(words, 401)
        query = scope.get("query_string", b"").decode("latin-1")
        place = quote(scope["path"]) + (f"?{query}" if query else "")
        return self._page("/" if scope["path"] == "/login" else _here(place), "")

    def _page(self, place: str, wrong: str) -> Response:
        return HTMLResponse(environment().get_template("login.html").render(place=place, wrong=wrong), 401)

    def _signed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()


def _here(place: str) -> str:
    """Return a place of these pages as it is, home for one that a browser would take for another site.

    >>> _here("/lessons?page=2"), _here("//evil.example"), _here("https://evil.example")
    ('/lessons?page=2', '/', '/')
    """
    is_here = place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable()
    return place if is_here else "/"


def _malformed(scope: Scope, proxy: Proxy | None) -> str:
    """Return why headers cannot be believed, "" where they can: one that decides is there twice, or of two readings."""
    names = [name.lower() for name, _ in scope["headers"]]
    decisive = {*ONCE, proxy.header.lower().encode()} if proxy else {*ONCE}
    twice = next((name for name in decisive if names.count(name) > 1), None)
    if twice is not None:
        return f"the header {twice.decode()} twice; expected: once"
    if b"content-length" in names and b"transfer-encoding" in names:
        return "a length and a transfer encoding; expected: one of them"
    return ""
