"""The board of braids: the newest row of each, with the windows and commit it came from."""

from dataclasses import replace

import pytest

from lotus.errors import LedgerError
from lotus.priors.types import IDENTITY, Literal, Patch, Rule
from lotus.weave.braid import Braid, Quality
from lotus.weave.night import BraidEvent
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs import braids, lessons

DAY = "2025-01-02"
RULE = Rule.of(Literal(0, 1, 2), Literal(9, 0, 1))


def braid(name: str) -> Braid:
    return Braid(
        braid_id=name, branch="main", braid_type="micro", detector_id="d", horizon_s=30, rule=RULE, sign=1,
        lesson_id="l", grade="A", claim_bps=1.0, lcb_bps=0.5, ci95=(0.1, 2.0), support=10,
        quality=Quality(0.1, 0.2, 0.3, 0.4), target=Patch(-0.05, 1.02), patch=Patch(-0.0, 1.0), delta_wanted=0.2,
        delta_realised=(0.1, 0.0, 0.2), state="proposed", reason="", effective_from_ms=5, expires_at_ms=9,
        members_sample=("e",),
    )  # fmt: skip


def event(name: str, old: str, new: str) -> BraidEvent:
    return BraidEvent(name, old, new, "because", "before", "after")


def test_the_board_is_the_newest_row_of_each_braid(databases: Databases) -> None:
    a, b = braid("a"), braid("b")
    a2 = replace(a, state="active", patch=Patch(-0.02, 1.01))
    a3 = replace(a2, state="archived", patch=IDENTITY)
    with databases.connect("sig") as c:
        for _ in range(2):
            braids.write_night(
                c, "main", "2025-01-01", [a, b], [event("a", "none", "proposed"), event("b", "none", "proposed")]
            )
            braids.write_night(c, "main", "2025-01-02", [a2, b], [event("a", "proposed", "active")])
            braids.write_night(c, "main", "2025-01-03", [a3, b], [event("a", "active", "archived")])
        assert repr(braids.read_registry(c, "main", "2025-01-01")) == repr([a, b])
        assert repr(braids.read_registry(c, "main", "2025-01-02")) == repr([a2, b])
        assert repr(braids.read_registry(c, "main")) == repr([a3, b])
        assert braids.read_registry(c, "other") == []
        assert [h["new_state"] for h in braids.read_history(c, "a")] == ["proposed", "active", "archived"]
        assert repr(braids.read_braid(c, "a")) == repr(a3)
        view = c.execute("SELECT braid_id, state, detector_id, expires_at_ms FROM braids ORDER BY 1").fetchall()
        assert view == [("a", "archived", "d", 9), ("b", "proposed", "d", 9)]
        with pytest.raises(LedgerError, match="not in its registry"):
            braids.write_night(c, "main", DAY, [a], [event("b", "x", "active")])


def test_rows_say_from_which_windows_and_commit_they_came_and_equal_bodies_keep_theirs(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [event("a", "none", "proposed")]
    select = "SELECT fixtures_hash, git_sha FROM braid_history WHERE branch = 'p' ORDER BY day"
    with databases.connect("sig") as c:
        for commit in ("one", "two"):
            monkeypatch.setattr(braids, "git_sha", lambda commit=commit: commit)
            monkeypatch.setattr(lessons, "git_sha", lambda commit=commit: commit)
            braids.write_night(c, "p", "2025-01-01", [braid("a")], told, "f")
            lessons.write_experiments(c, "p", "2025-01-01", "run", {"lessons": {"run": "r"}})
        braids.write_night(c, "p", "2025-01-02", [replace(braid("a"), state="archived")], told, "g")
        assert c.execute(select).fetchall() == [("f", "one"), ("g", "two")]
        assert c.execute("SELECT git_sha FROM experiments WHERE branch = 'p'").fetchall() == [("one",)]
        lessons.write_experiments(c, "p", "2025-01-01", "run", {"lessons": {"run": "s"}})
        assert c.execute("SELECT git_sha FROM experiments WHERE branch = 'p'").fetchall() == [("two",)]
        view = "SELECT fixtures_hash, git_sha, priors_ver FROM sig_braid WHERE branch = 'p'"
        assert c.execute(view).fetchall() == [("g", "two", "before")]
