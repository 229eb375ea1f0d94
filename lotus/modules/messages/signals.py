"""Messages about views: published windows, their withdrawal, their cues, and hints of people and charts.

A published window is one lifecycle; its name is the `lifecycle_id` of all messages about it. Building only; what is
decided of a view stands in `lotus.decision`.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.payload import Contract, Document, Hash, Payload, TimeMs, message_of
from lotus.timebase import day_start_ms, next_day

TTL_S = 60  # a proposal or decision that waited longer is worth nothing
HINT_TTL_S = 300
FROM_SIG = {Module.SIG: (Module.DM,)}


class AlphaProposed(Payload, frozen=True, kw_only=True):
    """A published window; `signal` is its det-alpha-1.0 payload."""

    contract: ClassVar = Contract(Intent.ALPHA_PROPOSED, FROM_SIG, priority=1)
    branch: str
    event_id: Hash
    detector_id: str
    asset: str
    time_ms: TimeMs
    horizon_s: Annotated[int, Meta(ge=1)]
    priors_ver: Hash
    signal: Document


class AlphaWithdrawn(Payload, frozen=True, kw_only=True):
    """A published window that is taken back."""

    contract: ClassVar = Contract(Intent.ALPHA_WITHDRAWN, FROM_SIG, priority=1)
    branch: str
    event_id: Hash
    time_ms: TimeMs
    reason: Annotated[str, Meta(min_length=1)]


class MetaSignal(Payload, frozen=True, kw_only=True):
    """What is measured about signals; `signal` is its ms-1.0 payload."""

    contract: ClassVar = Contract(Intent.META_SIGNAL, FROM_SIG)
    branch: str
    event_id: Hash
    asset: str
    time_ms: TimeMs
    signal: Document


class AlphaHint(Payload, frozen=True, kw_only=True):
    """What a chart shows, and which side a person or the chart takes; `hint` is its alpha-hint-1.0."""

    contract: ClassVar = Contract(Intent.ALPHA_HINT, {Module.VIS: (Module.SIG, Module.DM)}, priority=1)
    hint_id: Hash
    symbol: str
    timeframe: str
    time_ms: TimeMs
    chart_hash: str
    pattern_flags: list[str]
    confidence: Annotated[float, Meta(ge=0, le=1)]
    hint: Document


class VariantBorn(Payload, frozen=True, kw_only=True):
    """A new version of a detector, its spec as data; `parent_id` names what it came from."""

    contract: ClassVar = Contract(Intent.VARIANT_BORN, {Module.SIG: (Module.DM, Module.TR)})
    branch: str
    day: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    detector_id: str
    parent_id: str
    spec_version: Annotated[int, Meta(ge=1)]
    spec: Document


class WindowClose(msgspec.Struct, frozen=True):
    """When the last line of a window was received, in ns (text in the payload)."""

    close_recv_ns: int


class ProposedSignal(msgspec.Struct, frozen=True):
    """The part of a det-alpha-1.0 payload that a probe needs: side, context bins as text, and the window's close."""

    direction: Literal[-1, 1]
    provenance: WindowClose
    context: str = ""


def proposed_message(signal: Document) -> Message:
    """Return sig's proposal of a published window, from its det-alpha-1.0 payload."""
    branch, event_id, end_ms = _window(signal)
    payload = AlphaProposed(
        branch=branch,
        event_id=event_id,
        detector_id=signal["detector_id"],
        asset=signal["asset"],
        time_ms=end_ms,
        horizon_s=signal["horizon_s"],
        priors_ver=signal["priors_ver"],
        signal=signal,
    )
    message = message_of(
        payload, Module.SIG, branch, end_ms, natural_id("alpha proposed", branch, event_id), event_id
    )  # fmt: skip
    return replace(
        message, priors_ver=payload.priors_ver, priority=1, ttl_sec=TTL_S, tags=("dm:evaluate_plan",)
    )  # fmt: skip


def meta_message(signal: Document) -> Message:
    """Return sig's budget cues of a published window, from its ms-1.0 payload; less urgent than its proposal."""
    branch, event_id, end_ms = _window(signal)
    payload = MetaSignal(branch=branch, event_id=event_id, asset=signal["asset"], time_ms=end_ms, signal=signal)
    key = natural_id("meta signal", branch, event_id)
    return replace(message_of(payload, Module.SIG, branch, end_ms, key, event_id), ttl_sec=TTL_S)


def withdrawn_message(payload: AlphaWithdrawn, now_ms: int) -> Message:
    """Return sig's message at `now_ms` that a view counts no more; a view is withdrawn once."""
    key = natural_id("alpha withdrawn", payload.branch, payload.event_id)
    message = message_of(payload, Module.SIG, payload.branch, now_ms, key, payload.event_id)
    return replace(message, priority=1, ttl_sec=TTL_S)


def variant_message(born: VariantBorn) -> Message:
    """Return sig's message that a version of a detector was born, once."""
    key = natural_id("variant born", born.branch, born.detector_id, born.spec_version)
    time_ms = day_start_ms(next_day(born.day))
    message = message_of(born, Module.SIG, born.branch, time_ms, key, natural_id("variant", born.detector_id))
    return replace(message, to=(Module.DM, Module.TR), tags=("sig:variant",))


def hint_message(hint: Document, time_ms: int) -> Message:
    """Return vis's message of what a person or a chart expects, from its alpha-hint-1.0, a thread of its own."""
    hint_id, branch = str(hint["event_id"]), str(hint["branch"])
    payload = AlphaHint(
        hint_id=hint_id,
        symbol=hint["asset"],
        timeframe=f"{hint['horizon_s']}s",
        time_ms=time_ms,
        chart_hash="",
        pattern_flags=[],
        confidence=float(hint["conviction"]),
        hint=hint,
    )
    message = message_of(payload, Module.VIS, branch, time_ms, hint_key(branch, hint_id), hint_id)
    return replace(message, to=(Module.DM,), priority=1, ttl_sec=HINT_TTL_S)


def hint_key(branch: str, hint_id: str) -> str:
    """Return the name under which a hint is sent once."""
    return natural_id("alpha hint", branch, hint_id)


def _window(signal: Document) -> tuple[str, str, int]:
    """Return branch, name and end (ms) of a published window."""
    return str(signal["branch"]), str(signal["event_id"]), int(signal["provenance"]["window"]["end_ms"])
