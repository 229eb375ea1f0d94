"""Files of one table must agree on features, and a row is named by its own file."""

import numpy as np
import pytest
from own_world import file_rows, own_world, rows_of

from lotus.errors import SchemaError
from lotus.own_signals.checks import check_rows
from lotus.own_signals.table import table_of


@pytest.fixture
def world():
    """Return a small world that passes."""
    return own_world(seed=3, days=2, n=60, detectors=2)


def test_the_row_named_is_that_of_its_own_file(world):
    half = np.arange(len(world["ts"])) < 100
    one, two = rows_of(world, half), rows_of(world, ~half)
    two["propensity"][17] = 7.0
    two["propensity"][40] = 8.0
    with pytest.raises(SchemaError, match=r"^b\.csv, column propensity, row 18: 7\.0 \(and 1 more rows\)"):
        check_rows(table_of([file_rows(two, "b.csv"), file_rows(one, "a.csv")]))


def test_files_must_agree_on_features(world):
    half = np.arange(len(world["ts"])) < 100
    one, two = rows_of(world, half), rows_of(world, ~half)
    mixed = {**two, "x_flow": np.full(len(two["ts"]), "up")}
    with pytest.raises(SchemaError, match=r"column x_flow holds text in b\.csv and numbers in a\.csv"):
        table_of([file_rows(one, "a.csv"), file_rows(mixed, "b.csv")]).features["x_flow"]
    del two["x_flow"]
    with pytest.raises(SchemaError, match=r"b\.csv has no column x_flow"):
        table_of([file_rows(one, "a.csv"), file_rows(two, "b.csv")])
