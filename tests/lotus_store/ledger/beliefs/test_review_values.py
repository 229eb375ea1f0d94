"""Values of reviews: a Monday's rows replace its own only; reviewers are judged by the newest Monday there is."""

from collections.abc import Iterator

import pytest

from lotus.governance.review_skill import ReviewValue
from lotus.weave.review import ReviewAct
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs.review_values import read_review_values, reviewers_judged, write_review_values
from lotus_store.ledger.beliefs.reviews import ReviewRow
from lotus_store.ledger.day_commits import DayCommit, commit_day

ACT = ReviewRow(ReviewAct("a", "main", "2026-01-01", "approve", "b", "ann"), 0.9)


@pytest.fixture
def sig(databases: Databases) -> Iterator[Connection]:
    with databases.connect("sig") as connection:
        yield connection


def test_a_monday_replaces_its_own_rows(sig: Connection) -> None:
    one, other = ReviewValue("a", "2026-01-02", 3, 1.5), ReviewValue("a", "2026-01-07", 4, -1.0)
    write_review_values(sig, "main", "2026-01-05", {"sig": [one], "tr": [one]})
    write_review_values(sig, "main", "2026-01-12", {"sig": [other]})
    write_review_values(sig, "main", "2026-01-05", {"sig": [one]})
    assert read_review_values(sig, "main", "sig") == [one, other]
    assert read_review_values(sig, "main", "tr") == read_review_values(sig, "other", "sig") == []


def test_an_act_is_judged_once_a_monday_after_its_30_days_stands(sig: Connection) -> None:
    write_review_values(sig, "main", "2026-01-05", {"sig": [ReviewValue("a", "2026-01-02", 3, 1.5)]})
    assert reviewers_judged(sig, "main", "sig", [ACT]) == ([], [])
    for day in ("2026-01-26", "2026-01-31"):
        commit_day(sig, DayCommit("main", day, "governance_week", "x", 0, "x"))
    assert reviewers_judged(sig, "main", "sig", [ACT]) == ([], []), "a Saturday values nothing"
    commit_day(sig, DayCommit("main", "2026-02-02", "governance_week", "x", 0, "x"))
    (judged,), (ann,) = reviewers_judged(sig, "main", "sig", [ACT])
    assert (judged.right, ann.author, round(ann.brier or 0.0, 9)) == (True, "ann", 0.01)
