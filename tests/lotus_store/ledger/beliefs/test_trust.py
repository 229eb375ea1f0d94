"""Rows of earned trust: a night's rows are replaced whole, and the newest before a day is found."""

import math
from dataclasses import replace

import psycopg
import pytest

from lotus.weave.earned import TrustRow
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.trust import read_trust, trust_before, write_trust

ROW = TrustRow("a", 1, 25.5, 1.75, 1.0, "E 25.5, 200 needed for level 2")
YOUNG = TrustRow("b", 0, 1.0, math.nan, 0.5, "not in force yet")
DAYS = ("2025-01-01", "2025-01-02")


def test_a_night_is_replaced_whole_and_others_stay(databases: Databases) -> None:
    with databases.connect("sig") as c:
        for _ in range(2):
            assert write_trust(c, "main", DAYS[0], [ROW, YOUNG]) == 2
            assert write_trust(c, "main", DAYS[1], [replace(ROW, level=2)]) == 1
        found = read_trust(c, "main", DAYS[0])
        assert found["a"] == ROW
        assert math.isnan(found["b"].snr_low)
        assert write_trust(c, "main", DAYS[0], []) == 0
        assert read_trust(c, "main", DAYS[0]) == {}
        assert read_trust(c, "main", DAYS[1]) == {"a": replace(ROW, level=2)}
        assert read_trust(c, "other", DAYS[1]) == {}


def test_the_newest_row_before_a_day_is_found(databases: Databases) -> None:
    with databases.connect("sig") as c:
        for day, level in zip(DAYS, (1, 2), strict=True):
            write_trust(c, "main", day, [replace(ROW, level=level)])
        assert trust_before(c, "main", "a", "2025-01-03") == (DAYS[1], replace(ROW, level=2))
        assert trust_before(c, "main", "a", DAYS[1]) == (DAYS[0], ROW)
        assert trust_before(c, "main", "a", DAYS[0]) is None


def test_a_level_that_there_is_not_is_refused(databases: Databases) -> None:
    with databases.connect("sig") as c, pytest.raises(psycopg.errors.CheckViolation):
        write_trust(c, "main", DAYS[0], [replace(ROW, level=4)])
