"""Validators of payloads, compiled once from the manifests: a closed msgspec structure per schema reference.

The same validator serves both ends of a message. What a message means does not belong here. (Literature: schema
registry, data contract.)
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Module, Reason
from lotus.modules.payloads import Day, Hash, Payload
from lotus_store.manifests.model import Field, PayloadSpec, load_manifest, load_payloads

PLAIN: dict[str, Any] = {
    "text": str,
    "hash": Hash,
    "day": Day,
    "integer": int,
    "number": float,
    "boolean": bool,
    "object": dict[str, Any],
    "texts": list[str],
    "objects": list[dict[str, Any]],
}


def payload_type(name: str, spec: PayloadSpec) -> type[Payload]:
    """Return the closed structure of a payload spec."""
    fields = [
        (field, _member(note), msgspec.NODEFAULT if note.default is None else note.default)
        for field, note in spec.fields.items()
    ]
    made: Any = msgspec.defstruct(name, fields, bases=(Payload,), frozen=True, kw_only=True, forbid_unknown_fields=True)
    kind: type[Payload] = made
    return kind


@cache
def validators() -> Mapping[str, type[Payload]]:
    """Return the structure of every schema reference that some module sends."""
    kinds = {name: payload_type(name, spec) for name, spec in load_payloads().items()}
    sent = [event for module in Module for event in load_manifest(module.value).events.outbound]
    return {event.schema_ref: kinds[event.payload] for event in sent}


@cache
def accepted(module: Module) -> frozenset[str]:
    """Return the schema references that a module hears."""
    return frozenset(event.schema_ref for event in load_manifest(module.value).events.inbound)


def check_payload(schema_ref: str, payload: Mapping[str, Any]) -> None:
    """Raise `RefusedError` (bad_payload) unless the payload has the form that its schema reference names."""
    kind = validators().get(schema_ref)
    if kind is None:
        raise RefusedError(Reason.BAD_PAYLOAD, f"no module sends {schema_ref}", "a schema_ref of a manifest")
    try:
        msgspec.convert(payload, kind)
    except msgspec.ValidationError as problem:
        raise RefusedError(Reason.BAD_PAYLOAD, f"no {kind.__name__}: {problem}", schema_ref) from problem


def form_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of one structure without its prose, so that two forms can be compared."""
    _, parts = msgspec.json.schema_components([kind])
    form = parts[kind.__name__]
    return {key: value for key, value in form.items() if key not in ("title", "description")}


def _member(note: Field) -> Any:
    if note.enum:
        return Literal[note.enum]
    low, high = note.range or (note.min, None)
    if note.type == "integer":
        low, high = (None if bound is None else int(bound) for bound in (low, high))
    if note.type in ("integer", "number") and (low is not None or high is not None):
        return Annotated[PLAIN[note.type], Meta(ge=low, le=high)]
    if note.min_length is not None or note.max_length is not None:
        return Annotated[PLAIN[note.type], Meta(min_length=note.min_length, max_length=note.max_length)]
    return PLAIN[note.type]
