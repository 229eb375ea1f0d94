"""What-ifs in the ledger: numbered among overlapping days, answered once, never changed."""

import psycopg
import pytest

from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.what_ifs import AskedWhatIf, register, stored_what_if


def asked(name: str, first: int, last: int, branch: str = "main") -> AskedWhatIf:
    return AskedWhatIf(name, branch, f"2026-01-{first:02}", f"2026-01-{last:02}", "without x")


def test_a_question_is_numbered_among_overlapping_days_and_answered_once(databases: Databases) -> None:
    with databases.connect("sig") as c:
        numbers = [
            register(c, one, lambda k: {"number": k})["number"]
            for one in (asked("a", 1, 10), asked("b", 10, 12), asked("c", 11, 12), asked("d", 1, 12),
                        asked("e", 1, 12, "other"))
        ]  # fmt: skip
        assert numbers == [1, 2, 2, 4, 1]
        again = register(c, asked("a", 1, 10), lambda k: pytest.fail("asked twice"))
        assert again == {"number": 1} == stored_what_if(c, asked("a", 1, 10))
        assert stored_what_if(c, asked("x", 1, 10)) is None


def test_an_answer_that_fails_leaves_no_row_and_none_is_changed(databases: Databases) -> None:
    def fail(_: int) -> dict[str, int]:
        raise ValueError("killed")

    with databases.connect("sig") as c:
        with pytest.raises(ValueError, match="killed"):
            register(c, asked("f", 20, 21), fail)
        assert register(c, asked("f", 20, 21), lambda k: {"number": k}) == {"number": 1}
    with databases.connect("sig") as c, pytest.raises(psycopg.errors.InsufficientPrivilege):
        c.execute("UPDATE what_ifs SET number = 9")
