"""What braids were worth after people spoke about them, by learning day, and the scores of reviewers read from it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from lotus.governance.review_skill import JudgedReview, ReviewSkill, ReviewValue, judged_reviews, review_skills
from lotus.timebase import next_day
from lotus_store.ledger.beliefs.reviews import ReviewRow
from lotus_store.ledger.day_commits import committed_days
from lotus_store.postgres.queries import Connection, query

WEEK: Final = "governance_week"


def write_review_values(
    connection: Connection, branch: str, day: str, values: Mapping[str, Sequence[ReviewValue]]
) -> None:
    """Replace the values that a Monday made, by module."""
    rows = [
        (branch, day, module, v.act_id, v.of_day, v.windows, v.value_bps)
        for module, of_module in sorted(values.items()) for v in of_module
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(query("sig", "clear_review_values"), [branch, day])
        cursor.executemany(query("sig", "put_review_value"), rows)


def read_review_values(connection: Connection, branch: str, module: str) -> list[ReviewValue]:
    """Return all values of a branch and module, in order of act and day."""
    rows = connection.execute(query("sig", "review_values"), [branch, module])
    return [ReviewValue(*row) for row in rows]


def reviewers_judged(
    sig: Connection, branch: str, module: str, acts: Sequence[ReviewRow]
) -> tuple[list[JudgedReview], list[ReviewSkill]]:
    """Return the acts whose 30 days are over and valued by the newest Monday, and their authors' scores."""
    mondays = [day for day in committed_days(sig, branch, WEEK) if date.fromisoformat(day).weekday() == 0]
    if not acts or not mondays:
        return [], []
    values = read_review_values(sig, branch, module)
    judged = judged_reviews([(row.act, row.confidence) for row in acts], values, next_day(mondays[-1], -1))
    return judged, review_skills(judged, values)
