"""EXEC_REPORT in the alpha detector: a window as it was executed, from which its day's outcomes are made."""

from lotus.modules.messages.trading import ExecReport
from lotus_herald.consume import Delivery
from lotus_store.ledger.signals.executions import Execution, judge_signal, put_execution


def note_execution(delivery: Delivery[ExecReport]) -> str:
    """Handle EXEC_REPORT in sig: keep what became of a measured window; plans of the book teach the book alone."""
    report = delivery.payload
    if report.kind != "probe":
        return "applied"
    window = report.window()
    row = Execution(
        event_id=window.event_id,
        detector_id=window.detector_id,
        asset=report.asset,
        window_end_ms=window.window_end_ms,
        venue=report.venue,
        outcome=report.outcome,
        payoff_bps=report.payoff_bps,
        body={
            "report": report.report,
            "refusals": report.refusals,
            "pnl_usd": report.pnl_usd,
            "plan_id": report.plan_id,
        },
        void=report.void,
    )
    put_execution(delivery.connection, delivery.envelope.branch, row, delivery.envelope.event_id)
    judge_signal(delivery.connection, row)
    return "applied"
