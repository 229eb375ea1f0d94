"""Which stage of which day is finished and with what content: the row that makes a stage's work count.

It is written last, in the transaction of the stage's own rows (transactional completion marker).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query


@dataclass(frozen=True, slots=True)
class DayCommit:
    """One finished stage: content hash and number of rows, hash of all its inputs, notes for people."""

    branch: str
    day: str
    stage: str
    content_hash: str
    rows: int
    inputs_hash: str
    notes: Mapping[str, Any] = field(default_factory=dict)


def commit_day(connection: Connection, commit: DayCommit) -> None:
    """Record a finished stage, replacing an earlier record; the same record again changes nothing."""
    connection.execute(
        query("sig", "put_commit"),
        [
            commit.branch,
            commit.day,
            commit.stage,
            commit.content_hash,
            commit.rows,
            commit.inputs_hash,
            to_body(commit.notes),
        ],
    )


def read_commit(connection: Connection, branch: str, day: str, stage: str) -> DayCommit | None:
    """Return the record of a stage and day, or None when it is not finished."""
    row = connection.execute(query("sig", "read_commit"), [branch, day, stage]).fetchone()
    return _commit(row) if row else None


def read_commits(connection: Connection, branch: str, stage: str | None = None) -> list[DayCommit]:
    """Return the records of a branch (of one stage or of all), ordered by day and stage."""
    rows = connection.execute(query("sig", "read_commits"), {"branch": branch, "stage": stage})
    return [_commit(row) for row in rows]


def last_commits(connection: Connection, branch: str, stage: str, before_day: str, limit: int) -> list[DayCommit]:
    """Return the newest `limit` records of a stage from before a day, oldest first, however long the history is."""
    rows = connection.execute(query("sig", "last_commits"), [branch, stage, before_day, limit]).fetchall()
    return [_commit(row) for row in reversed(rows)]


def first_commit(connection: Connection, branch: str, stage: str) -> DayCommit | None:
    """Return the oldest record of a stage, None without one."""
    row = connection.execute(query("sig", "first_commit"), [branch, stage]).fetchone()
    return _commit(row) if row else None


def commits_of_days(connection: Connection, branch: str, days: Sequence[str]) -> list[DayCommit]:
    """Return the records of a branch on some days, ordered by day and stage."""
    return [_commit(row) for row in connection.execute(query("sig", "commits_of_days"), [branch, list(days)])]


def committed_days(connection: Connection, branch: str, stage: str) -> list[str]:
    """Return the days on which a stage is finished, oldest first."""
    return [commit.day for commit in read_commits(connection, branch, stage)]


def forget_commits(connection: Connection, branch: str, from_day: str) -> int:
    """Forget the records of a branch from a day on (a re-run from that day was asked for); return how many."""
    return connection.execute(query("sig", "forget_commits"), [branch, from_day]).rowcount


def _commit(row: tuple[Any, ...]) -> DayCommit:
    return DayCommit(*row)
