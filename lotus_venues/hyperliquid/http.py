"""POST of JSON with the one distinction that trading needs: never sent, or sent and not answered.

Requests run on a few threads over kept connections, every step under a timeout and the whole under another: an answer
that drips, a byte at a time, holds its thread no longer. What fails before the first byte could leave raises `NotSent`;
everything after that raises `Unanswered`: it may have happened. Nothing is ever sent twice.
In the literature: at-most-once delivery.
"""

import asyncio
import http.client
import json
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from lotus.errors import VenueError
from lotus.json_text import MAX_TEXT_BYTES, read_json
from lotus_venues.begun_pool import begun_pool

_IDLE_S = 3.0
_WATCH_S = 0.5


class NotSent(VenueError):
    """Nothing left this machine."""


class Unanswered(VenueError):
    """The request was sent and its fate is not known."""


class GatewayRefused(VenueError):
    """The venue's gate turned the request away before it was read (422, 429)."""


class JsonPoster:
    """POSTs to one base address (http or https, no trailing slash)."""

    def __init__(
        self, base_url: str, timeout_s: float = 5.0, connect_timeout_s: float = 3.0, threads: int = 16
    ) -> None:
        """Open nothing yet."""
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise VenueError(f"{base_url!r} is no base address", "http://host[:port] or https://host[:port]")
        self.base_url, self.timeout_s, self.connect_timeout_s = base_url, timeout_s, connect_timeout_s
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._free: list[tuple[float, http.client.HTTPConnection]] = []
        self._asking: dict[socket.socket, float] = {}  # until when each request may take

    def open(self) -> None:
        """Start the threads; idempotent."""
        if self._pool is None:
            self._pool = begun_pool(self._threads, "venue")
            threading.Thread(target=self._watch, args=[self._pool], name="venue-watch", daemon=True).start()

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the decoded answer; raises `NotSent`, `GatewayRefused` or `Unanswered`."""
        if self._pool is None:
            raise NotSent(f"{self.base_url} is not open", "open() first")
        text = json.dumps(body, separators=(",", ":")).encode()
        try:
            # not `wait_for`: before Python 3.12 it swallows a cancellation that meets the answer
            async with asyncio.timeout(self.connect_timeout_s + 2 * self.timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._post, path, text)
        except TimeoutError as error:
            raise Unanswered(f"{path} gave no answer in time", "an answer") from error

    def close(self) -> None:
        """Close the connections; requests on their way end by their timeouts."""
        with self._lock:
            free, self._free = self._free, []
        for _, connection in free:
            connection.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False)
        self._pool = None

    def _post(self, path: str, text: bytes) -> Any:
        connection = self._take()
        asked_over = connection.sock  # which the connection forgets where an answer ends it
        self._asking[asked_over] = time.monotonic() + 2 * self.timeout_s
        try:
            connection.request("POST", path, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            status, raw = answer.status, answer.read(MAX_TEXT_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Unanswered(f"{path} gave no answer ({type(error).__name__})", "an answer in time") from error
        finally:
            del self._asking[asked_over]
        if answer.will_close or len(raw) > MAX_TEXT_BYTES:
            connection.close()
        else:
            with self._lock:
                self._free.append((time.monotonic(), connection))
        if status in (422, 429):
            raise GatewayRefused(f"{path} answered {status}", "200", raw[:200].decode(errors="replace"))
        if status != 200:
            raise Unanswered(f"{path} answered {status}", "200", "a fault of the venue")
        try:
            return read_json(raw)
        except ValueError as error:
            raise Unanswered(f"{path} answered no JSON", "JSON", "something between here and the venue") from error

    def _watch(self, pool: ThreadPoolExecutor) -> None:
        """End requests that take too long, as long as there are any."""
        while self._pool is pool or self._asking:
            time.sleep(min(_WATCH_S, self.timeout_s / 4))
            for sock, until_s in list(self._asking.items()):
                if time.monotonic() > until_s:
                    _cut(sock)

    def _take(self) -> http.client.HTTPConnection:
        while True:
            with self._lock:
                since, connection = self._free.pop() if self._free else (0.0, None)
            if connection is None:
                return self._connect()
            if time.monotonic() - since < _IDLE_S and _is_quiet(connection):
                return connection
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self.connect_timeout_s)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NotSent(f"{self.base_url} cannot be reached ({error})", "a connection") from error
        connection.sock.settimeout(self.timeout_s)
        return connection


def _cut(sock: socket.socket) -> None:
    """End a connection under the thread that reads from it."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _is_quiet(connection: http.client.HTTPConnection) -> bool:
    """Tell whether a kept connection is still open: one the other side closed is readable."""
    if connection.sock is None:
        return False
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return not readable
