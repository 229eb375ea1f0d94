"""A table's specification: columns by name, their NumPy types, and an error that lists those it has."""

import numpy as np
import pytest

from lotus.columns import Column, TableSpec
from lotus.errors import SchemaError

TABLE = TableSpec("t", ("at",), (Column("at", "i8", "ms", "when"), Column("who", "text", "", "name", nullable=True)))


def test_columns_are_found_by_name_with_their_types() -> None:
    assert TABLE.names == ("at", "who")
    assert TABLE.numpy_dtype("at") == np.dtype(np.int64)
    assert TABLE.numpy_dtype("who") == np.dtype(object)
    assert TABLE.column("who").nullable


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(SchemaError, match=r"table t has no column 'when'.*one of at, who"):
        TABLE.column("when")
