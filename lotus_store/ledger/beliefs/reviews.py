"""Acts of reviewers in the database of the module whose braids they are about: append-only rows.

What became of an act is a record of the night that took it up. `module` is sig, dm or tr, and the connection one to its
database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from lotus.weave.review import ActOutcome, ReviewAct
from lotus_store.ledger.bodies import from_body
from lotus_store.postgres.queries import Connection, message_query, query

KIND = "review"  # kind of sig's experiment rows that hold outcomes
OUTCOME = "outcome"  # the same in dm and tr
SIG: Final = "sig"


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """An act with its author's probability in [0, 1] that it will turn out right, None where none was said."""

    act: ReviewAct
    confidence: float | None = None


def put_review(
    connection: Connection, act: ReviewAct, event_id: str, module: str = SIG, confidence: float | None = None
) -> None:
    """Keep an act brought by message `event_id`; the same act again changes nothing."""
    values = [act.branch, act.act_id, act.asof_day, act.kind, act.target, act.author, act.reason_code, act.factor]
    connection.execute(_query(module, "put_review"), [*values, act.note, event_id, confidence])


def read_reviews(
    connection: Connection, branch: str, asof_day: str | None = None, module: str = SIG
) -> tuple[ReviewAct, ...]:
    """Return the acts of a branch after one committed day, or all, ordered by day and name."""
    return tuple(row.act for row in review_rows(connection, branch, asof_day, module))


def review_rows(
    connection: Connection, branch: str, asof_day: str | None = None, module: str = SIG
) -> tuple[ReviewRow, ...]:
    """Return the acts of a branch after one committed day, or all, with their confidence, ordered by day and name."""
    cursor = connection.execute(_query(module, "read_reviews"), {"branch": branch, "day": asof_day})
    names = [c.name for c in cursor.description or ()]
    return tuple(_row(dict(zip(names, row, strict=True))) for row in cursor)


def waiting_reviews(connection: Connection, branch: str, day: str, module: str) -> tuple[ReviewAct, ...]:
    """Return the acts in dm or tr that the night of a day takes up: said before, and taken up by no earlier night."""
    cursor = connection.execute(_query(module, "waiting_reviews"), {"branch": branch, "day": day, "kind": OUTCOME})
    names = [c.name for c in cursor.description or ()]
    return tuple(_row(dict(zip(names, row, strict=True))).act for row in cursor)


def read_outcomes(connection: Connection, branch: str, module: str = SIG) -> list[ActOutcome]:
    """Return what became of every act that a night took up, oldest first."""
    kind = KIND if module == SIG else OUTCOME
    rows = connection.execute(_query(module, "all_experiments"), [branch, kind])
    return [from_body(body, ActOutcome) for _, _, body in rows]


def _row(values: Mapping[str, Any]) -> ReviewRow:
    act = {name: value for name, value in values.items() if name != "confidence"}
    return ReviewRow(msgspec.convert(act, ReviewAct), values["confidence"])


def _query(module: str, name: str) -> bytes:
    return query(SIG, name) if module == SIG else message_query(module, name, "beliefs.sql")
