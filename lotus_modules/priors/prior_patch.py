"""PRIOR_PATCH: proposing a version of the priors, applying it, and the answer PRIOR_PATCH_APPLIED.

A module (sig, dm, tr) patches its own priors alone, and a version holds braids of its own scope, the trader's also
compositions across modules. It takes effect at a
future event time; one that comes too late is refused with an answer, and is to be issued again with a
later time. Applying twice leaves the same rows. What the version contains was decided by weave.
"""

import msgspec

from lotus.errors import BeliefError
from lotus.modules.envelope import Envelope, Message, RefusedError
from lotus.modules.intents import Module, Reason
from lotus.modules.messages.beliefs import PriorPatch, PriorPatchApplied, applied_message, patch_message
from lotus.priors.types import PriorsVersion
from lotus_herald.consume import Delivery
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs import priors
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.messages import boxes

SCOPES = {Module.SIG: ("sig", "cross"), Module.DM: ("dm",), Module.TR: ("tr", "cross")}


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


def apply_patch(delivery: Delivery[PriorPatch]) -> str:
    """Handle PRIOR_PATCH in sig, dm and tr: keep the version, put it in force from its time on, acknowledge.

    Refused, with the reason in the answer: `late`, when its time has passed; `parent`, when it does not follow
    the version in force before it. Raises `RefusedError` for a payload that does not hash to its name, and for a patch
    of another module or with braids of another scope.
    """
    patch = delivery.payload
    version, module = _version(patch), delivery.module
    _check_own(delivery, version)
    before = priors.followed_at(delivery.connection, patch.branch, patch.effective_from_ms - 1, module.value)
    holder = priors.brought_by(delivery.connection, patch.branch, patch.effective_from_ms, module.value)
    is_repeated = holder is not None and holder[0] == patch.priors_ver
    reason = ""
    if patch.parent_priors_ver != before.priors_ver:
        reason = "parent"
    elif not is_repeated and patch.effective_from_ms <= delivery.event_time_ms:
        reason = "late"
    if not reason:
        priors.put_version(delivery.connection, version, patch.day, before, module.value)
        priors.put_in_force(delivery.connection, version, delivery.envelope.event_id, module.value)
    delivery.answer(_answer(delivery, reason))
    return "refused" if reason else "applied"


def note_answer(delivery: Delivery[PriorPatchApplied]) -> str:
    """Handle PRIOR_PATCH_APPLIED: the inbox row is the record, read by `lotus_herald.report.answers`."""
    return "applied"


def _check_own(delivery: Delivery[PriorPatch], version: PriorsVersion) -> None:
    """Raise `RefusedError` for beliefs that are not the module's own to hold."""
    module, sender = delivery.module, delivery.envelope.sender
    strange = sorted({braid.scope for braid in version.braids} - set(SCOPES[module]))
    if sender is not module or strange:
        detail = f"a patch of {sender} with braids of scope {', '.join(strange) or 'its own'}"
        raise RefusedError(Reason.NOT_ALLOWED, detail, f"one of {module} with scope {' or '.join(SCOPES[module])}")


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


def _answer(delivery: Delivery[PriorPatch], reason: str) -> Message:
    patch = delivery.payload
    answer = PriorPatchApplied(
        branch=patch.branch,
        day=patch.day,
        priors_ver=patch.priors_ver,
        effective_from_ms=patch.effective_from_ms,
        applied=not reason,
        reason=reason,
        event_time_ms=delivery.event_time_ms,
    )
    return applied_message(answer, delivery.envelope, delivery.module)
