"""Plans and executions as JSON and back, unchanged: what a store keeps so that a killed process goes on where it was.

The state must be stored before its commands are carried out; then every order that may have been sent is known, and
what became of it is asked for. No store is opened here. In the literature: write-ahead logging; memento.
"""

from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

import msgspec

from lotus.errors import MessageError
from lotus.trading.execution import ExecutionState
from lotus.trading.plan import Plan

_BETWEEN_STEPS = "out"  # commands of a step under way: empty whenever a state is stored


def plan_to_json(plan: Plan) -> bytes:
    """Return a plan as JSON; decimals are text."""
    return msgspec.json.encode(plan)


def plan_from_json(text: bytes | str) -> Plan:
    """Return the plan; raises `MessageError` when a member is missing or of another type."""
    try:
        return msgspec.json.decode(text, type=Plan)
    except msgspec.DecodeError as problem:
        raise MessageError(f"no plan: {problem}", "the members of lotus.trading.plan.Plan") from problem


def state_to_json(state: ExecutionState) -> bytes:
    """Return an execution between two steps as JSON."""
    return msgspec.json.encode({name: getattr(state, name) for name in _kept()})


def state_from_json(text: bytes | str) -> ExecutionState:
    """Return the execution; raises `MessageError` when it was stored by code with other members."""
    try:
        found = msgspec.json.decode(text, type=_record())
    except msgspec.DecodeError as problem:
        raise MessageError(f"no execution: {problem}", "a state of this release", "stored by another one") from problem
    return ExecutionState(**{name: getattr(found, name) for name in _kept()})


@cache
def _kept() -> tuple[str, ...]:
    return tuple(f.name for f in fields(ExecutionState) if f.name != _BETWEEN_STEPS)


@cache
def _record() -> type[Any]:
    hints = get_type_hints(ExecutionState)
    return msgspec.defstruct("StoredExecution", [(name, hints[name]) for name in _kept()], forbid_unknown_fields=True)
