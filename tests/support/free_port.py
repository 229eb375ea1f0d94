"""A port for a server of a test that is started later, or again."""

import random
import socket
from contextlib import suppress

PORTS = range(15_000, 32_000)  # below those that connections going out are given, which could take it before the server


def free_port() -> int:
    """Return a port of this machine that nobody listens on; another one in every process, whatever its seed."""
    dice = random.SystemRandom()
    for _ in range(100):
        with socket.socket() as tried, suppress(OSError):
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", port := dice.choice(PORTS)))
            return port
    raise RuntimeError(f"100 ports of {PORTS} tried, and every one is taken")
