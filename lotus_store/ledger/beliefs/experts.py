"""The registry of micro-experts in the sig database: one row per expert and spec, with its place in the fusion.

What runs comes from the specs of the package; the registry keeps what ran and what has been learnt of its reliability.
Nothing is decided here.
"""

import json
from dataclasses import dataclass

from lotus.experts.fusion import ExpertSet
from lotus_store.postgres.queries import Connection, query


@dataclass(frozen=True, slots=True)
class ExpertRow:
    """One row of the registry; the reliability is None until the expert has been judged."""

    expert_id: str
    spec_id: str
    version: int
    kind: str
    spec: dict[str, object]
    place: int
    weight: float
    vote: float
    status: str
    successes: float | None
    failures: float | None
    reliability: float | None
    reliability_low: float | None
    reliability_high: float | None
    judged_day: str | None


def write_experts(connection: Connection, experts: ExpertSet) -> None:
    """Make the registry equal to what runs: new specs are added, others are switched off; repeating it changes
    nothing."""
    voices = experts.fusion.voices
    rows = [
        (e.expert_id, e.spec_id, e.version, e.kind, json.dumps(e.body), place, voice.weight, voice.vote, voice.status)
        for place, (e, voice) in enumerate(zip(experts.experts, voices.values(), strict=True))
    ]
    with connection.cursor() as cursor:
        cursor.execute(query("sig", "retire_experts"), [[e.spec_id for e in experts.experts]])
        cursor.executemany(query("sig", "put_expert"), rows)


def read_experts(connection: Connection) -> list[ExpertRow]:
    """Return the registry, active experts first, in the order of the fusion."""
    return [ExpertRow(*row) for row in connection.execute(query("sig", "read_experts"))]
