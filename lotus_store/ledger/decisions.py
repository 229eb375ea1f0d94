"""Decisions and strands of the decision-maker in the dm database; every write may be repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import query

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision as it was sent: `kind` is probe or book, `time_ms` event time, `ticket` its dm-decision-1.0."""

    decision_id: str
    branch: str
    lifecycle_id: str
    kind: str
    time_ms: int
    ticket: Mapping[str, Any]


def put_decision(connection: Connection, row: DecisionRow, parent_id: str, symbol: str, timeframe: str) -> None:
    """Write a decision and its strand; those that are there stay."""
    values = [row.decision_id, row.branch, row.lifecycle_id, row.kind, row.time_ms, to_body(row.ticket)]
    connection.execute(query("dm", "put_decision"), values)
    strand = [row.decision_id, row.lifecycle_id, parent_id, row.kind, symbol, timeframe, row.lifecycle_id]
    connection.execute(query("dm", "put_decision_strand"), [*strand, row.decision_id])


def decision_of(connection: Connection, decision_id: str) -> dict[str, Any] | None:
    """Return the ticket of a decision, None when there is none of that name."""
    row = connection.execute(query("dm", "decision_of"), [decision_id]).fetchone()
    return None if row is None else dict(_any(row)[0])


def judge_decision(connection: Connection, decision_id: str, judgement: Mapping[str, Any]) -> None:
    """Write what became of a decision to its strand."""
    connection.execute(query("dm", "judge_decision_strand"), [to_body(judgement), decision_id])


def judge_book(connection: Connection, decision_id: str, plan_id: str, judgement: Mapping[str, Any]) -> None:
    """Write what became of one plan of a decision of the book to its strand, beside its other plans."""
    connection.execute(query("dm", "judge_book_strand"), [plan_id, to_body(judgement), decision_id])


def _any(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row
