"""Table specifications: the one place from which schemas, documentation and tests of a table come.

A `TableSpec` names the columns of a lake table with type, unit, range and null rule. It holds no data.
"""

from dataclasses import dataclass

import numpy as np

from lotus.errors import SchemaError


@dataclass(frozen=True, slots=True)
class Column:
    """One column: numpy dtype string ("f8", "i8", "u1", "?", "text"), unit, closed range and null rule."""

    name: str
    dtype: str
    unit: str
    doc: str
    nullable: bool = False
    low: float | None = None
    high: float | None = None


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
