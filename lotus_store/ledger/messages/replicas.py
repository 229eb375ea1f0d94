"""Replicas of a module: who registered, with what it can do and how it fares, and which inbox rows it is to have.

Rows only; what counts as dead and who is chosen is decided in `lotus_herald.replicas`.
"""

from dataclasses import dataclass
from typing import Any

from lotus.modules.partnership import Partner
from lotus_store.postgres.queries import Connection, message_query


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """One replica as it stands in the database; `silent_s` is the time since its last heartbeat."""

    replica_id: str
    process: str
    capabilities: list[str]
    accepts: list[str]
    produces: list[str]
    preferred: list[str]
    health: str
    latency_ms: float
    reliability: float
    strength: float
    applied: int
    silent_s: float
    ended: bool


@dataclass(frozen=True, slots=True)
class Live:
    """A replica that lives: its strength and what it is able to do."""

    replica_id: str
    strength: float
    capabilities: frozenset[str]


def put_replica(connection: Connection, module: str, row: ReplicaRow) -> Partner:
    """Register a replica as alive; return what was measured of it before, or the row's values when it is new."""
    values = [row.replica_id, row.process, row.capabilities, row.accepts, row.produces, row.preferred, row.health,
              row.latency_ms, row.reliability, row.strength]  # fmt: skip
    measured: Any = connection.execute(message_query(module, "put_replica"), values).fetchone()
    return Partner(*measured)


def beat(
    connection: Connection, module: str, replica_id: str, partner: Partner, health: str, *, ended: bool = False
) -> None:
    """Write that a replica lives and how it fares, or that it has ended in good order."""
    values = {
        "replica_id": replica_id,
        "health": health,
        "latency_ms": partner.latency_ms,
        "reliability": partner.reliability,
        "strength": partner.strength,
        "applied": partner.applied,
        "ended": ended,
    }
    connection.execute(message_query(module, "beat"), values)


def live_replicas(connection: Connection, module: str, within_s: float) -> list[Live]:
    """Return every replica that was heard within a time and is not failing, by name."""
    rows: Any = connection.execute(message_query(module, "live_replicas"), [within_s])
    return [Live(name, strength, frozenset(capabilities)) for name, strength, capabilities in rows]


def redirect(connection: Connection, module: str, live: list[str]) -> int:
    """Give waiting rows of replicas that are not alive to the strongest one alive that handles their intent, or to
    anybody when there is none; return how many."""
    return connection.execute(message_query(module, "redirect"), {"live": live}).rowcount


def replicas(connection: Connection, module: str) -> list[ReplicaRow]:
    """Return every replica that ever registered."""
    rows: Any = connection.execute(message_query(module, "replicas"))
    return [ReplicaRow(*row) for row in rows]
