"""What modules say to one another about what is traded: proposal, cues, decision, report, each named once for ever.

A published window is one lifecycle, a decision of the book another: its name is the `lifecycle_id` of what is said of
it. Building only; what is decided and done stands in `lotus.decision` and `lotus.trading`, the forms in
`sql/common/payloads.yaml`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module

ALPHA_PROPOSED_REF = "urn:schema:sig.alpha_proposed:v1"
ALPHA_WITHDRAWN_REF = "urn:schema:sig.alpha_withdrawn:v1"
ALPHA_HINT_REF = "urn:schema:vis.alpha_hint:v1"
META_SIGNAL_REF = "urn:schema:sig.meta_signal:v1"
DM_DECISION_REF = "urn:schema:dm.dm_decision:v1"
TRIGGER_EVAL_REF = "urn:schema:tr.trigger_eval:v1"
EXEC_REPORT_REF = "urn:schema:tr.exec_report:v1"
TTL_S = 60  # a proposal or decision that waited longer is worth nothing
HINT_TTL_S = 300


def proposed_message(signal: Mapping[str, Any]) -> Message:
    """Return sig's proposal of a published window, from its det-alpha-1.0 payload."""
    more = {name: signal[name] for name in ("detector_id", "horizon_s", "priors_ver")}
    message = _of_window(Intent.ALPHA_PROPOSED, ALPHA_PROPOSED_REF, "alpha proposed", signal, more)
    return replace(message, priors_ver=str(signal["priors_ver"]), priority=1, tags=("dm:evaluate_plan",))


def meta_message(signal: Mapping[str, Any]) -> Message:
    """Return sig's budget cues of a published window, from its ms-1.0 payload; less urgent than its proposal."""
    return _of_window(Intent.META_SIGNAL, META_SIGNAL_REF, "meta signal", signal, {})


def _of_window(intent: Intent, ref: str, key: str, signal: Mapping[str, Any], more: Mapping[str, Any]) -> Message:
    """Return what sig says of a published window, whole under `signal`, with `more` of it beside."""
    branch, event_id = str(signal["branch"]), str(signal["event_id"])
    end_ms = int(signal["provenance"]["window"]["end_ms"])
    told = {"branch": branch, "event_id": event_id, "asset": signal["asset"], "time_ms": end_ms}
    return Message(
        to=(Module.DM,),
        intent=intent,
        branch=branch,
        schema_ref=ref,
        payload={**told, **more, "signal": dict(signal)},
        ts=end_ms,
        dedupe_key=natural_id(key, branch, event_id),
        lifecycle_id=event_id,
        priority=0,
        ttl_sec=TTL_S,
    )


def hint_message(hint: Mapping[str, Any], time_ms: int) -> Message:
    """Return vis's message of what a person or a chart expects, from its alpha-hint-1.0, a thread of its own."""
    hint_id, branch = str(hint["event_id"]), str(hint["branch"])
    return Message(
        to=(Module.DM,),
        intent=Intent.ALPHA_HINT,
        branch=branch,
        schema_ref=ALPHA_HINT_REF,
        payload={
            "hint_id": hint_id,
            "symbol": hint["asset"],
            "timeframe": f"{hint['horizon_s']}s",
            "time_ms": time_ms,
            "chart_hash": "",
            "pattern_flags": [],
            "confidence": float(hint["conviction"]),
            "hint": dict(hint),
        },
        ts=time_ms,
        dedupe_key=hint_key(branch, hint_id),
        lifecycle_id=hint_id,
        priority=1,
        ttl_sec=HINT_TTL_S,
    )


def hint_key(branch: str, hint_id: str) -> str:
    """Return the name under which a hint is sent, once for ever."""
    return natural_id("alpha hint", branch, hint_id)


def withdrawn_message(branch: str, event_id: str, time_ms: int, said_ms: int, reason: str) -> Message:
    """Return sig's message that a view of `time_ms` counts no more, said at `said_ms`; saying it again says nothing."""
    return Message(
        to=(Module.DM,),
        intent=Intent.ALPHA_WITHDRAWN,
        branch=branch,
        schema_ref=ALPHA_WITHDRAWN_REF,
        payload={"branch": branch, "event_id": event_id, "time_ms": time_ms, "reason": reason},
        ts=said_ms,
        dedupe_key=natural_id("alpha withdrawn", branch, event_id),
        lifecycle_id=event_id,
        priority=1,
        ttl_sec=TTL_S,
    )


def decision_message(
    branch: str,
    decision_id: str,
    kind: str,
    time_ms: int,
    valid_until_ms: int,
    targets: Sequence[Mapping[str, Any]],
    ticket: Mapping[str, Any],
    *,
    lifecycle_id: str,
    parent_id: str = "",
) -> Message:
    """Return the decision-maker's decision; `kind` is `probe` or `book`, times are event time."""
    return Message(
        to=(Module.TR,),
        intent=Intent.DM_DECISION,
        branch=branch,
        schema_ref=DM_DECISION_REF,
        payload={
            "branch": branch,
            "decision_id": decision_id,
            "kind": kind,
            "time_ms": time_ms,
            "valid_until_ms": valid_until_ms,
            "targets": [dict(target) for target in targets],
            "ticket": dict(ticket),
        },
        ts=time_ms,
        dedupe_key=natural_id("decision", decision_id),
        lifecycle_id=lifecycle_id,
        parent_id=parent_id,
        priority=1,
        ttl_sec=TTL_S,
    )


def trigger_message(
    branch: str, decision_id: str, plan_id: str, asset: str, seq: int, state: str, time_ms: int,
    details: Mapping[str, Any], *, lifecycle_id: str, parent_id: str,
) -> Message:  # fmt: skip
    """Return what the trader tells of a plan's trigger: event `seq` of its watch, at the end of a frame."""
    return Message(
        to=(Module.DM,),
        intent=Intent.TRIGGER_EVAL,
        branch=branch,
        schema_ref=TRIGGER_EVAL_REF,
        payload={
            "branch": branch,
            "decision_id": decision_id,
            "asset": asset,
            "state": state,
            "time_ms": time_ms,
            "details": dict(details),
        },
        ts=time_ms,
        dedupe_key=natural_id("trigger eval", plan_id, seq),
        lifecycle_id=lifecycle_id,
        parent_id=parent_id,
        priority=1,
        ttl_sec=TTL_S,
    )


def report_message(payload: Mapping[str, Any], *, lifecycle_id: str, parent_id: str, revision: int = 0) -> Message:
    """Return the trader's report on a plan; a later `revision` of it is another message."""
    key = natural_id("exec report", str(payload["plan_id"]), revision)
    return Message(
        to=(Module.DM, Module.SIG),
        intent=Intent.EXEC_REPORT,
        branch=str(payload["branch"]),
        schema_ref=EXEC_REPORT_REF,
        payload=dict(payload),
        ts=int(payload["time_ms"]),
        dedupe_key=key,
        lifecycle_id=lifecycle_id,
        parent_id=parent_id,
        priority=1,
        tags=("tr:execution_complete", "alpha:execution_feedback"),
    )
