"""Requests: never sent, or sent and unknown, and nothing is sent twice."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lotus.errors import VenueError
from lotus_venues.hyperliquid.http import GatewayRefused, JsonPoster, NotSent, Unanswered

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """A socket that counts the requests it read and answers as told: bytes, or None to close."""

    def __init__(self, answer: Callable[[int], bytes | None]) -> None:
        """Listen on a free port."""
        self.seen, self._answer = 0, answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65536):
                if not data.endswith(b"}"):  # the body comes in a segment of its own
                    continue
                self.seen += 1
                answer = self._answer(self.seen)
                if answer is None:
                    return
                connection.sendall(answer)

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()


@contextmanager
def serving(answer: Callable[[int], bytes | None]) -> Iterator[Server]:
    """Serve while the block lasts."""
    server = Server(answer)
    yield server
    server.close()


def posted(url: str, times: int = 1, pause_s: float = 0.0) -> list[Any]:
    """Return what posts came to: an answer, or the kind of error."""

    async def run() -> list[Any]:
        poster = JsonPoster(url, timeout_s=0.3, connect_timeout_s=0.3)
        poster.open()
        ends: list[Any] = []
        for _ in range(times):
            try:
                ends.append(await poster.post("/exchange", {"a": 1}))
            except VenueError as error:
                ends.append(type(error))
            await asyncio.sleep(pause_s)
        poster.close()
        return ends

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Unanswered),
        (b"HTTP/1.1 422 Unprocessable\r\nContent-Length: 0\r\n\r\n", GatewayRefused),
        (b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n", GatewayRefused),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno!", Unanswered),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", Unanswered),
        (b"", Unanswered),
        (None, Unanswered),
        (OK, {}),
    ],
)
def test_every_failure_after_sending_is_unknown_and_sent_once(answer: bytes | None, end: Any) -> None:
    with serving(lambda _: answer) as server:
        assert posted(server.url) == [end]
        assert server.seen == 1


def test_what_cannot_connect_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert posted(f"http://127.0.0.1:{port}") == [NotSent]


def test_a_kept_connection_closed_meanwhile_is_not_used_for_the_next_request() -> None:
    """The server answers and closes each connection without saying so: the next request takes another."""

    class Closing(Server):
        def _talk(self, connection: socket.socket) -> None:
            with connection:
                while not connection.recv(65536).endswith(b"}"):
                    pass
                self.seen += 1
                connection.sendall(OK)

    server = Closing(lambda _: OK)
    assert posted(server.url, 6, pause_s=0.1) == [{}] * 6
    server.close()


def test_an_end_that_meets_the_answer_is_an_end() -> None:
    """A task cancelled in the very moment of its answer ends; otherwise closing would wait for it for ever."""

    async def run() -> int:
        poster, cancelled = JsonPoster("http://127.0.0.1:1"), 0
        poster._post = lambda path, text: {}  # type: ignore[method-assign]
        poster.open()
        for turns in range(5):
            task = asyncio.create_task(poster.post("/info", {}))
            await asyncio.sleep(0)
            time.sleep(0.02)  # the answer is there, the task has not seen it
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                cancelled += 1
                with pytest.raises(asyncio.CancelledError):
                    await task
        poster.close()
        return cancelled

    assert asyncio.run(run()) >= 2
