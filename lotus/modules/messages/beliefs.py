"""Messages about beliefs: versions of the priors, lessons, acts of the watchdog and of reviewers.

The braids of a patch stay documents; the receiver rebuilds the version, and its hash proves them. Building only.
"""

from typing import Annotated, ClassVar
from typing import Literal as OneOf

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from lotus.hashing import natural_id
from lotus.modules.envelope import Envelope, Message
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.payload import (
    EACH_ITSELF,
    EACH_THE_OTHERS,
    Contract,
    Day,
    Document,
    Hash,
    Payload,
    TimeMs,
    message_of,
)
from lotus.timebase import day_start_ms, next_day

CONCERNED: dict[str, tuple[Module, ...]] = {
    "sig": (Module.SIG,),
    "dm": (Module.DM,),
    "tr": (Module.TR,),
    "cross": (Module.SIG, Module.DM, Module.TR),
}


class PriorPatch(Payload, frozen=True, kw_only=True):
    """A new version of the priors, learned on `day`, in force from `effective_from_ms` (event time) on."""

    contract: ClassVar = Contract(
        Intent.PRIOR_PATCH, EACH_ITSELF, priority=1, answer=Intent.PRIOR_PATCH_APPLIED
    )  # fmt: skip
    branch: str
    day: Day
    priors_ver: Hash
    effective_from_ms: TimeMs
    parent_priors_ver: Hash
    braids: list[Document]


class PriorPatchApplied(Payload, frozen=True, kw_only=True):
    """The answer to a patch: applied, or refused for `reason` (late, parent)."""

    contract: ClassVar = Contract(Intent.PRIOR_PATCH_APPLIED, EACH_ITSELF)
    branch: str
    day: Day
    priors_ver: Hash
    effective_from_ms: int
    applied: bool
    reason: str
    event_time_ms: int


class WatchdogAlert(Payload, frozen=True, kw_only=True):
    """What the watchdog did to a braid in the night of `day`, with the version that shows it."""

    contract: ClassVar = Contract(
        Intent.WATCHDOG_ALERT,
        {**EACH_ITSELF, Module.SIG: CONCERNED["cross"], Module.TR: CONCERNED["cross"]},
        priority=2,
    )  # fmt: skip
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

    contract: ClassVar = Contract(Intent.LESSON_PUBLISHED, EACH_THE_OTHERS)
    branch: str
    day: Day
    lesson_id: str
    grade: str
    uplift_bps: float
    lcb_bps: float


class LearningUpdate(Payload, frozen=True, kw_only=True):
    """How a module's own learning stands after a day."""

    contract: ClassVar = Contract(Intent.LEARNING_UPDATE, EACH_THE_OTHERS, planned=True)
    branch: str
    day: Day
    kind: Annotated[str, Meta(min_length=1)]
    body: Document


class ReviewNote(Payload, frozen=True, kw_only=True):
    """An act of a reviewer, for the first night after `asof_day`; it changes nothing before that night.

    `confidence`: the author's probability that it will turn out right; it only counts for the author's score.
    """

    contract: ClassVar = Contract(Intent.LEARNING_UPDATE, {m: (m,) for m in CONCERNED["cross"]}, form="review")
    act_id: Hash
    branch: str
    asof_day: Day
    kind: str
    target: str
    author: Annotated[str, Meta(min_length=1, max_length=128)]
    reason_code: str
    factor: float
    note: Annotated[str, Meta(max_length=2000)]
    confidence: Annotated[float, Meta(ge=0.0, le=1.0)] | UnsetType = UNSET


class WishNote(Payload, frozen=True, kw_only=True):
    """An act for the overlay curator of the decision-maker: a wish, or one that `lifts` another."""

    contract: ClassVar = Contract(Intent.LEARNING_UPDATE, {Module.DM: (Module.DM,)}, form="wish")
    act_id: Hash
    branch: str
    coin: str
    log: float
    author: Annotated[str, Meta(min_length=1, max_length=128)]
    reason: Annotated[str, Meta(min_length=1, max_length=400)]
    from_day: Day
    until_day: Day
    lifts: str


