"""Modules, intents of messages, and reasons of dead letters: names only."""

from enum import StrEnum


class Module(StrEnum):
    """The four modules; each writes only its own database."""

    SIG = "sig"
    DM = "dm"
    TR = "tr"
    VIS = "vis"


class Intent(StrEnum):
    """What a message wants."""

    ALPHA_PROPOSED = "ALPHA_PROPOSED"
    ALPHA_WITHDRAWN = "ALPHA_WITHDRAWN"
    META_SIGNAL = "META_SIGNAL"
    ALPHA_HINT = "ALPHA_HINT"
    DM_DECISION = "DM_DECISION"
    TRIGGER_EVAL = "TRIGGER_EVAL"
    EXEC_REPORT = "EXEC_REPORT"
    PRIOR_PATCH = "PRIOR_PATCH"
    PRIOR_PATCH_APPLIED = "PRIOR_PATCH_APPLIED"
    LESSON_PUBLISHED = "LESSON_PUBLISHED"
    LEARNING_UPDATE = "LEARNING_UPDATE"
    VARIANT_BORN = "VARIANT_BORN"
    WATCHDOG_ALERT = "WATCHDOG_ALERT"


class Reason(StrEnum):
    """Why a message became a dead letter."""

    BAD_ENVELOPE = "bad_envelope"  # not JSON, or not the form of lotus-envelope-1
    BAD_PAYLOAD = "bad_payload"  # the payload is not that of its schema_ref
    BAD_HASH = "bad_hash"  # the payload is not the one that was hashed
    BAD_SIGNATURE = "bad_signature"  # nobody known as the sender signed it
    BAD_RELEASE = "bad_release"  # signed by the sender, in a release that it never registered
    NOT_ALLOWED = "not_allowed"  # no route lets the sender send this to that target
    EXPIRED = "expired"  # its time to live ended before it was delivered
    NO_HANDLER = "no_handler"  # the target does not listen to this intent
    SHED = "shed"  # over the quota of its pair or the length of the queue, and of low priority
    UNREACHABLE = "unreachable"  # the target stayed down through every attempt
    HANDLER_FAILED = "handler_failed"  # the handler refused it with an error
    HANDLER_FAULT = "handler_fault"  # the handler broke at every attempt


URGENT, HIGH, NORMAL = 2, 1, 0  # priorities
