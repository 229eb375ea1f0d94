"""PRIOR_PATCH: proposing a version of the priors, applying it, and the acknowledgement PRIOR_PATCH_APPLIED.

A module (sig, dm, tr) patches its own priors alone, and a version holds braids of its own scope. It takes effect at a
future event time; one that comes too late is refused with an answer that says so, and is to be issued again with a
later time. Applying twice leaves the same rows. What the version contains was decided by weave.
"""

import time
from itertools import count

import msgspec

from lotus.errors import BeliefError
from lotus.hashing import natural_id
from lotus.modules.envelope import Envelope, Message, RefusedError
from lotus.modules.intents import Intent, Module, Reason
from lotus.modules.payloads import (
    PRIOR_PATCH_APPLIED,
    PriorPatch,
    PriorPatchApplied,
    patch_message,
    payload_of,
    ref_of,
)
from lotus.priors.types import PriorsVersion
from lotus_herald.carry import carry
from lotus_herald.consume import Delivery, Handlers, consume
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.priors.weave_notes import note_alert, note_lesson, note_review
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs import priors
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.messages import boxes

PATIENCE_S = 30.0
SCOPES = {Module.SIG: ("sig", "cross"), Module.DM: ("dm",), Module.TR: ("tr",)}


def propose(
    connection: Connection,
    version: PriorsVersion,
    day: str,
    parent_priors_ver: str,
    keys: Keys,
    module: Module = Module.SIG,
) -> Envelope | None:
    """Put the patch for a version learned on `day` into the module's outbox, in the caller's transaction.

    Safe to repeat.

    Returns None when the version is already in force from its moment. When another one is (the day was learned again),
    the patch names the message that brought it, so that it is not taken for a repetition; a patch that was refused
    before is considered again.
    """
    holder = priors.brought_by(connection, version.branch, version.effective_from_ms, module.value)
    if holder is not None and holder[0] == version.priors_ver:
        return None
    braids = [to_plain(braid) for braid in version.braids]
    patch = PriorPatch(
        branch=version.branch,
        day=day,
        priors_ver=version.priors_ver,
        effective_from_ms=version.effective_from_ms,
        parent_priors_ver=parent_priors_ver,
        braids=braids,
    )
    message = patch_message(patch, holder[1] if holder else "", module)
    envelope = send(connection, module, message, keys)
    boxes.reconsider(connection, module.value, envelope.event_id)
    return envelope


def apply_patch(delivery: Delivery) -> str:
    """Handle PRIOR_PATCH in sig, dm and tr: keep the version, put it in force from its time on, acknowledge.

    Refused (with an acknowledgement that says so): `late`, when its time has passed; `parent`, when it does not follow
    the version in force before it. Raises `RefusedError` for a payload that does not hash to its name, and for a patch
    of another module or with braids of another scope.
    """
    patch = payload_of(delivery.envelope.payload, PriorPatch)
    version, module = _version(patch), delivery.module
    _check_own(delivery, version)
    before = priors.followed_at(delivery.connection, patch.branch, patch.effective_from_ms - 1, module.value)
    holder = priors.brought_by(delivery.connection, patch.branch, patch.effective_from_ms, module.value)
    known = holder is not None and holder[0] == patch.priors_ver
    reason = ""
    if patch.parent_priors_ver != before.priors_ver:
        reason = "parent"
    elif not known and patch.effective_from_ms <= delivery.event_time_ms:
        reason = "late"
    if not reason:
        priors.put_version(delivery.connection, version, patch.day, before, module.value)
        priors.put_in_force(delivery.connection, version, delivery.envelope.event_id, module.value)
    delivery.answer(_acknowledgement(delivery, patch, reason))
    return "refused" if reason else "applied"


def note_applied(delivery: Delivery) -> str:
    """Handle PRIOR_PATCH_APPLIED: the answer itself is the record; only its form is verified."""
    payload_of(delivery.envelope.payload, PriorPatchApplied)
    return "applied"


def _check_own(delivery: Delivery, version: PriorsVersion) -> None:
    """Raise `RefusedError` for beliefs that are not the module's own to hold."""
    module, sender = delivery.module, delivery.envelope.sender
    strange = sorted({braid.scope for braid in version.braids} - set(SCOPES[module]))
    if sender is not module or strange:
        found = f"a patch of {sender} with braids of scope {', '.join(strange) or 'its own'}"
        raise RefusedError(Reason.NOT_ALLOWED, found, f"one of {module} with scope {' or '.join(SCOPES[module])}")


