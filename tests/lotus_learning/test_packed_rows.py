"""Windows packed day by day: joined they are those of the tables, bit for bit, in the order of the learning days."""

from dataclasses import fields

import numpy as np
import pytest

from lotus.learning.packed_rows import joined_rows, packed_rows
from lotus.learning.rows import rows_by_detector


@pytest.fixture(scope="module")
def scores(worlds):
    """Return a world whose first day lacks d0, whose second has another version of it and one asset more."""
    world = worlds.world("plant", seed=3, detectors=2, per_block=60, days=5)
    first, second, *_ = world
    for day, columns in world.items():
        columns["event_id"] = np.array([f"{day}-{i}" for i in range(len(columns["p"]))], dtype=object)
        columns["payoff_p"] = np.where(np.arange(len(columns["p"])) % 7 == 0, np.nan, columns["payoff_p"])
    world[first] = {key: values[world[first]["detector_id"] == "d1"] for key, values in world[first].items()}
    world[second]["asset"] = np.where(np.arange(len(world[second]["p"])) % 3 == 0, "AAA", world[second]["asset"])
    return world


def joined(scores, name):
    """Return the windows of a detector, packed day by day and joined."""
    tables = [rows_by_detector({day: columns}, 1) for day, columns in scores.items()]
    return joined_rows([packed_rows(table[name]) for table in tables if name in table], tuple(scores))


def same(got, expected):
    """Compare every field; identities only where they are kept."""
    for field in fields(expected):
        a, b = getattr(got, field.name), getattr(expected, field.name)
        if field.name == "event_id":
            a, b = a[got.published].astype(str), b[expected.published].astype(str)
        if isinstance(b, np.ndarray):
            assert field.name == "event_id" or a.dtype == b.dtype, field.name
        np.testing.assert_array_equal(a, b, err_msg=field.name)


@pytest.mark.parametrize("name", ["d0", "d1"])
def test_joined_days_are_the_table(scores, name):
    same(joined(scores, name), rows_by_detector(scores, 90)[name])


def test_days_of_an_older_version_are_left_out(scores):
    second = list(scores)[1]
    changed = {
        day: {**columns, "spec_version": np.full(len(columns["p"]), 1 if day == second else 2, np.int32)}
        for day, columns in scores.items()
    }
    got = joined(changed, "d0")
    assert set(got.day.tolist()) == {2, 3, 4}
    same(got, rows_by_detector(changed, 90)["d0"])
