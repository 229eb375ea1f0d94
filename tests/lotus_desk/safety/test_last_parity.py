"""A daemon whose last judged day differed from its replay does not trade; a ledger that is away changes nothing."""

from typing import Any

import pytest

from lotus.errors import LedgerError
from lotus_desk.safety.last_parity import LastParity
from lotus_store.databases import Databases
from lotus_store.ledger.day_commits import DayCommit, commit_day


def judge(databases: Databases, day: str, passed: bool, branch: str = "main") -> None:
    notes: dict[str, Any] = {"checks": [{"name": "schema", "passed": True}, {"name": "live_parity", "passed": passed}]}
    with databases.connect("sig") as sig:
        commit_day(sig, DayCommit(branch, day, "signal_events", "h", 1, "i", notes))


def test_the_last_judged_day_decides(databases: Databases) -> None:
    assert LastParity(databases, "main")(), "nothing was judged"
    judge(databases, "2026-01-01", True)
    judge(databases, "2026-01-02", False)
    judge(databases, "2026-01-03", False, branch="other")
    assert not LastParity(databases, "main")()
    judge(databases, "2026-01-03", True)
    assert LastParity(databases, "main")()
    assert not LastParity(databases, "other")()


def test_it_is_read_again_and_an_absent_ledger_leaves_the_last_answer(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(databases, "2026-01-02", False)
    parity = LastParity(databases, "main")
    assert not parity()
    judge(databases, "2026-01-03", True)
    assert not parity(), "asked a moment ago"
    monkeypatch.setattr("lotus_desk.safety.last_parity.ASKED_EVERY_S", 0.0)
    assert parity()

    def away(*_: object, **__: object) -> None:
        raise LedgerError("the server is gone", "an answer")

    monkeypatch.setattr(databases, "connect", away)
    assert parity()
