"""Payloads by schema reference: what is inside the messages that are sent today, as closed, typed structures.

The braids of a patch stay plain data here; the receiver rebuilds the version and its hash proves them.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from lotus.hashing import natural_id
from lotus.modules.envelope import Message, RefusedError
from lotus.modules.intents import Intent, Module, Reason
from lotus.timebase import day_start_ms, next_day

PRIOR_PATCH_REF = "urn:schema:sig.prior_patch:v1"
PRIOR_PATCH_APPLIED_REF = "urn:schema:sig.prior_patch_applied:v1"

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


def payload_of(payload: dict[str, Any], kind: type[P]) -> P:
    """Return a typed payload; raises `RefusedError` (bad_payload) when it has another form."""
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as problem:
        raise RefusedError(Reason.BAD_PAYLOAD, f"no {kind.__name__}: {problem}", "its schema") from problem


def patch_message(patch: PriorPatch, replaces: str = "") -> Message:
    """Return the message that carries a patch to the alpha detector.

    Its time is the end of the learning day. `replaces` names the message whose version is in force from the same
    moment, when a day is learned again with another result.
    """
    key = natural_id("prior_patch", patch.branch, patch.day, patch.priors_ver, patch.effective_from_ms, replaces)
    return Message(
        to=(Module.SIG,),
        intent=Intent.PRIOR_PATCH,
        branch=patch.branch,
        schema_ref=PRIOR_PATCH_REF,
        payload=msgspec.to_builtins(patch),
        ts=day_start_ms(next_day(patch.day)),
        dedupe_key=key,
        lifecycle_id=natural_id("priors", patch.branch, patch.day),
        priors_ver=patch.parent_priors_ver,
        priority=1,
        tags=("sig:prior_patch",),
    )
