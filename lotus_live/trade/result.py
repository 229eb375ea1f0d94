"""What came of an execution in numbers: cash of its unique fills, fees, funding, and the payoff of a measured window.

Exact decimals until the last division. A window that was never filled earned exactly 0.
"""

from decimal import Decimal
from typing import Any

from lotus.trading.execution import ExecutionState
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.plans import PlanRow

ZERO = Decimal(0)
BPS = Decimal(10_000)


def pnl_usd(state: ExecutionState) -> Decimal:
    """Return what a closed execution earned after fees and funding."""
    cash = sum((-int(f.side) * f.size * f.px - f.fee_usd for f in state.fills), ZERO)
    return cash - sum((p.usd for p in state.funding.values()), ZERO)


def payoff_bps(state: ExecutionState) -> float:
    """Return the result in bps of the planned notional (planned size at the mid when the entry opened)."""
    planned = state.plan.size * (state.arrival_px or ZERO)
    return float(BPS * pnl_usd(state) / planned) if planned and state.entered else 0.0


def totals(state: ExecutionState) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """Return fills, metrics and position of a finished execution, for its strand."""
    fills = [to_plain(fill) for fill in state.fills]
    metrics = {
        "arrival_px": str(state.arrival_px) if state.arrival_px is not None else None,
        "ending": state.ending.value or state.entry_ending.value,
        "fees_usd": str(sum((f.fee_usd for f in state.fills), ZERO)),
        "funding_usd": str(sum((p.usd for p in state.funding.values()), ZERO)),
        "payoff_bps": payoff_bps(state),
        "alarms": sorted(state.alarms),
    }
    return fills, metrics, {"coin": state.plan.coin, "held": str(state.held), "pnl_usd": str(pnl_usd(state))}


def report_payload(row: PlanRow, state: ExecutionState, now_ms: int) -> dict[str, Any]:
    """Return the payload of EXEC_REPORT for a finished execution."""
    fills, metrics, position = totals(state)
    return {
        "branch": row.branch,
        "decision_id": row.decision_id,
        "plan_id": row.plan_id,
        "kind": row.kind,
        "outcome": "closed" if state.entered else "unfilled",
        "asset": row.coin,
        "venue": row.venue,
        "time_ms": now_ms,
        "payoff_bps": payoff_bps(state),
        "pnl_usd": float(pnl_usd(state)),
        "refusals": [],
        "reference": dict(row.reference),
        "report": {"fills": fills, "metrics": metrics, "position": position},
    }
