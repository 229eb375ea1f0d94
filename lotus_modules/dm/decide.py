"""The decision-maker's hot messages: what it is told is kept, a proposal is measured, a report comes back.

Every published window is measured at unit notional whatever the decision-maker thinks of it (docs/concepts/windows.md),
so a proposal is passed on as a probe first, and is a view of the book only if the input filter lets it in. Each handler
writes in the transaction of its message. Allocation of the book is `lotus_modules.dm.allocate`; orders are
`lotus.trading`'s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lotus.decision.alphas import ANY_REGIME, AlphaContext, AlphaInput, CueInput, InputFilter, InputRefusal, ingest
from lotus.decision.knowledge.feedback import DecisionMemory, absorb_report, numbers_of
from lotus.decision.knowledge.regime import regime_in
from lotus.decision.policy.policy import Policy
from lotus.hashing import natural_id
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Intent, Reason
from lotus.modules.trade_messages import decision_message
from lotus.timebase import DAY_MS, NS_PER_MS, day_of
from lotus_herald.consume import Delivery, Handlers
from lotus_store.ledger.trading import inputs
from lotus_store.ledger.trading.decisions import DecisionRow, judge_book, judge_decision, note_trigger, put_decision
from lotus_store.ledger.trading.knowledge import executors_by, put_executor

PROBE_TICKET = {"schema_ver": "dm-decision-1.0", "why": "every published window is measured at unit notional"}
CUE_KEPT_MS = 120_000  # twice the age at which a cue stops to count
REFUSED_KEPT_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Decider:
    """The decision-maker of one daemon; `entry_valid_ms` is how long after its window a probe may still be entered.

    `input_filter` says whom it listens to, `policy` how it scores executors; `now_ms` is the clock of the feed.
    """

    entry_valid_ms: int
    input_filter: InputFilter
    policy: Policy
    now_ms: Callable[[], int]

    def handlers(self) -> Handlers:
        """Return what it listens to."""
        return {
            Intent.ALPHA_PROPOSED: self.take_alpha,
            Intent.ALPHA_WITHDRAWN: self.take_withdrawal,
            Intent.META_SIGNAL: self.take_cue,
            Intent.ALPHA_HINT: self.take_hint,
            Intent.EXEC_REPORT: self.take_report,
            Intent.TRIGGER_EVAL: self.take_trigger,
        }

    def take_alpha(self, delivery: Delivery) -> str:
        """Handle ALPHA_PROPOSED: decide that the window is measured, tell the trader, and keep it as a view.

        A window that is no view of the book is measured all the same; why it is none stands in `dm_inputs`.
        """
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
        context = str(signal.get("context", ""))
        regime = regime_in(context)
        put_decision(delivery.connection, row, envelope.event_id, told["asset"], f"{horizon_s}s", regime)
        message = decision_message(
            envelope.branch, decision_id, "probe", time_ms, time_ms + self.entry_valid_ms, [target], ticket,
            lifecycle_id=envelope.lifecycle_id, parent_id=envelope.event_id,
        )  # fmt: skip
        delivery.answer(message)
        found = self._read(delivery, signal, regime)
        if isinstance(found, InputRefusal):
            refused = inputs.RefusedInput(
                "view", told["event_id"], f"det:{told['detector_id']}", told["asset"], time_ms, texts_of(found)
            )
            inputs.put_refused(delivery.connection, envelope.branch, refused, time_ms + REFUSED_KEPT_MS)
        elif isinstance(found, AlphaInput):
            inputs.put_view(delivery.connection, envelope.branch, found, context)
        return "applied"

    def take_cue(self, delivery: Delivery) -> str:
        """Handle META_SIGNAL: keep the cues of a window. Raises `RefusedError` with every reason."""
        found = self._read(delivery, delivery.envelope.payload["signal"])
        if not isinstance(found, CueInput):
            raise refusal_of(found, "an ms-1.0 payload")
        inputs.put_cue(delivery.connection, delivery.envelope.branch, found, found.window_end_ms + CUE_KEPT_MS)
        return "applied"

    def take_hint(self, delivery: Delivery) -> str:
        """Handle ALPHA_HINT: keep what a person or a chart expects. Raises `RefusedError` with every reason."""
        found = self._read(delivery, delivery.envelope.payload["hint"])
        if not isinstance(found, AlphaInput):
            raise refusal_of(found, "an alpha-hint-1.0 payload under `hint`")
        inputs.put_view(delivery.connection, delivery.envelope.branch, found)
        return "applied"

    def take_withdrawal(self, delivery: Delivery) -> str:
        """Handle ALPHA_WITHDRAWN: the view of a window counts no more, whether it came or is yet to come."""
        told = delivery.envelope.payload
        until_ms = told["time_ms"] + 1000 * self.input_filter.horizons.longest_s
        inputs.withdraw_view(
            delivery.connection, delivery.envelope.branch, told["event_id"], told["time_ms"], until_ms, told["reason"]
        )
        return "applied"

    def take_trigger(self, delivery: Delivery) -> str:
        """Handle TRIGGER_EVAL: what became of a decision's trigger stands beside it, in the order of its coming."""
        told = delivery.envelope.payload
        kept = ("asset", "state", "time_ms", "details")
        note_trigger(delivery.connection, told["decision_id"], {name: told[name] for name in kept})
        return "applied"

    def take_report(self, delivery: Delivery) -> str:
        """Handle EXEC_REPORT: what became of a decision stands beside it; one of the book scores its executor.

        What our own machine prevented says nothing of the executor.
        """
        told = delivery.envelope.payload
        kept = ("outcome", "venue", "payoff_bps", "pnl_usd", "refusals", "time_ms")
        judgement = {name: told[name] for name in kept} | {"void": told.get("void", "")}
        if told["kind"] != "book":
            judge_decision(delivery.connection, told["decision_id"], judgement)
            return "applied"
        judge_book(delivery.connection, told["decision_id"], told["plan_id"], judgement | {"asset": told["asset"]})
        if told["report"] and told["report"]["revision"] == 0 and not told.get("void"):
            self._score(delivery, told)
        return "applied"

    def _read(
        self, delivery: Delivery, signal: Mapping[str, Any], regime: str = ANY_REGIME
    ) -> AlphaInput | CueInput | InputRefusal:
        return ingest(signal, AlphaContext(delivery.envelope.lifecycle_id, self.now_ms(), regime), self.input_filter)

    def _score(self, delivery: Delivery, told: Mapping[str, Any]) -> None:
        """Move the score of the executor; what the views paid is read from their own outcomes, not from here."""
        limits, branch, day = told["reference"], delivery.envelope.branch, day_of(told["time_ms"])
        numbers = numbers_of(told["report"], limits["max_slippage_bps"], limits["max_latency_ms"])
        known = DecisionMemory(executors=executors_by(delivery.connection, branch, day))
        for score in absorb_report(known, numbers, (), self.policy).executors:
            if score.executor == numbers.executor:
                put_executor(delivery.connection, branch, day, score)


def texts_of(refusal: InputRefusal) -> tuple[str, ...]:
    """Return every reason of a refusal in words."""
    return tuple(f"{r.fault}: {r.member} is {r.found}; expected {r.expected}" for r in refusal.reasons)


def refusal_of(found: AlphaInput | CueInput | InputRefusal, expected: str) -> RefusedError:
    """Return the error that makes an input a dead letter, with every reason."""
    what = "; ".join(texts_of(found)) if isinstance(found, InputRefusal) else f"a {type(found).__name__}"
    return RefusedError(Reason.BAD_PAYLOAD, what, expected)
