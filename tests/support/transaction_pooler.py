"""What stands for a pooler in transaction mode: each transaction of a client goes to the next of two sessions."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

IDLE = b"I"  # the state of a session outside a transaction, in ReadyForQuery
SESSIONS = 2


@contextmanager
def pooled(server: str) -> Iterator[int]:
    """Serve a port of loopback before the Unix socket of a server that asks for no password; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, server), daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()


def _accept(listener: socket.socket, server: str) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, server), daemon=True).start()


def _serve(client: socket.socket, server: str) -> None:
    with client, suppress(OSError, EOFError):
        while True:
            size = _exactly(client, 4)
            startup = size + _exactly(client, struct.unpack("!I", size)[0] - 4)
            if struct.unpack("!I", startup[4:8])[0] == 196608:  # version 3.0; before it TLS and GSS are asked for
                break
            client.sendall(b"N")
        sessions = []
        for _ in range(SESSIONS):
            session = socket.socket(socket.AF_UNIX)
            session.connect(server)
            session.sendall(startup)
            greeting, _ = _answer(session)
            sessions.append(session)
        client.sendall(greeting)
        turn = 0
        while True:
            asked = b""
            while not asked or asked[:1] not in b"QS":  # a simple query, or the end of an extended one
                kind = _exactly(client, 1)
                size = _exactly(client, 4)
                message = kind + size + _exactly(client, struct.unpack("!I", size)[0] - 4)
                sessions[turn % SESSIONS].sendall(message)
                asked = message
                if kind == b"X":
                    return
            answer, state = _answer(sessions[turn % SESSIONS])
            client.sendall(answer)
            turn += state == IDLE


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