PRIOR_HANDLERS: Handlers = {
    Intent.PRIOR_PATCH: apply_patch,
    Intent.PRIOR_PATCH_APPLIED: note_applied,
    Intent.WATCHDOG_ALERT: note_alert,
    Intent.LESSON_PUBLISHED: note_lesson,
    Intent.LEARNING_UPDATE: note_review,
}


KNOB_HANDLERS: Handlers = {
    Intent.PRIOR_PATCH: apply_patch,
    Intent.PRIOR_PATCH_APPLIED: note_applied,
    Intent.WATCHDOG_ALERT: note_alert,
    Intent.LESSON_PUBLISHED: note_lesson,
}
PRIORS_OF = {Module.SIG: PRIOR_HANDLERS, Module.DM: KNOB_HANDLERS, Module.TR: KNOB_HANDLERS}


def hand_over(
    databases: Databases, version: PriorsVersion, keys: Keys, event_time_ms: int, module: Module = Module.SIG
) -> None:
    """Carry and apply what waits on the version's branch, then verify that the version is in force from its time on.

    One synchronous round for a backfill and for the nightly run; safe to repeat. Rows that another Herald, or a killed
    one whose session the server has not yet ended, holds at this moment are waited for. Raises `BeliefError` when the
    patch was refused or died, saying why.
    """
    deadline = time.monotonic() + PATIENCE_S
    own_only = module is not Module.SIG  # what else waits for dm and tr is the daemon's
    with databases.connect(module.value, autocommit=True) as connection:
        for rounds in count(1):
            carry(databases, version.branch, senders=(module,))
            consume(databases, module, PRIORS_OF[module], keys, event_time_ms, version.branch, own_only)
            if _settled(connection, module, version.branch, rounds) or time.monotonic() > deadline:
                break
            time.sleep(0.01)
        holder = priors.brought_by(connection, version.branch, version.effective_from_ms, module.value)
    if holder is None or holder[0] != version.priors_ver:
        found = holder[0] if holder else "nothing new"
        raise BeliefError(
            f"{found} is in force from {version.effective_from_ms} on branch {version.branch}",
            version.priors_ver,
            f"the patch came too late (event time {event_time_ms}), does not follow the version before, or is dead",
        )


def _settled(connection: Connection, module: Module, branch: str, rounds: int) -> bool:
    """Tell whether patch and answer are through; two rounds carry both."""
    if module is Module.SIG:
        return not boxes.anything_open(connection, module.value, branch)
    own = [intent.value for intent in PRIORS_OF[module]]
    return rounds > 1 and not boxes.waiting(connection, module.value, branch, own)


def _version(patch: PriorPatch) -> PriorsVersion:
    values = {
        "priors_ver": patch.priors_ver,
        "branch": patch.branch,
        "effective_from_ms": patch.effective_from_ms,
        "braids": patch.braids,
    }
    try:
        return msgspec.convert(values, PriorsVersion, strict=False)
    except (msgspec.ValidationError, BeliefError) as problem:
        expected = "content that hashes to its name"
        raise RefusedError(Reason.BAD_PAYLOAD, f"no version of the priors: {problem}", expected) from problem


def _acknowledgement(delivery: Delivery, patch: PriorPatch, reason: str) -> Message:
    payload = PriorPatchApplied(
        branch=patch.branch,
        day=patch.day,
        priors_ver=patch.priors_ver,
        effective_from_ms=patch.effective_from_ms,
        applied=not reason,
        reason=reason,
        event_time_ms=delivery.event_time_ms,
    )
    return Message(
        to=(delivery.envelope.sender,),
        intent=Intent.PRIOR_PATCH_APPLIED,
        branch=patch.branch,
        schema_ref=ref_of(delivery.module, PRIOR_PATCH_APPLIED),
        payload=msgspec.to_builtins(payload),
        ts=delivery.envelope.ts,
        dedupe_key=natural_id("prior_patch_applied", delivery.envelope.event_id, reason),
        lifecycle_id=delivery.envelope.lifecycle_id,
        parent_id=delivery.envelope.event_id,
        priors_ver=patch.priors_ver,
        tags=(f"{delivery.module}:prior_patch_applied",),
    )
