"""What was read once and is still the same: one value a name, made again when its key changes, by one thread at a time.

In the literature: memoisation, request coalescing.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Remembered:
    """The last value of every name; as many names as the code has, so the memory is bounded."""

    def __init__(self) -> None:
        """Nothing is remembered."""
        self._gate = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._values: dict[str, tuple[Hashable, Any]] = {}

    def of(self, name: str, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of a name that was made with this key, or make it.

        >>> memory = Remembered()
        >>> memory.of("sum", 1, lambda: 2), memory.of("sum", 1, lambda: 3), memory.of("sum", 2, lambda: 4)
        (2, 2, 4)
        """
        with self._gate:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            found = self._values.get(name)
            if found is None or found[0] != key:
                found = self._values[name] = (key, make())
            value: T = found[1]
            return value
