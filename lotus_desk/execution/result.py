"""What a finished execution tells the other modules: its exec-report-1.0, and the payoff of the window it measured.

A window that the venue did not fill earned exactly 0; one that our own machine prevented is void
(`lotus.trading.execution.void`). How an execution is judged stands in `lotus.trading.execution.report`.
"""

from decimal import Decimal

from lotus.modules.messages.trading import ExecReport
from lotus.trading.execution.report import FillSource, report
from lotus.trading.execution.state import ExecutionState
from lotus.trading.execution.void import void_of
from lotus_desk.execution.stored import choice_in, predicted_in, venue_score_in
from lotus_store.ledger.trading.plans import PlanRow

BPS = Decimal(10_000)
METRICS = (
    "status", "ending", "entry_px", "exit_px", "arrival_px", "slippage_arrival_bps", "latency_ms", "fill_latency_ms",
    "adherence", "bare_ms_max", "fees", "funding_usd", "pnl", "alarms", "knobs",
    "slippage_exit_bps", "finished_ts",
)  # fmt: skip


def payoff_bps(state: ExecutionState, net_usd: Decimal) -> float:
    """Return a net result in bps of the planned notional: planned size at the mid when the entry opened."""
    planned = state.plan.size * (state.arrival_px or Decimal(0))
    return float(BPS * net_usd / planned) if planned and state.entered else 0.0


def report_payload(row: PlanRow, state: ExecutionState, now_ms: int) -> ExecReport:
    """Return the payload of EXEC_REPORT for a finished execution."""
    source: FillSource = "paper_live" if row.venue == "paper" else "venue"
    score, predicted = venue_score_in(row.reference, row.venue), predicted_in(row.reference)
    result = report(state, now_ms, source, score, predicted, choice_in(row.reference))
    net_usd = Decimal(result["pnl"]["net_usd"])
    return ExecReport(
        branch=row.branch,
        decision_id=row.decision_id,
        plan_id=row.plan_id,
        kind="book" if row.kind == "book" else "probe",
        outcome="closed" if state.entered else "unfilled",
        asset=row.coin,
        venue=row.venue,
        time_ms=now_ms,
        payoff_bps=payoff_bps(state, net_usd),
        pnl_usd=float(net_usd),
        refusals=[],
        reference=row.reference,
        report=result,
        void=void_of(state),
    )
