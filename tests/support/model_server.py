"""A server of the tests' own that speaks chat completions over real HTTP, as well or as badly as it is told to.

One thread a connection, plain sockets: what goes over the wire is exactly what a behaviour writes. `server.requests`
holds what was asked.
"""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

MODEL = "test-model"


@dataclass
class Asked:
    """One request: its first line, headers by small name, body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ModelServer:
    """What listens on loopback; `behaviour` writes an answer to a socket."""

    behaviour: Callable[[socket.socket, Asked], None]
    requests: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """The base address of the wire."""
        return f"http://127.0.0.1:{self.port}/v1"

    def serve(self, listening: socket.socket) -> None:
        """Answer connections until the socket is closed."""
        while True:
            try:
                one, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(one,), daemon=True).start()

    def _answer(self, one: socket.socket) -> None:
        with one, suppress(OSError):
            raw = b""
            while b"\r\n\r\n" not in raw:
                raw += one.recv(65536)
            head, _, body = raw.partition(b"\r\n\r\n")
            line, *rest = head.decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (r.partition(":") for r in rest)}
            while len(body) < int(headers.get("content-length", "0")):
                body += one.recv(65536)
            asked = Asked(line, headers, body)
            self.requests.append(asked)
            self.behaviour(one, asked)


@contextmanager
def serving(behaviour: Callable[[socket.socket, Asked], None], port: int = 0) -> Iterator[ModelServer]:
    """Run a server of one behaviour, on a free port unless one is named."""
    with socket.create_server(("127.0.0.1", port), backlog=64) as listening:
        server = ModelServer(behaviour, port=listening.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listening,), daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5.0)


def completion(content: Any, model: str = MODEL, usage: Any = (900, 60), **message: Any) -> bytes:
    """Return the JSON of an answer; `usage` is (tokens of the prompt, of the answer), or what stands there instead."""
    told = {"prompt_tokens": usage[0], "completion_tokens": usage[1]} if isinstance(usage, tuple) else usage
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}
    return json.dumps({"id": "x", "model": model, "choices": [choice], "usage": told}).encode()


def specs(*texts: str) -> str:
    """Return the one form of a reply."""
    return json.dumps({"specs": list(texts)})


def written(status: int, body: bytes, *headers: str) -> bytes:
    """Return an answer of HTTP/1.1 with its length."""
    head = [f"HTTP/1.1 {status} x", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "Connection: close", "", ""]).encode() + body


def answers(*bodies: bytes, status: int = 200) -> Callable[[socket.socket, Asked], None]:
    """Answer with these bodies in turn, the last again and again."""
    left = list(bodies)

    def behave(one: socket.socket, asked: Asked) -> None:
        one.sendall(written(status, left.pop(0) if len(left) > 1 else left[0]))

    return behave


def raw(*pieces: bytes, wait_s: float = 0.0) -> Callable[[socket.socket, Asked], None]:
    """Write bytes as they are, waiting after each piece."""

    def behave(one: socket.socket, asked: Asked) -> None:
        for piece in pieces:
            one.sendall(piece)
            time.sleep(wait_s)

    return behave


def dripping(head: bytes, pieces: Sequence[bytes], wait_s: float) -> Callable[[socket.socket, Asked], None]:
    """Write a beginning, then pieces again and again until the client leaves."""

    def behave(one: socket.socket, asked: Asked) -> None:
        one.sendall(head)
        while True:
            for piece in pieces:
                one.sendall(piece)
                time.sleep(wait_s)

    return behave


def bomb(content: str, mb: int) -> bytes:
    """Return a compressed answer that would be large."""
    packed = gzip.compress(completion(content + " " * (mb << 20)))
    return written(200, packed, "Content-Encoding: gzip")
