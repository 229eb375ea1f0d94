"""Table specifications: the one place from which schemas, documentation and tests of a table come.

A `TableSpec` names the columns of a lake table with type, unit, range and null rule. It holds no data. Beside it stand
the columns of names: how they are ranked, and one name in every row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError


@dataclass(frozen=True, slots=True)
class Column:
    """One column: numpy dtype string ("f8", "i8", "u1", "?", "text"), unit, closed range and null rule.

    A `later` column is of numbers and joined a table that was there before: where it is zero throughout it is neither
    stored nor hashed, so such a table has the content and the hash it had without it.
    """

    name: str
    dtype: str
    unit: str
    doc: str
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    later: bool = False


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table: its name (= asset = file name), natural key (= sort order) and columns."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in declared order."""
        return tuple(c.name for c in self.columns)

    def silent(self, columns: Mapping[str, NDArray[np.generic]]) -> set[str]:
        """Return the names of the later columns that are zero throughout, or were left out for it."""
        return {c.name for c in self.columns if c.later and not (c.name in columns and np.any(columns[c.name]))}

    def column(self, name: str) -> Column:
        """Return one column; raises `SchemaError` for a name the table does not have."""
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"table {self.name} has no column {name!r}", f"one of {', '.join(self.names)}")

    def numpy_dtype(self, name: str) -> np.dtype[np.generic]:
        """Return the numpy dtype of a column (text columns are objects)."""
        dtype = self.column(name).dtype
        return np.dtype(object) if dtype == "text" else np.dtype(dtype)


def ranks_of(names: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return the place of every name among the different names in order: what sorts like them, and faster.

    >>> ranks_of(np.array(["b", "a", "b"], object)).tolist()
    [1, 0, 1]
    """
    rank = {name: k for k, name in enumerate(sorted(set(names.tolist())))}
    return np.fromiter(map(rank.__getitem__, names.tolist()), np.int64, len(names))


def repeated(text: str, rows: int) -> NDArray[np.object_]:
    """Return a column that holds one text in every row: the same object, where `np.full` makes one for each row.

    >>> repeated("BTC", 2).tolist()
    ['BTC', 'BTC']
    """
    column = np.empty(rows, dtype=object)
    column.fill(text)
    return column
