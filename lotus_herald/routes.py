"""Which messages pass, and how patiently they are delivered. The map itself follows from `lotus.modules.messages`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lotus.modules.envelope import Envelope, RefusedError
from lotus.modules.intents import Intent, Reason
from lotus.modules.messages.catalogue import Route, routes


@dataclass(frozen=True, slots=True)
class Routes:
    """The map and the terms of delivery.

    `batch`: messages claimed in one transaction of one sender. `attempts`: of a target that is down, or of a handler
    that breaks, before the dead letter. `backoff_s`: the first wait, doubled at each attempt up to a minute; half of it
    is jitter. `quota_per_minute`: of one sender to one target; beyond it normal messages are load-shed, then high
    ones, urgent ones never. `queue`: waiting messages of one sender; beyond it the lowest and oldest are load-shed.
    `heartbeat_s`: a replica that is silent for half of it is dead, and its messages go to another.
    """

    routes: Mapping[Intent, Route] = field(default_factory=routes)
    batch: int = 500
    attempts: int = 8
    backoff_s: float = 0.5
    quota_per_minute: int = 6000
    queue: int = 5000
    heartbeat_s: float = 2.0

    def check(self, envelope: Envelope, now_ms: int | None) -> None:
        """Raise `RefusedError` when the map does not allow an envelope or its time to live has ended.

        `now_ms` None means no clock: a historical run delivers whatever its days contain.
        """
        route = self.routes.get(envelope.intent)
        if route is None or envelope.sender not in route.senders or not set(envelope.to) <= route.targets:
            detail = f"{envelope.intent} from {envelope.sender} to {', '.join(envelope.to)}"
            raise RefusedError(Reason.NOT_ALLOWED, detail, "a route of docs/reference/modules.md")
        if envelope.priority > route.priority:
            detail = f"{envelope.intent} of {envelope.sender} with priority {envelope.priority}"
            raise RefusedError(Reason.NOT_ALLOWED, detail, f"at most {route.priority}")
        end = envelope.expires_ms()
        if now_ms is not None and end is not None and now_ms > end:
            raise RefusedError(Reason.EXPIRED, f"{envelope.event_id} expired at {end}", f"delivery before {now_ms}")
