"""An execution as JSON and back, exactly, and the knobs chosen for it: what stands in `tr_plans` before it is sent.

The last view of the market is left out; the next one comes within a moment. (Literature: snapshot of event sourcing.)
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, make_dataclass
from typing import Any, get_type_hints

from msgspec import UNSET

from lotus.modules.messages.trading import PlanReference
from lotus.trading.execution.orders import FundingPayment
from lotus.trading.execution.report import Predicted
from lotus.trading.execution.state import ExecutionState
from lotus.trading.plan.knob_choice import KnobChoice
from lotus.trading.plan.plan import Plan
from lotus.trading.plan.venue_choice import VenueScore
from lotus_store.ledger.bodies import from_body, to_plain
from lotus_store.ledger.trading.plans import PlanRow

LEFT_OUT = ("view", "out", "funding")  # funding is keyed by pairs and stands as a list
_KEPT = tuple(f.name for f in fields(ExecutionState) if f.name not in LEFT_OUT)
_HINTS = get_type_hints(ExecutionState)


def _member(held: Field[Any]) -> tuple[str, Any, Any]:
    """Return a member as it may stand in a row; one that came later has its default in an older row."""
    made = (
        field(default=held.default) if held.default_factory is MISSING else field(default_factory=held.default_factory)
    )
    return held.name, _HINTS[held.name], made


_Stored: Any = make_dataclass("_Stored", [_member(f) for f in fields(ExecutionState) if f.name in _KEPT], frozen=True)


def stored(state: ExecutionState) -> dict[str, Any]:
    """Return the state between two steps as plain data."""
    payments = to_plain(list(state.funding.values()))
    return {"funding": payments} | {name: to_plain(getattr(state, name)) for name in _KEPT}


def restored(body: Mapping[str, Any]) -> ExecutionState:
    """Return the state behind stored data; raises `LedgerError` when the row has another form."""
    payments = from_body(body["funding"], list[FundingPayment])
    kept = from_body({name: body[name] for name in _KEPT if name in body}, _Stored)
    funding = {(p.coin, p.time_ms): p for p in payments}
    return ExecutionState(**{name: getattr(kept, name) for name in _KEPT}, funding=funding)


def execution_of(row: PlanRow) -> ExecutionState | None:
    """Return the state that a plan's row holds; None before its first step."""
    return restored(row.execution) if row.execution else None


def plan_of(row: PlanRow) -> Plan:
    """Return the plan that a row holds."""
    return from_body(row.plan, Plan)


def choice_in(reference: PlanReference) -> KnobChoice | None:
    """Return the knobs that were chosen when a plan was accepted, from its reference; None when nobody chose."""
    return from_body(reference.knobs, KnobChoice) if reference.knobs is not UNSET else None


def predicted_in(reference: PlanReference) -> Predicted | None:
    """Return what was predicted when a plan was accepted, from its reference; None while nothing was known."""
    return from_body(reference.predicted, Predicted) if reference.predicted is not UNSET else None


def venue_score_in(reference: PlanReference, venue: str) -> float | None:
    """Return the score with which a plan's venue was chosen, from its reference; None while nothing was known."""
    scores = from_body(reference.venue_choice or (), tuple[VenueScore, ...])
    return next((one.score for one in scores if one.name == venue), None)
