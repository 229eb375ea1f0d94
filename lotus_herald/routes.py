"""The map of models (`sql/models.map.yaml`): who may say what to whom, and how patiently it is delivered."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from lotus.modules.envelope import Envelope, RefusedError
from lotus.modules.intents import Intent, Module, Reason
from lotus_store.postgres.queries import SQL_ROOT


@dataclass(frozen=True, slots=True)
class Route:
    """Senders and targets of one intent, its default time to live in seconds (0 = for ever), and what answers it."""

    senders: frozenset[Module]
    targets: frozenset[Module]
    ttl_sec: int
    priority: int
    answer: Intent | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """The whole map."""

    routes: Mapping[Intent, Route]
    batch: int
    attempts: int
    backoff_s: float
    quota_per_minute: int
    queue: int
    heartbeat_s: float

    def check(self, envelope: Envelope, now_ms: int | None) -> None:
        """Raise `RefusedError` when the map does not allow an envelope or its time to live has ended.

        `now_ms` None means no clock: a historical run delivers whatever its days said.
        """
        route = self.routes.get(envelope.intent)
        if route is None or envelope.sender not in route.senders or not set(envelope.to) <= route.targets:
            said = f"{envelope.sender} says {envelope.intent} to {', '.join(envelope.to)}"
            raise RefusedError(Reason.NOT_ALLOWED, said, "a route of sql/models.map.yaml")
        if envelope.priority > route.priority:
            said = f"{envelope.intent} of {envelope.sender} with priority {envelope.priority}"
            raise RefusedError(Reason.NOT_ALLOWED, said, f"at most {route.priority} (sql/models.map.yaml)")
        end = envelope.expires_ms()
        if now_ms is not None and end is not None and now_ms > end:
            raise RefusedError(Reason.EXPIRED, f"{envelope.event_id} expired at {end}", f"delivery before {now_ms}")


@cache
def load_routes(path: Path = SQL_ROOT / "models.map.yaml") -> Routes:
    """Read the map."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    routes = {
        Intent(name): Route(
            frozenset(map(Module, entry["from"])),
            frozenset(map(Module, entry["to"])),
            int(entry["ttl_sec"]),
            int(entry["priority"]),
            Intent(entry["answer"]) if "answer" in entry else None,
        )
        for name, entry in document["routes"].items()
    }
    delivery = document["delivery"]
    return Routes(
        routes,
        int(delivery["batch"]),
        int(delivery["attempts"]),
        float(delivery["backoff_s"]),
        int(delivery["quota_per_minute"]),
        int(delivery["queue"]),
        float(delivery["heartbeat_s"]),
    )
