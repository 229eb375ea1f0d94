"""The decision-maker's hot messages: views and cues are kept, a proposal is measured, a report comes back.

Every published window is measured at unit notional whatever the decision-maker thinks of it (docs/concepts/windows.md),
so a proposal is passed on as a probe first, and is a view of the book only if the input filter lets it in. Each handler
writes in the transaction of its message. Allocation of the book is `lotus_modules.dm.allocate`; orders are
`lotus.trading`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import to_builtins

from lotus.decision.alphas import ANY_REGIME, AlphaContext, AlphaInput, CueInput, InputFilter, InputRefusal, ingest
from lotus.decision.knowledge.feedback import DecisionMemory, absorb_report, numbers_of
from lotus.decision.knowledge.regime import regime_in
from lotus.decision.policy.policy import Policy
from lotus.hashing import natural_id
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Reason
from lotus.modules.messages.payload import Document, part_of
from lotus.modules.messages.signals import AlphaHint, AlphaProposed, AlphaWithdrawn, MetaSignal, ProposedSignal
from lotus.modules.messages.trading import DmDecision, ExecReport, TriggerEval, WindowTarget, decision_message
from lotus.timebase import DAY_MS, NS_PER_MS, day_of
from lotus_herald.consume import Delivery
from lotus_store.ledger.trading import inputs
from lotus_store.ledger.trading.decisions import judge_book, judge_decision, note_trigger, put_decision
from lotus_store.ledger.trading.knowledge import executors_by, put_executor

PROBE_TICKET = {"schema_ver": "dm-decision-1.0", "why": "every published window is measured at unit notional"}
CUE_KEPT_MS = 120_000  # twice the age at which a cue stops to count
REFUSED_KEPT_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Decider:
    """The decision-maker of one daemon; `entry_valid_ms` is how long after its window a probe may still be entered.

    `input_filter` names its sources, `policy` scores executors; `now_ms` is the clock of the feed.
    """

    entry_valid_ms: int
    input_filter: InputFilter
    policy: Policy
    now_ms: Callable[[], int]

    def take_alpha(self, delivery: Delivery[AlphaProposed]) -> str:
        """Handle ALPHA_PROPOSED: decide that the window is measured, send the decision, and store a view.

        A window that is no view of the book is measured all the same; why it is none stands in `dm_inputs`.
        """
        proposal = delivery.payload
        signal = part_of(proposal.signal, ProposedSignal, "a det-alpha-1.0 payload with the direction 1 or -1")
        regime = regime_in(signal.context)
        self._measure(delivery, signal, regime)
        result = self._read(delivery, proposal.signal, regime)
        if isinstance(result, InputRefusal):
            refused = inputs.RefusedInput(
                kind="view",
                event_id=proposal.event_id,
                source=f"det:{proposal.detector_id}",
                coin=proposal.asset,
                window_end_ms=proposal.time_ms,
                reasons=texts_of(result),
            )
            inputs.put_refused(delivery.connection, proposal.branch, refused, proposal.time_ms + REFUSED_KEPT_MS)
        elif isinstance(result, AlphaInput):
            inputs.put_view(delivery.connection, proposal.branch, result, signal.context)
        return "applied"

    def _measure(self, delivery: Delivery[AlphaProposed], signal: ProposedSignal, regime: str | None) -> None:
        """Decide that a window is measured, and send the decision to the trader."""
        proposal, envelope = delivery.payload, delivery.envelope
        target = to_builtins(
            WindowTarget(
                asset=proposal.asset,
                side=signal.direction,
                exit_at_ms=signal.provenance.close_recv_ns // NS_PER_MS + 1000 * proposal.horizon_s,
                event_id=proposal.event_id,
                detector_id=proposal.detector_id,
                window_end_ms=proposal.time_ms,
                horizon_s=proposal.horizon_s,
                context=signal.context,
            )
        )
        decision = DmDecision(
            branch=envelope.branch,
            decision_id=natural_id("probe decision", envelope.branch, proposal.event_id),
            kind="probe",
            time_ms=proposal.time_ms,
            valid_until_ms=proposal.time_ms + self.entry_valid_ms,
            targets=[target],
            ticket=PROBE_TICKET | {"targets": [target]},
        )
        place = envelope.lifecycle_id, envelope.event_id, proposal.asset, f"{proposal.horizon_s}s"
        put_decision(delivery.connection, decision, *place, regime)
        delivery.answer(decision_message(decision, envelope.lifecycle_id, envelope.event_id))

    def take_cue(self, delivery: Delivery[MetaSignal]) -> str:
        """Handle META_SIGNAL: keep the cues of a window. Raises `RefusedError` with every reason."""
        result = self._read(delivery, delivery.payload.signal)
        if not isinstance(result, CueInput):
            raise refusal_of(result, "an ms-1.0 payload")
        inputs.put_cue(delivery.connection, delivery.envelope.branch, result, result.window_end_ms + CUE_KEPT_MS)
        return "applied"

    def take_hint(self, delivery: Delivery[AlphaHint]) -> str:
        """Handle ALPHA_HINT: keep what a person or a chart expects. Raises `RefusedError` with every reason."""
        result = self._read(delivery, delivery.payload.hint)
        if not isinstance(result, AlphaInput):
            raise refusal_of(result, "an alpha-hint-1.0 payload under `hint`")
        inputs.put_view(delivery.connection, delivery.envelope.branch, result)
        return "applied"

    def take_withdrawal(self, delivery: Delivery[AlphaWithdrawn]) -> str:
        """Handle ALPHA_WITHDRAWN: the view of a window counts no more, whether it came or is yet to come."""
        view = delivery.payload
        until_ms = view.time_ms + 1000 * self.input_filter.horizons.longest_s
        branch = delivery.envelope.branch
        inputs.withdraw_view(delivery.connection, branch, view.event_id, view.time_ms, until_ms, view.reason)
        return "applied"

    def take_trigger(self, delivery: Delivery[TriggerEval]) -> str:
        """Handle TRIGGER_EVAL: what became of a decision's trigger stands beside it, in the order of its coming."""
        trigger = delivery.payload
        kept = ("asset", "state", "time_ms", "details")
        note_trigger(delivery.connection, trigger.decision_id, {name: getattr(trigger, name) for name in kept})
        return "applied"

    def take_report(self, delivery: Delivery[ExecReport]) -> str:
        """Handle EXEC_REPORT: what became of a decision stands beside it; one of the book scores its executor.

        An execution that our own machine prevented is no evidence about the executor.
        """
        report = delivery.payload
        kept = ("outcome", "venue", "payoff_bps", "pnl_usd", "refusals", "time_ms", "void")
        judgement = {name: getattr(report, name) for name in kept}
        if report.kind != "book":
            judge_decision(delivery.connection, report.decision_id, judgement)
            return "applied"
        judge_book(delivery.connection, report.decision_id, report.plan_id, judgement | {"asset": report.asset})
        if report.report and report.report["revision"] == 0 and not report.void:
            self._score(delivery)
        return "applied"

    def _read(
        self, delivery: Delivery[AlphaProposed | MetaSignal | AlphaHint], signal: Document, regime: str = ANY_REGIME
    ) -> AlphaInput | CueInput | InputRefusal:
        return ingest(signal, AlphaContext(delivery.envelope.lifecycle_id, self.now_ms(), regime), self.input_filter)

    def _score(self, delivery: Delivery[ExecReport]) -> None:
        """Move the score of the executor; what the views paid is read from their own outcomes, not from here."""
        report = delivery.payload
        limits, branch, day = report.limits(), delivery.envelope.branch, day_of(report.time_ms)
        numbers = numbers_of(report.report, limits.max_slippage_bps, limits.max_latency_ms)
        memory = DecisionMemory(executors=executors_by(delivery.connection, branch, day))
        for score in absorb_report(memory, numbers, (), self.policy).executors:
            if score.executor == numbers.executor:
                put_executor(delivery.connection, branch, day, score)


def texts_of(refusal: InputRefusal) -> tuple[str, ...]:
    """Return every reason of a refusal in words."""
    return tuple(f"{r.fault}: {r.member} is {r.found}; expected {r.expected}" for r in refusal.reasons)


def refusal_of(result: AlphaInput | CueInput | InputRefusal, expected: str) -> RefusedError:
    """Return the error that makes an input a dead letter, with every reason."""
    what = "; ".join(texts_of(result)) if isinstance(result, InputRefusal) else f"a {type(result).__name__}"
    return RefusedError(Reason.BAD_PAYLOAD, what, expected)
