"""Messages about what is traded: decisions, triggers, reports of executions, and alerts of the desk's watchdog.

A decision of the book is a lifecycle of its own; one that measures a window belongs to the window's. Building only;
what is decided and done stands in `lotus.decision` and `lotus.trading`.
"""

from typing import ClassVar
from typing import Literal as OneOf

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.payload import Contract, Document, Hash, Payload, TimeMs, message_of, part_of
from lotus.modules.messages.signals import TTL_S


class WindowTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A window that is measured at unit notional: its coin, side and exit, and where it comes from.

    `context` are its bins as text (`lotus.priors.context`). A style that is not ordered is the trader's.
    """

    asset: str
    side: OneOf[-1, 1]
    exit_at_ms: int
    event_id: str
    detector_id: str | UnsetType = UNSET
    window_end_ms: int | UnsetType = UNSET
    horizon_s: int | UnsetType = UNSET
    context: str | UnsetType = UNSET
    entry_style: OneOf["cross", "join", "improve"] | UnsetType = UNSET
    entry_fallback: OneOf["cross", "skip"] | UnsetType = UNSET
    exit_style: OneOf["cross", "join", "improve"] | UnsetType = UNSET


class TargetContext(msgspec.Struct, frozen=True, kw_only=True):
    """The context in which a target of the book is executed; the rest of the target stands in the ticket."""

    coin: str = ""
    context: str = ""


class MeasuredWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The window that a probe measured."""

    event_id: str
    detector_id: str
    window_end_ms: int


class PlanLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a plan of the book, against which its executor is scored."""

    max_slippage_bps: float
    max_latency_ms: float


class PlanReference(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan was made of: the window that a probe measures, or the target of the book; and its knobs.

    `knobs`, `predicted` and `venue_choice` are the choice and the pre-trade estimate as the trader stores them,
    `style_draw` the style that a probe is tried in with the probability of each, `venue_draw` the same of venues where
    there are several. `left_at` are the accounts that a plan was moved from, never having reached their venues.
    `urgency` is the hint of the ticket. A member that does not belong to the plan is not there at all.
    """

    asset: str | UnsetType = UNSET
    side: int | UnsetType = UNSET
    exit_at_ms: int | UnsetType = UNSET
    event_id: str | UnsetType = UNSET
    detector_id: str | UnsetType = UNSET
    window_end_ms: int | UnsetType = UNSET
    coin: str | UnsetType = UNSET
    weight: float | UnsetType = UNSET
    held: float | UnsetType = UNSET
    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET
    mu_bps: float | UnsetType = UNSET
    signals: list[str] | UnsetType = UNSET
    mark: str | UnsetType | None = UNSET
    max_slippage_bps: float | UnsetType = UNSET
    max_latency_ms: float | UnsetType = UNSET
    horizon_s: int | UnsetType = UNSET
    context: str | UnsetType = UNSET
    knobs: Document | UnsetType = UNSET
    predicted: Document | UnsetType = UNSET
    venue_choice: list[Document] | UnsetType = UNSET
    style_draw: Document | UnsetType = UNSET
    venue_draw: Document | UnsetType = UNSET
    left_at: list[str] | UnsetType = UNSET
    urgency: OneOf["immediate", "iceberg", "patient"] | UnsetType = UNSET


class DmDecision(Payload, frozen=True, kw_only=True):
    """What shall be held and by whom it may be executed; `ticket` is its dm-decision-1.0. No orders.

    `targets` of a probe are `WindowTarget`s, those of the book the ticket's with their context (`TargetContext`).
    """

    contract: ClassVar = Contract(
        Intent.DM_DECISION, {Module.DM: (Module.TR,)}, priority=1, answer=Intent.EXEC_REPORT
    )  # fmt: skip
    branch: str
    decision_id: Hash
    kind: OneOf["probe", "book"]
    time_ms: TimeMs
    valid_until_ms: TimeMs
    targets: list[Document]
    ticket: Document

    def windows(self) -> list[WindowTarget]:
        """Return the targets of a probe; raises `RefusedError` for one of another form."""
        return [part_of(target, WindowTarget, "asset, side, exit, event") for target in self.targets]

    def contexts(self) -> dict[str, str]:
        """Return the context of each coin of the book."""
        targets = [part_of(target, TargetContext, "coin, context") for target in self.targets]
        return {target.coin: target.context for target in targets}


