"""All payloads by schema reference: who sends them, who receives them, and their strict decoders.

The structures of `signals`, `trading`, `beliefs` and `monitoring` are the only source; the map of routes, the JSON
Schemas and the pages follow from them. The same check serves both ends of a message. (Literature: schema registry,
message router.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import msgspec

from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Intent, Module, Reason
from lotus.modules.messages import beliefs, monitoring, signals, trading
from lotus.modules.messages.payload import Document, Payload

MODULES = (signals, trading, beliefs, monitoring)


@dataclass(frozen=True, slots=True)
class Route:
    """Senders and targets of one intent, the highest priority that it may claim, and what answers it."""

    senders: frozenset[Module]
    targets: frozenset[Module]
    priority: int
    answer: Intent | None = None


@cache
def payloads() -> tuple[type[Payload], ...]:
    """Return every payload, in the order of its module."""
    classes = [value for module in MODULES for value in vars(module).values() if isinstance(value, type)]
    return tuple(kind for kind in classes if issubclass(kind, Payload) and kind is not Payload)


@cache
def sent_by(sender: Module) -> Mapping[str, type[Payload]]:
    """Return the payloads that a module sends, by schema reference."""
    return {kind.ref(sender): kind for kind in payloads() if sender in kind.contract.routes}


@cache
def received_by(target: Module) -> Mapping[str, type[Payload]]:
    """Return the payloads that a module receives, by schema reference."""
    sent = [(sender, ref, kind) for sender in Module for ref, kind in sent_by(sender).items()]
    return {ref: kind for sender, ref, kind in sent if target in kind.contract.routes[sender]}


@cache
def routes() -> Mapping[Intent, Route]:
    """Return the map: for each intent all senders and all targets of its payloads."""
    out = {}
    for intent in Intent:
        contracts = [kind.contract for kind in payloads() if kind.contract.intent is intent]
        out[intent] = Route(
            senders=frozenset(sender for c in contracts for sender in c.routes),
            targets=frozenset(target for c in contracts for targets in c.routes.values() for target in targets),
            priority=max(c.priority for c in contracts),
            answer=next((c.answer for c in contracts if c.answer is not None), None),
        )
    return out


def decoded(schema_ref: str, payload: Document) -> Payload:
    """Return the typed payload; raises `RefusedError` (bad_payload) when it has not the form of its reference."""
    kind = _by_reference().get(schema_ref)
    if kind is None:
        raise RefusedError(Reason.BAD_PAYLOAD, f"no module sends {schema_ref}", "a reference of `lotus modules`")
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as problem:
        raise RefusedError(Reason.BAD_PAYLOAD, f"no {kind.__name__}: {problem}", schema_ref) from problem


def form_of(kind: type[Payload]) -> Document:
    """Return the JSON Schema of a payload without its prose, whole: the parts stand where they are used."""
    _, parts = msgspec.json.schema_components([kind], ref_template="{name}")

    def whole(part: object) -> object:
        if isinstance(part, dict):
            named = parts[part["$ref"]] if "$ref" in part else part
            return {key: whole(value) for key, value in named.items() if key != "title"}
        return [whole(value) for value in part] if isinstance(part, list | tuple) else part

    form = whole({key: value for key, value in parts[kind.__name__].items() if key != "description"})
    assert isinstance(form, dict)
    return form


@cache
def _by_reference() -> Mapping[str, type[Payload]]:
    return {ref: kind for sender in Module for ref, kind in sent_by(sender).items()}
