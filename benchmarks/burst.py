"""A process that sends a recording over a loopback websocket as fast as it is taken. No timing here."""

import base64
import hashlib
import multiprocessing
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
_SETTLE_S = 0.2


@contextmanager
def burst(raws: Sequence[bytes]) -> Iterator[int]:
    """Serve the frames once to the first client that comes; give its port."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send, args=(theirs, b"".join(map(websocket_frame, raws))), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.join(10)
        process.kill()


def websocket_frame(raw: bytes) -> bytes:
    """Return a text as one unmasked websocket frame."""
    n = len(raw)
    if n < 126:
        return b"\x81" + bytes([n]) + raw
    if n < 65_536:
        return b"\x81\x7e" + n.to_bytes(2, "big") + raw
    return b"\x81\x7f" + n.to_bytes(8, "big") + raw


def _send(pipe: Connection, stream: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        pipe.send(server.getsockname()[1])
        wire, _address = server.accept()
        with wire:
            wire.sendall(_welcome(wire))
            time.sleep(_SETTLE_S)
            with suppress(OSError):
                wire.sendall(stream)
                while wire.recv(65_536):
                    pass


def _welcome(wire: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        head += wire.recv(4096)
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    key = next(value for name, value in fields.items() if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _KEY_SUFFIX, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
