"""Payloads by schema reference: what is inside the messages that are sent today, as closed, typed structures.

The braids of a patch stay plain data here; the receiver rebuilds the version and its hash proves them.
"""

from typing import Annotated, Any, TypeVar
from typing import Literal as OneOf

import msgspec
from msgspec import Meta

from lotus.hashing import natural_id
from lotus.modules.envelope import Message, RefusedError
from lotus.modules.intents import Intent, Module, Reason
from lotus.timebase import day_start_ms, next_day

PRIOR_PATCH, PRIOR_PATCH_APPLIED, WATCHDOG_ALERT = "prior_patch", "prior_patch_applied", "watchdog_alert"
LESSON_PUBLISHED = "lesson_published"
WATCHDOG_ALERT_REF = f"urn:schema:sig.{WATCHDOG_ALERT}:v1"
SAFETY_ALERT_REF = "urn:schema:tr.safety_alert:v1"
REVIEW_REF = "urn:schema:sig.review:v1"

P = TypeVar("P", bound="Payload")
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of all payloads: a closed structure of JSON values."""


class PriorPatch(Payload, frozen=True, kw_only=True):
    """A new version of the priors, learned on `day`, to be in force from `effective_from_ms` (event time) on."""

    branch: str
    day: Day
    priors_ver: Hash
    effective_from_ms: Annotated[int, Meta(ge=0)]
    parent_priors_ver: Hash
    braids: list[dict[str, Any]]


class PriorPatchApplied(Payload, frozen=True, kw_only=True):
    """The answer to a patch: applied, or refused for `reason` (`late`, `parent`, `content`)."""

    branch: str
    day: Day
    priors_ver: Hash
    effective_from_ms: int
    applied: bool
    reason: str
    event_time_ms: int


class WatchdogAlert(Payload, frozen=True, kw_only=True):
    """What the watchdog did to a braid in the night of `day`, with the version that shows it."""

    branch: str
    day: Day
    braid_id: str
    detector_id: str
    kind: str
    reason: str
    e_value: float
    priors_ver: Hash
    scope: OneOf["sig", "dm", "tr", "cross"] = "sig"


class LessonPublished(Payload, frozen=True, kw_only=True):
    """A lesson that others may use; the whole of it is read by its name in the sender's database."""

    branch: str
    day: Day
    lesson_id: str
    grade: str
    uplift_bps: float
    lcb_bps: float


class SafetyAlert(Payload, frozen=True, kw_only=True):
    """What the watchdog of a trading desk found (its kind in one word), and what it did at once, at a unix time."""

    branch: str
    time_ms: Annotated[int, Meta(ge=0)]
    kind: str
    found: str
    expected: str
    done: str


class ReviewNote(Payload, frozen=True, kw_only=True):
    """An act of a reviewer, for the first night after `asof_day`; it changes nothing before that night."""

    act_id: Hash
    branch: str
    asof_day: Day
    kind: str
    target: str
    author: Annotated[str, Meta(min_length=1, max_length=128)]
    reason_code: str
    factor: float
    note: Annotated[str, Meta(max_length=2000)]


CONCERNED: dict[str, tuple[Module, ...]] = {
    "sig": (Module.SIG,),
    "dm": (Module.DM,),
    "tr": (Module.TR,),
    "cross": (Module.SIG, Module.DM, Module.TR),
}


def ref_of(module: Module, form: str) -> str:
    """Return the schema reference of a form as a module sends it.

    >>> ref_of(Module.TR, PRIOR_PATCH)
    'urn:schema:tr.prior_patch:v1'
    """
    return f"urn:schema:{module.value}.{form}:v1"


def payload_of(payload: dict[str, Any], kind: type[P]) -> P:
    """Return a typed payload; raises `RefusedError` (bad_payload) when it has another form."""
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as problem:
        raise RefusedError(Reason.BAD_PAYLOAD, f"no {kind.__name__}: {problem}", "its schema") from problem


def alert_message(alert: WatchdogAlert, sender: Module = Module.SIG) -> Message:
    """Return the message that tells an act of a module's watchdog, once per braid, night and kind, whom it concerns."""
    return Message(
        to=CONCERNED[alert.scope],
        intent=Intent.WATCHDOG_ALERT,
        branch=alert.branch,
        schema_ref=ref_of(sender, WATCHDOG_ALERT),
        payload=msgspec.to_builtins(alert),
        ts=day_start_ms(next_day(alert.day)),
        dedupe_key=natural_id("watchdog", alert.branch, alert.day, alert.braid_id, alert.kind, alert.priors_ver),
        lifecycle_id=natural_id("priors", alert.branch, alert.day),
        priors_ver=alert.priors_ver,
        priority=1,
        tags=(f"{sender}:watchdog",),
    )


def lesson_message(lesson: LessonPublished, sender: Module) -> Message:
    """Return the message that tells a lesson of a module to the others, once."""
    return Message(
        to=tuple(module for module in CONCERNED["cross"] if module is not sender),
        intent=Intent.LESSON_PUBLISHED,
        branch=lesson.branch,
        schema_ref=ref_of(sender, LESSON_PUBLISHED),
        payload=msgspec.to_builtins(lesson),
        ts=day_start_ms(next_day(lesson.day)),
        dedupe_key=natural_id("lesson", lesson.branch, lesson.lesson_id),
        lifecycle_id=natural_id("priors", lesson.branch, lesson.day),
        tags=(f"{sender}:lesson",),
    )


def safety_message(alert: SafetyAlert) -> Message:
    """Return the message that tells what the watchdog of the trading desk did, once for each alert."""
    said = natural_id("safety", alert.branch, alert.time_ms, alert.kind, alert.done)
    return Message(
        to=(Module.SIG, Module.DM),
        intent=Intent.WATCHDOG_ALERT,
        branch=alert.branch,
        schema_ref=SAFETY_ALERT_REF,
        payload=msgspec.to_builtins(alert),
        ts=alert.time_ms,
        dedupe_key=said,
        lifecycle_id=said,
        priority=2,
        tags=("tr:safety",),
    )


def review_message(note: ReviewNote) -> Message:
    """Return the message that carries an act of a reviewer; the same act is the same message for ever."""
    return Message(
        to=(Module.SIG,),
        intent=Intent.LEARNING_UPDATE,
        branch=note.branch,
        schema_ref=REVIEW_REF,
        payload=msgspec.to_builtins(note),
        ts=day_start_ms(next_day(note.asof_day)),
        dedupe_key=natural_id("review", note.act_id),
        lifecycle_id=natural_id("review", note.branch, note.target),
        tags=("sig:review",),
    )


def patch_message(patch: PriorPatch, replaces: str = "", module: Module = Module.SIG) -> Message:
    """Return the message that carries a patch of a module's own priors to itself.

    Its time is the end of the learning day. `replaces` names the message whose version is in force from the same
    moment, when a day is learned again with another result.
    """
    key = natural_id("prior_patch", patch.branch, patch.day, patch.priors_ver, patch.effective_from_ms, replaces)
    return Message(
        to=(module,),
        intent=Intent.PRIOR_PATCH,
        branch=patch.branch,
        schema_ref=ref_of(module, PRIOR_PATCH),
        payload=msgspec.to_builtins(patch),
        ts=day_start_ms(next_day(patch.day)),
        dedupe_key=key,
        lifecycle_id=natural_id("priors", patch.branch, patch.day),
        priors_ver=patch.parent_priors_ver,
        priority=1,
        tags=(f"{module}:prior_patch",),
    )