class CurationNote(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An act of a person on a detector or coin: a nudge, a veto, a sign-off, or the lift of an earlier act (`revokes`).

    A veto may hold `at_once`.
    """

    contract: ClassVar = Contract(Intent.LEARNING_UPDATE, {Module.SIG: (Module.SIG,)}, form="curation")
    act_id: Hash
    branch: str
    day: Day
    actor: Annotated[str, Meta(min_length=1, max_length=128)]
    kind: OneOf["nudge", "veto", "lift", "epsilon", "sign_off"]
    target: str
    value: float
    reason: Annotated[str, Meta(min_length=1, max_length=400)]
    evidence_ref: Annotated[str, Meta(max_length=128)]
    from_day: Day
    until_day: Day
    revokes: str
    at_once: bool = False


def patch_message(patch: PriorPatch, replaces: str = "", module: Module = Module.SIG) -> Message:
    """Return the message that carries a patch of a module's own priors to itself.

    Its time is the end of the learning day. `replaces` names the message whose version is in force from the same
    moment, when a day is learned again with another result.
    """
    key = natural_id("prior_patch", patch.branch, patch.day, patch.priors_ver, patch.effective_from_ms, replaces)
    message = _of_day(patch, module, patch.branch, patch.day, key)
    return replace(message, priors_ver=patch.parent_priors_ver, priority=1, tags=(f"{module}:prior_patch",))


def applied_message(answer: PriorPatchApplied, patch: Envelope, module: Module) -> Message:
    """Return a module's answer to a patch, in the thread of the patch."""
    key = natural_id("prior_patch_applied", patch.event_id, answer.reason)
    message = message_of(answer, module, answer.branch, patch.ts, key, patch.lifecycle_id)
    tags = (f"{module}:prior_patch_applied",)
    return replace(message, parent_id=patch.event_id, priors_ver=answer.priors_ver, tags=tags)


def alert_message(alert: WatchdogAlert, sender: Module = Module.SIG) -> Message:
    """Return the message that tells an act of a module's watchdog, once per braid, night and kind, whom it concerns."""
    key = natural_id("watchdog", alert.branch, alert.day, alert.braid_id, alert.kind, alert.priors_ver)
    message = _of_day(alert, sender, alert.branch, alert.day, key)
    tags = (f"{sender}:watchdog",)
    return replace(message, to=CONCERNED[alert.scope], priors_ver=alert.priors_ver, priority=1, tags=tags)


def lesson_message(lesson: LessonPublished, sender: Module) -> Message:
    """Return the message that tells a lesson of a module to the other modules that learn, once."""
    message = _of_day(
        lesson, sender, lesson.branch, lesson.day, natural_id("lesson", lesson.branch, lesson.lesson_id)
    )  # fmt: skip
    others = tuple(module for module in CONCERNED["cross"] if module is not sender)
    return replace(message, to=others, tags=(f"{sender}:lesson",))


def review_message(note: ReviewNote, module: Module) -> Message:
    """Return the message that carries an act of a reviewer to a module; the same act is always the same message."""
    thread = natural_id("review", note.branch, note.target)
    message = _of_day(note, module, note.branch, note.asof_day, natural_id("review", note.act_id))
    return replace(message, lifecycle_id=thread, tags=(f"{module}:review",))


def curation_message(note: CurationNote) -> Message:
    """Return the message that carries an act of a person; the same act is always the same message."""
    thread = natural_id("curation of", note.branch, note.target)
    message = _of_day(note, Module.SIG, note.branch, note.day, natural_id("curation", note.act_id))
    return replace(message, lifecycle_id=thread, tags=("sig:curation",))


def wish_message(note: WishNote) -> Message:
    """Return the message that carries a wish to the decision-maker; the same act is always the same message."""
    thread, key = natural_id("wish of", note.branch, note.coin), natural_id("wish", note.act_id)
    message = message_of(note, Module.DM, note.branch, day_start_ms(note.from_day), key, thread)
    return replace(message, tags=("dm:wish",))


def _of_day(payload: Payload, sender: Module, branch: str, day: str, dedupe_key: str) -> Message:
    """Return a message of the end of a learning day, in the thread of that day's priors."""
    return message_of(
        payload, sender, branch, day_start_ms(next_day(day)), dedupe_key, natural_id("priors", branch, day)
    )  # fmt: skip
