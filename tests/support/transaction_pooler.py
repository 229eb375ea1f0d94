"""What stands for a pooler in transaction mode: a client's transactions take turns between two sessions of its own.

With `is_shared` they take the session that any client gave back last, as those of pgbouncer do: one client alone always
gets the same.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

IDLE = b"I"  # the state of a session outside a transaction, in ReadyForQuery
SESSIONS = 2


@contextmanager
def pooled(server: str, is_shared: bool = False) -> Iterator[int]:
    """Serve a port of loopback before the Unix socket of a server that asks for no password; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    shared: list[socket.socket] | None = [] if is_shared else None
    threading.Thread(target=_accept, args=(listener, server, shared), daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()


def _accept(listener: socket.socket, server: str, shared: list[socket.socket] | None) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, server, shared), daemon=True).start()


def _serve(client: socket.socket, server: str, shared: list[socket.socket] | None) -> None:
    with client, suppress(OSError, EOFError):
        while True:
            size = _exactly(client, 4)
            startup = size + _exactly(client, struct.unpack("!I", size)[0] - 4)
            if struct.unpack("!I", startup[4:8])[0] == 196608:  # version 3.0; before it TLS and GSS are asked for
                break
            client.sendall(b"N")
        free, last = ([], 0) if shared is None else (shared, -1)
        for _ in range(SESSIONS if shared is None else 1):
            session = socket.socket(socket.AF_UNIX)
            session.connect(server)
            session.sendall(startup)
            greeting, _ = _answer(session)
            free.append(session)
        client.sendall(greeting)
        session = free.pop(last)
        while True:
            asked = b""
            while not asked or asked[:1] not in b"QS":  # a simple query, or the end of an extended one
                kind = _exactly(client, 1)
                size = _exactly(client, 4)
                message = kind + size + _exactly(client, struct.unpack("!I", size)[0] - 4)
                session.sendall(message)
                asked = message
                if kind == b"X":
                    return
            answer, state = _answer(session)
            if state == IDLE:
                free.append(session)


def _answer(session: socket.socket) -> tuple[bytes, bytes]:
    """Return all that a session says up to its ReadyForQuery, and the state that it names."""
    said = b""
    while True:
        kind, size = _exactly(session, 1), _exactly(session, 4)
        body = _exactly(session, struct.unpack("!I", size)[0] - 4)
        said += kind + size + body
        if kind == b"Z":
            return said, body


def _exactly(end: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = end.recv(count - len(got))
        if not piece:
            raise EOFError
        got += piece
    return got
