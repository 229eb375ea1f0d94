"""Decisions and strands of the decision-maker in the dm database; every write may be repeated."""

from collections.abc import Mapping
from typing import Any

from lotus.modules.messages.trading import DmDecision
from lotus.timebase import session_of
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query


def put_decision(
    connection: Connection,
    decision: DmDecision,
    lifecycle_id: str,
    parent_id: str = "",
    symbol: str = "",
    timeframe: str = "",
    regime: str | None = None,
) -> None:
    """Write a decision and its strand; those that are there stay.

    The strand of a decision of the book holds what it expects (bps) and within which budget; a probe has neither.
    """
    expected, authority = decision.ticket.get("expected"), decision.ticket.get("authority")
    values = {
        "session_bucket": session_of(decision.time_ms).name, "regime": regime,
        "dm_alpha": None if expected is None else expected["return_bps"],
        "dm_budget": None if authority is None else to_body(authority["budget"]),
        "decision_id": decision.decision_id, "branch": decision.branch, "lifecycle_id": lifecycle_id,
        "kind": decision.kind,
        "time_ms": decision.time_ms, "ticket": to_body(decision.ticket), "parent_id": parent_id, "symbol": symbol,
        "timeframe": timeframe,
    }  # fmt: skip
    connection.execute(query("dm", "put_decision"), values)


def decision_of(connection: Connection, decision_id: str) -> dict[str, Any] | None:
    """Return the ticket of a decision, None when there is none of that name."""
    row = connection.execute(query("dm", "decision_of"), [decision_id]).fetchone()
    return None if row is None else dict(row[0])


def judge_decision(connection: Connection, decision_id: str, judgement: Mapping[str, Any]) -> None:
    """Write what became of a decision to its strand."""
    connection.execute(query("dm", "judge_decision_strand"), [to_body(judgement), decision_id])


def judge_book(connection: Connection, decision_id: str, plan_id: str, judgement: Mapping[str, Any]) -> None:
    """Write what became of one plan of a decision of the book to its strand, beside its other plans."""
    connection.execute(query("dm", "judge_book_strand"), [plan_id, to_body(judgement), decision_id])


def void_book_plans(connection: Connection, branch: str, from_ms: int, until_ms: int) -> frozenset[str]:
    """Return the plans of decisions of the book in [from_ms, until_ms) that our own machine prevented."""
    rows = connection.execute(query("dm", "void_book_plans"), [branch, from_ms, until_ms])
    return frozenset(str(row[0]) for row in rows)


def note_trigger(connection: Connection, decision_id: str, trigger: Mapping[str, Any]) -> None:
    """Add what became of a decision's trigger to its strand, after what was told before."""
    connection.execute(query("dm", "note_trigger"), [to_body([trigger]), decision_id])
