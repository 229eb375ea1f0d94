"""EXEC_REPORT as the alpha detector hears it: a window as it was executed, from which its day's outcomes are made."""

from lotus_herald.consume import Delivery
from lotus_store.ledger.signals.executions import Execution, judge_signal, put_execution


def note_execution(delivery: Delivery) -> str:
    """Handle EXEC_REPORT in sig: keep what became of a measured window; plans of the book teach the book alone."""
    told = delivery.envelope.payload
    if told["kind"] != "probe":
        return "applied"
    window = told["reference"]
    body = {"report": told["report"], "refusals": told["refusals"], "pnl_usd": told["pnl_usd"]}
    row = Execution(
        window["event_id"], window["detector_id"], told["asset"], window["window_end_ms"], told["venue"],
        told["outcome"], told["payoff_bps"], body | {"plan_id": told["plan_id"]}, told.get("void", ""),
    )  # fmt: skip
    put_execution(delivery.connection, delivery.envelope.branch, row, delivery.envelope.event_id)
    judge_signal(delivery.connection, row)
    return "applied"
