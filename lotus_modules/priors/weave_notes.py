"""Messages of the weave: alerts of what lost its patch, lessons and variants told to other modules, reviewers' acts.

Alerts, lessons and variants are records of what a night did; a review only becomes a row, the weave decides on it.
Versions of the priors travel in `prior_patch`.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from lotus.learning.lesson import Lesson
from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import (
    LearningUpdate,
    LessonPublished,
    ReviewNote,
    WatchdogAlert,
    alert_message,
    lesson_message,
    review_message,
)
from lotus.modules.messages.payload import part_of
from lotus.modules.messages.signals import VariantBorn
from lotus.modules.messages.trading import SafetyAlert
from lotus.weave.review import ReviewAct
from lotus.weave.watchdog import BraidAlert
from lotus_herald.consume import Delivery
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.reviews import put_review


def tell_alerts(
    connection: Connection,
    branch: str,
    day: str,
    alerts: Sequence[BraidAlert],
    priors_ver: str,
    keys: Keys,
    module: Module = Module.SIG,
) -> None:
    """Put the alerts of a module's night into its outbox, in the caller's transaction; safe to repeat."""
    for alert in alerts:
        payload = WatchdogAlert(
            branch=branch,
            day=day,
            braid_id=alert.braid_id,
            detector_id=alert.detector_id,
            kind=alert.kind,
            reason=alert.reason,
            e_value=alert.e_value,
            priors_ver=priors_ver,
            scope=alert.scope,
        )
        send(connection, module, alert_message(payload, module), keys)


def tell_lessons(
    connection: Connection, branch: str, day: str, lessons: Sequence[Lesson], keys: Keys, module: Module
) -> None:
    """Put what a module's night accepted into its outbox, in the caller's transaction; safe to repeat."""
    for lesson in lessons:
        payload = LessonPublished(
            branch=branch,
            day=day,
            lesson_id=lesson.lesson_id,
            grade=lesson.grade,
            uplift_bps=lesson.uplift_bps,
            lcb_bps=lesson.lcb_bps,
        )
        send(connection, module, lesson_message(payload, module), keys)


def tell_review(
    connection: Connection, act: ReviewAct, keys: Keys, module: Module = Module.SIG, confidence: float | None = None
) -> None:
    """Put an act into the outbox of the module that it is about, in the caller's transaction; safe to repeat."""
    sure = {} if confidence is None else {"confidence": confidence}
    note = msgspec.convert(msgspec.to_builtins(act) | sure, ReviewNote)
    send(connection, module, review_message(note, module), keys)


def note_lesson(delivery: Delivery[LessonPublished]) -> str:
    """Handle LESSON_PUBLISHED: the message itself is the record."""
    return "applied"


def note_variant(delivery: Delivery[VariantBorn]) -> str:
    """Handle VARIANT_BORN: the message itself is the record."""
    return "applied"


def note_alert(delivery: Delivery[WatchdogAlert | SafetyAlert]) -> str:
    """Handle WATCHDOG_ALERT of a night or of the desk: the message is the record."""
    return "applied"


def note_review(delivery: Delivery[ReviewNote | LearningUpdate]) -> str:
    """Handle a review of a module: keep the act as a row. Raises `RefusedError` for an act of an unknown kind."""
    act = part_of(msgspec.to_builtins(delivery.payload), ReviewAct, "a known kind of act")
    sure = getattr(delivery.payload, "confidence", UNSET)
    confidence = None if sure is UNSET else sure
    put_review(delivery.connection, act, delivery.envelope.event_id, delivery.module.value, confidence)
    return "applied"
