"""Requests as the network brings them: rate limits and faults before, the engine between, its events sent after.

Knows status codes, not sockets: `server` turns a `Reply` into HTTP or a websocket's answer to a `post`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lotus_venues.local_exchange.faults import REQUEST_KINDS, Fault, FaultKind, Faults
from lotus_venues.local_exchange.requests.actions import Actions, Malformed
from lotus_venues.local_exchange.requests.error_messages import BAD_BODY, BAD_TICK
from lotus_venues.local_exchange.requests.info import Info, Unreadable
from lotus_venues.local_exchange.requests.limits import RateLimits, action_weight, info_weight

_BEFORE = {FaultKind.ERROR_BEFORE, FaultKind.HANG_BEFORE, FaultKind.TOO_MANY, FaultKind.ONE_ERROR}
_UNKNOWN = {"status": "unknownOid"}
_ONE_ERROR = {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"error": BAD_TICK}]}}}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: HTTP status and JSON value or text; `hangs` is never sent, `delay_s` is waited before sending."""

    status: int
    content: Any
    hangs: bool = False
    delay_s: float = 0.0


@dataclass(slots=True)
class Gateway:
    """Answers requests. `tick` brings the engine's clock up to date, `tell` sends its events to the connections."""

    actions: Actions
    info: Info
    limits: RateLimits
    faults: Faults
    tick: Callable[[], None]
    tell: Callable[[], None]
    steady_s: Callable[[], float]

    def exchange(self, body: Any, address: str) -> Reply:
        """Answer `POST /exchange`."""
        if not self.limits.spend(address, action_weight(_action(body)), self.steady_s()):
            return _too_many()
        kind = str(_action(body).get("type", ""))
        return self._with_fault(kind, lambda: self._run(body))

    def ask(self, body: Any, address: str) -> Reply:
        """Answer `POST /info`."""
        kind = str(body.get("type", "")) if isinstance(body, dict) else ""
        if not self.limits.spend(address, info_weight(kind), self.steady_s()):
            return _too_many()
        reply = self._with_fault(f"info:{kind}", lambda: self._answer(body))
        if isinstance(reply.content, list):
            self.limits.spend(address, info_weight(kind, len(reply.content)) - info_weight(kind), self.steady_s())
        return reply

    def _with_fault(self, place: str, work: Callable[[], Reply]) -> Reply:
        fault = self.faults.draw(REQUEST_KINDS, place)
        if fault is not None and fault.kind in _BEFORE:
            return _failed(fault, place)
        reply = work()
        if fault is None:
            return reply
        if fault.kind is FaultKind.SLOW:
            return Reply(reply.status, reply.content, delay_s=fault.seconds)
        return _failed(fault, place)

    def _run(self, body: Any) -> Reply:
        self.tick()
        try:
            return Reply(200, self.actions.run(body))
        except Malformed:
            return Reply(422, BAD_BODY)
        finally:
            self.tell()

    def _answer(self, body: Any) -> Reply:
        self.tick()
        self.tell()
        try:
            return Reply(200, self.info.answer(body))
        except Unreadable:
            return Reply(422, BAD_BODY)


def _action(body: Any) -> dict[str, Any]:
    action = body.get("action") if isinstance(body, dict) else None
    return action if isinstance(action, dict) else {}


def _too_many() -> Reply:
    return Reply(429, "Too many requests")


def _failed(fault: Fault, place: str) -> Reply:
    if fault.kind is FaultKind.TOO_MANY:
        return _too_many()
    if fault.kind is FaultKind.ONE_ERROR:
        return Reply(200, _UNKNOWN if place == "info:orderStatus" else _ONE_ERROR)
    if fault.kind in (FaultKind.HANG_BEFORE, FaultKind.HANG_AFTER):
        return Reply(0, None, hangs=True)
    return Reply(fault.status, "Bad gateway")
