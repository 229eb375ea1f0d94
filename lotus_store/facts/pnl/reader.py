"""The lake as the profit-and-loss page reads it: a part that several sources of fills ask for is read once."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from lotus_store.lake import Lake

MOST_BYTES = 512 * 2**20


class PageReader:
    """Reads parts of a lake and keeps the latest of them, so many bytes in all; nobody may write into what it gives."""

    def __init__(self, lake: Lake, most_bytes: int = MOST_BYTES) -> None:
        """Start without any part."""
        self._lake, self._most, self._held = lake, most_bytes, 0
        self._parts: OrderedDict[tuple[str, str, str, str | None, str | None, tuple[str, ...]], dict[str, NDArray[Any]]]
        self._parts = OrderedDict()

    def days(self, name: str, branch: str) -> list[str]:
        """Return the days of a table and branch, oldest first."""
        return self._lake.days(name, branch)

    def exists(self, name: str, branch: str, day: str, symbol: str | None = None) -> bool:
        """Tell whether a part is there."""
        return self._lake.exists(name, branch, day, symbol)

    def rows(self, name: str, branch: str, day: str) -> int:
        """Return the number of rows of a part, 0 where there is none."""
        return int(self._lake.note(name, branch, day)["rows"]) if self.exists(name, branch, day) else 0

    def read(
        self,
        name: str,
        branch: str,
        day: str,
        symbol: str | None = None,
        *,
        columns: Sequence[str],
        where: str | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Return columns of one part, as `Lake.read` does and raises."""
        key = (name, branch, day, symbol, where, tuple(columns))
        if key in self._parts:
            self._parts.move_to_end(key)
            return self._parts[key]
        part = self._parts[key] = self._lake.read(name, branch, day, symbol, columns=columns, where=where)
        self._held += _bytes(part)
        while self._held > self._most and len(self._parts) > 1:
            self._held -= _bytes(self._parts.popitem(last=False)[1])
        return part


def _bytes(part: dict[str, NDArray[Any]]) -> int:
    return sum(values.nbytes for values in part.values())
