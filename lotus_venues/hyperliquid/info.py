"""The venue's REST information endpoint, as little of it as the daemon needs: `meta`.

Blocking by design (call it from a worker thread). Signing and trading do not belong here.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from lotus.errors import VenueError
from lotus.json_text import MAX_TEXT_BYTES, read_json
from lotus.manifest import Asset

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def http_base(ws_url: str) -> str:
    """Return the http base of a websocket address: same host and port, no path, no trailing slash.

    >>> http_base("wss://api.hyperliquid.xyz/ws")
    'https://api.hyperliquid.xyz'
    """
    parts = urlsplit(ws_url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise VenueError(f"{ws_url!r} is no websocket address", "ws://host[:port]/ws or wss://host[:port]/ws")
    return f"{scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class InfoClient:
    """POST /info of one base address; `timeout_s` bounds every step of a request, twice that the whole of it."""

    base_url: str
    timeout_s: float = 10.0

    def request(self, body: dict[str, Any]) -> Any:
        """Send one request and return the decoded answer; raises `VenueError` on refusal, silence or bad JSON.

        The thread of an answer that drips is left behind: it ends with its answer, or with the process.
        """
        answer: Future[Any] = Future()
        threading.Thread(target=self._ask, args=(body, answer), name="info", daemon=True).start()
        try:
            return answer.result(2 * self.timeout_s)
        except TimeoutError as error:
            text = f"{self.base_url}/info gave no whole answer in {2 * self.timeout_s:g} s"
            raise VenueError(text, "JSON", "a venue that drips its answer") from error

    def _ask(self, body: dict[str, Any], answer: "Future[Any]") -> None:
        try:
            answer.set_result(self._asked(body))
        except BaseException as problem:
            answer.set_exception(problem)

    def _asked(self, body: dict[str, Any]) -> Any:
        url = f"{self.base_url}/info"
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        proxies: dict[str, str] | None = {} if urlsplit(url).hostname in LOOPBACK else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
        try:
            with opener.open(request, timeout=self.timeout_s) as answer:
                return read_json(answer.read(MAX_TEXT_BYTES + 1))
        except urllib.error.HTTPError as error:
            causes = {422: "an unknown request type or bad body", 429: "the rate limit of this address"}
            raise VenueError(f"{url} answered {error.code}", "200", causes.get(error.code, "")) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)  # urllib wraps what it could not do
            raise VenueError(f"{url} gave no answer ({reason})", "JSON", "no network, or not this venue") from error

    def meta(self) -> dict[str, Asset]:
        """Return the listed perpetuals by name (delisted ones left out) with their size decimals."""
        answer = self.request({"type": "meta"})
        try:
            rows = cast(Sequence[dict[str, Any]], answer["universe"])
            return {r["name"]: Asset(r["name"], int(r["szDecimals"])) for r in rows if not r.get("isDelisted")}
        except (KeyError, TypeError, ValueError) as error:
            raise VenueError("meta has another form", "universe of name and szDecimals", "a changed venue") from error


def require_listed(universe: Sequence[Asset], listed: dict[str, Asset]) -> None:
    """Refuse coins that the venue does not list: one unknown coin makes it close the whole socket without a word.

    Raises `VenueError` naming every unknown coin and every one whose size decimals differ.
    """
    unknown = [a.name for a in universe if a.name not in listed]
    if unknown:
        raise VenueError(f"unknown coins {', '.join(unknown)}", "names listed in meta", "a typing error or a delisting")
    other = [a.name for a in universe if listed[a.name].sz_decimals != a.sz_decimals]
    if other:
        raise VenueError(f"size decimals of {', '.join(other)} differ from meta", "the venue's", "an outdated universe")
