"""Acts of reviewers in the sig database: append-only rows; what became of them is a record of the night (`review`)."""

import msgspec

from lotus.weave.review import ActOutcome, ReviewAct
from lotus_store.ledger.bodies import from_body
from lotus_store.postgres.queries import Connection, query

KIND = "review"  # kind of experiment rows that hold outcomes


def put_review(connection: Connection, act: ReviewAct, event_id: str) -> None:
    """Keep an act brought by message `event_id`; the same act again changes nothing."""
    row = [act.branch, act.act_id, act.asof_day, act.kind, act.target, act.author, act.reason_code, act.factor]
    connection.execute(query("sig", "put_review"), [*row, act.note, event_id])


def read_reviews(connection: Connection, branch: str, asof_day: str | None = None) -> tuple[ReviewAct, ...]:
    """Return the acts of a branch after one committed day, or all, ordered by day and name."""
    cursor = connection.execute(query("sig", "read_reviews"), {"branch": branch, "day": asof_day})
    names = [c.name for c in cursor.description or ()]
    return tuple(msgspec.convert(dict(zip(names, row, strict=True)), ReviewAct) for row in cursor)


def read_outcomes(connection: Connection, branch: str) -> list[ActOutcome]:
    """Return what became of every act that a night took up, oldest first."""
    rows = connection.execute(query("sig", "all_experiments"), [branch, KIND])
    return [from_body(body, ActOutcome) for _, _, body in rows]
