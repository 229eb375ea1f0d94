"""Commits of days, and the last ones before a day."""

from dataclasses import replace

from lotus_store.databases import Databases
from lotus_store.ledger import day_commits

DAY = "2025-01-02"


def test_the_last_commits_are_those_before_a_day(databases: Databases) -> None:
    days = [f"2025-03-{i:02d}" for i in range(1, 8)]
    with databases.connect("sig") as c, c.transaction(force_rollback=True):
        for day in days:
            day_commits.commit_day(c, day_commits.DayCommit("long", day, "lessons", day, 1, "i"))
            day_commits.commit_day(c, day_commits.DayCommit("long", day, "braids", day, 1, "i"))
        found = day_commits.last_commits(c, "long", "lessons", days[5], 3)
        assert [(x.day, x.stage) for x in found] == [(day, "lessons") for day in days[2:5]]
        assert [x.day for x in day_commits.last_commits(c, "long", "lessons", days[2], 90)] == days[:2]


def test_day_commits(databases: Databases) -> None:
    one = day_commits.DayCommit("main", DAY, "lessons", "h1", 5, "i1", {"text": "x"})
    with databases.connect("sig") as c:
        assert day_commits.read_commit(c, "main", DAY, "lessons") is None
        day_commits.commit_day(c, one)
        before = c.execute("SELECT xmin::text, committed_at FROM day_commits").fetchone()
    with databases.connect("sig") as c:
        day_commits.commit_day(c, one)
        assert c.execute("SELECT xmin::text, committed_at FROM day_commits").fetchone() == before
        assert day_commits.read_commit(c, "main", DAY, "lessons") == one
        other = replace(one, content_hash="h2", day="2025-01-03")
        day_commits.commit_day(c, other)
        day_commits.commit_day(c, replace(one, stage="braids"))
        assert day_commits.committed_days(c, "main", "lessons") == [DAY, "2025-01-03"]
        assert [x.stage for x in day_commits.read_commits(c, "main")] == ["braids", "lessons", "lessons"]
        assert day_commits.forget_commits(c, "main", "2025-01-03") == 1
        assert day_commits.committed_days(c, "main", "lessons") == [DAY]