class TriggerEval(Payload, frozen=True, kw_only=True):
    """What became of the trigger of a decision."""

    contract: ClassVar = Contract(Intent.TRIGGER_EVAL, {Module.TR: (Module.DM,)}, priority=1)
    branch: str
    decision_id: Hash
    asset: str
    state: OneOf["armed", "fired", "expired", "rejected"]
    time_ms: TimeMs
    details: Document


class ExecReport(Payload, frozen=True, kw_only=True):
    """How a plan was executed; `report` is its exec-report-1.0, a refused plan lists every reason in `refusals`.

    `void` names what of our own machine prevented it (then it is no evidence).
    """

    contract: ClassVar = Contract(Intent.EXEC_REPORT, {Module.TR: (Module.DM, Module.SIG)}, priority=1)
    branch: str
    decision_id: Hash
    plan_id: Hash
    kind: OneOf["probe", "book"]
    outcome: OneOf["closed", "unfilled", "refused"]
    asset: str
    venue: str
    time_ms: TimeMs
    payoff_bps: float
    pnl_usd: float
    refusals: list[str]
    reference: PlanReference
    report: Document
    void: str = ""

    def window(self) -> MeasuredWindow:
        """Return the window of a probe; raises `RefusedError` when the reference names none."""
        return part_of(msgspec.to_builtins(self.reference), MeasuredWindow, "event, detector, window")

    def limits(self) -> PlanLimits:
        """Return the limits of a plan of the book; raises `RefusedError` when the reference has none."""
        return part_of(msgspec.to_builtins(self.reference), PlanLimits, "slippage and latency")


class SafetyAlert(Payload, frozen=True, kw_only=True):
    """What the watchdog of a trading desk found (its kind in one word), and what it did at once, at a unix time."""

    contract: ClassVar = Contract(Intent.WATCHDOG_ALERT, {Module.TR: (Module.SIG, Module.DM)}, priority=2)
    branch: str
    time_ms: TimeMs
    kind: str
    found: str
    expected: str
    done: str


def decision_message(decision: DmDecision, lifecycle_id: str, parent_id: str = "") -> Message:
    """Return the message that carries a decision; it is sent once."""
    key = natural_id("decision", decision.decision_id)
    message = message_of(decision, Module.DM, decision.branch, decision.time_ms, key, lifecycle_id)
    return replace(message, parent_id=parent_id, priority=1, ttl_sec=TTL_S)


def trigger_message(trigger: TriggerEval, plan_id: str, seq: int, lifecycle_id: str, parent_id: str) -> Message:
    """Return the message about event `seq` of the watch of a plan's trigger, at the end of a frame."""
    key = natural_id("trigger eval", plan_id, seq)
    message = message_of(trigger, Module.TR, trigger.branch, trigger.time_ms, key, lifecycle_id)
    return replace(message, parent_id=parent_id, priority=1, ttl_sec=TTL_S)


def report_message(report: ExecReport, lifecycle_id: str, parent_id: str, revision: int = 0) -> Message:
    """Return the trader's report on a plan; a later `revision` of it is another message."""
    key = natural_id("exec report", report.plan_id, revision)
    message = message_of(report, Module.TR, report.branch, report.time_ms, key, lifecycle_id)
    tags = ("tr:execution_complete", "alpha:execution_feedback")
    return replace(message, parent_id=parent_id, priority=1, tags=tags)


def safety_message(alert: SafetyAlert) -> Message:
    """Return the message about an act of the watchdog of the trading desk, once for each alert."""
    name = natural_id("safety", alert.branch, alert.time_ms, alert.kind, alert.done)
    message = message_of(alert, Module.TR, alert.branch, alert.time_ms, name, name)
    return replace(message, priority=2, tags=("tr:safety",))
