"""A port of loopback to listen on, or a sentence about why not; what is served there stands elsewhere."""

import os
import socket

LOOPBACK = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Return a socket that listens on a port of loopback, any free one for 0.

    Raises `OSError` that names the port where it is taken (EADDRINUSE) or not allowed (EACCES).
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as problem:
        number = problem.errno or 0
        raise OSError(number, f"port {port} of {LOOPBACK}: {os.strerror(number)}") from problem
