"""The decision-maker's hot messages: a proposal becomes a decision, a report comes back to the decision it is of.

Every published window is measured at unit notional whatever the decision-maker thinks of it (contracts: probe payoff),
so a proposal is passed on as a probe. Each handler writes in the transaction of its message. Allocation of the book is
`lotus.decision`; orders are `lotus.trading`'s.
"""

from dataclasses import dataclass

from lotus.hashing import natural_id
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Intent, Reason
from lotus.modules.trade_messages import decision_message
from lotus.timebase import NS_PER_MS
from lotus_herald.consume import Delivery, Handlers
from lotus_store.ledger.decisions import DecisionRow, judge_decision, put_decision

PROBE_TICKET = {"schema_ver": "dm-decision-1.0", "why": "every published window is measured at unit notional"}


@dataclass(frozen=True, slots=True)
class Decider:
    """The decision-maker of one daemon; `entry_valid_ms` is how long after its window a probe may still be entered."""

    entry_valid_ms: int

    def handlers(self) -> Handlers:
        """Return what it listens to."""
        return {
            Intent.ALPHA_PROPOSED: self.take_alpha,
            Intent.EXEC_REPORT: self.take_report,
        }

    def take_alpha(self, delivery: Delivery) -> str:
        """Handle ALPHA_PROPOSED: decide that the window is measured, and tell the trader."""
        told, envelope = delivery.envelope.payload, delivery.envelope
        signal = told["signal"]
        try:
            direction, close_ns = int(signal["direction"]), int(signal["provenance"]["close_recv_ns"])
        except (KeyError, TypeError, ValueError) as problem:
            raise RefusedError(Reason.BAD_PAYLOAD, f"no signal: {problem!r}", "a det-alpha-1.0 payload") from problem
        if direction not in (-1, 1):
            raise RefusedError(Reason.BAD_PAYLOAD, f"direction {direction}", "1 or -1", "a window without a signal")
        time_ms, horizon_s = int(told["time_ms"]), int(told["horizon_s"])
        decision_id = natural_id("probe decision", envelope.branch, told["event_id"])
        target = {
            "asset": told["asset"],
            "side": direction,
            "exit_at_ms": close_ns // NS_PER_MS + 1000 * horizon_s,
            "event_id": told["event_id"],
            "detector_id": told["detector_id"],
            "window_end_ms": time_ms,
            "horizon_s": horizon_s,
            "context": str(signal.get("context", "")),
        }
        ticket = PROBE_TICKET | {"targets": [target]}
        row = DecisionRow(decision_id, envelope.branch, envelope.lifecycle_id, "probe", time_ms, ticket)
        put_decision(delivery.connection, row, envelope.event_id, told["asset"], f"{horizon_s}s")
        message = decision_message(
            envelope.branch, decision_id, "probe", time_ms, time_ms + self.entry_valid_ms, [target], ticket,
            lifecycle_id=envelope.lifecycle_id, parent_id=envelope.event_id,
        )  # fmt: skip
        delivery.answer(message)
        return "applied"

    def take_report(self, delivery: Delivery) -> str:
        """Handle EXEC_REPORT: what became of a decision stands beside it."""
        told = delivery.envelope.payload
        kept = ("outcome", "venue", "payoff_bps", "pnl_usd", "refusals", "time_ms")
        judge_decision(delivery.connection, told["decision_id"], {name: told[name] for name in kept})
        return "applied"
