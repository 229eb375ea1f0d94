"""The root of all payloads: closed structures that know their intent, their senders and their targets.

A `Document` is a part with a versioned schema of its own (det-alpha-1.0, dm-decision-1.0, exec-report-1.0), which is
checked where it is read. Payloads stand in the modules beside this one; no message is routed here. (Literature: schema
registry, data contract.)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import Meta

from lotus.modules.envelope import Message, RefusedError
from lotus.modules.intents import Intent, Module, Reason

Document = dict[str, Any]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
TimeMs = Annotated[int, Meta(ge=0)]
T = TypeVar("T")

Targets = Mapping[Module, tuple[Module, ...]]  # whom each sender may send a form to
EACH_ITSELF: Targets = {module: (module,) for module in Module}
EACH_THE_OTHERS: Targets = {module: tuple(other for other in Module if other is not module) for module in Module}


@dataclass(frozen=True, slots=True)
class Contract:
    """How a form is sent: its intent, its routes, the highest priority it may claim, and the intent that answers it.

    `form` is its name in the schema reference (default: the class name in snake case). A `planned` form is declared,
    and nothing handles it yet.
    """

    intent: Intent
    routes: Targets
    priority: int = 0
    answer: Intent | None = None
    form: str = ""
    planned: bool = False


class Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed structure of JSON values; a member that came later has a default."""

    contract: ClassVar[Contract]

    @classmethod
    def ref(cls, sender: Module) -> str:
        """Return the schema reference of the form as a module sends it."""
        form = cls.contract.form or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        return f"urn:schema:{sender.value}.{form}:v1"


def message_of(payload: Payload, sender: Module, branch: str, ts: int, dedupe_key: str, lifecycle_id: str) -> Message:
    """Return the message that carries a payload to all targets of its sender, with the lowest priority.

    `ts` is event time in ms.
    """
    return Message(
        to=payload.contract.routes[sender],
        intent=payload.contract.intent,
        branch=branch,
        schema_ref=payload.ref(sender),
        payload=msgspec.to_builtins(payload),
        ts=ts,
        dedupe_key=dedupe_key,
        lifecycle_id=lifecycle_id,
    )


def part_of(value: object, kind: type[T], expected: str) -> T:
    """Return a typed part of a message; raises `RefusedError` (bad_payload) when it has another form."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as problem:
        raise RefusedError(Reason.BAD_PAYLOAD, f"no {kind.__name__}: {problem}", expected) from problem
