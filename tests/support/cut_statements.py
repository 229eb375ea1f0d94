"""Work on databases that is cut off before each of its statements in turn, and begun again."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest


def cut_everywhere(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> int:
    """Begin work again until it ends, cut off before its first, second, ... statement; return how often it was cut.

    The connection is closed as os._exit would: the server rolls back what is open.
    """
    real, steps, limit = psycopg.Connection.execute, 0, 0

    def cut(self: Any, *args: Any, **words: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == limit:
            self.close()
            raise KeyboardInterrupt
        return real(self, *args, **words)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "execute", cut)
        while True:
            steps, limit = 0, limit + 1
            try:
                work()
            except KeyboardInterrupt:
                continue
            return limit - 1
