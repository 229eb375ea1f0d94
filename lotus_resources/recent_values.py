"""What the stages of one open home made or read lately, by kind and key of content, so that it is not made again.

A key names content (hashes of commits), so a value that is found is the value that would be made. Bounded by kind.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

T = TypeVar("T")


class RecentKind(NamedTuple):
    """One kind of values, and how many of it are kept."""

    name: str
    size: int


class RecentValues:
    """The most recently used values of each kind; thread-safe."""

    def __init__(self) -> None:
        """Start empty."""
        self._values: dict[RecentKind, OrderedDict[tuple[str, ...], Any]] = {}
        self._gate = threading.Lock()

    def get(self, kind: RecentKind, key: tuple[str, ...], make: Callable[[], T]) -> T:
        """Return the value under `key`, made now when it is not there."""
        with self._gate:
            values = self._values.setdefault(kind, OrderedDict())
            if key in values:
                values.move_to_end(key)
                return cast(T, values[key])
        return self.put(kind, key, make())

    def find(self, kind: RecentKind, key: tuple[str, ...]) -> Any:
        """Return the value under `key`, None when it is not there."""
        with self._gate:
            values = self._values.get(kind, OrderedDict())
            if key in values:
                values.move_to_end(key)
            return values.get(key)

    def take(self, kind: RecentKind, key: tuple[str, ...], make: Callable[[], T]) -> T:
        """Return the value under `key` and keep it no longer; made now when it is not there."""
        with self._gate:
            values = self._values.setdefault(kind, OrderedDict())
            if key in values:
                return cast(T, values.pop(key))
        return make()

    def put(self, kind: RecentKind, key: tuple[str, ...], value: T) -> T:
        """Keep a value under `key`, in the place of one that was there; return it."""
        with self._gate:
            values = self._values.setdefault(kind, OrderedDict())
            values[key] = value
            values.move_to_end(key)
            while len(values) > kind.size:
                values.popitem(last=False)
        return value
