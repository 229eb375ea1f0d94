"""Costs of micro-experts and weekly allocations of compute in the sig database. Nothing is decided here."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from lotus.governance.expert_cost import ExpertCost
from lotus_store.postgres.queries import Connection, query


@dataclass(frozen=True, slots=True)
class ComputeAllocation:
    """One arm of one Monday: probability, whether drawn, cost (None: not measured), reward of the week before."""

    day: str
    kind: str
    arm: str
    q: float
    drawn: bool
    cost: float | None
    quota: float
    context: dict[str, float]
    reward: float | None
    from_day: str


def write_costs(connection: Connection, branch: str, day: str, costs: Sequence[ExpertCost]) -> None:
    """Keep the costs of a Monday; those that stand already stay: a second measurement says other numbers."""
    with connection.cursor() as cursor:
        cursor.executemany(query("sig", "put_expert_cost"), [(branch, day, *astuple(c)) for c in costs])


def costs_on(connection: Connection, branch: str, day: str) -> list[ExpertCost]:
    """Return the costs of a Monday by expert."""
    return [ExpertCost(*row) for row in connection.execute(query("sig", "expert_costs_on"), [branch, day])]


def newest_costs(connection: Connection, branch: str, until: str = "9999-12-31") -> list[ExpertCost]:
    """Return the newest costs up to a day; nothing before any were measured."""
    row = connection.execute(query("sig", "newest_costs"), [branch, until]).fetchone()
    return [] if row is None or row[0] is None else costs_on(connection, branch, str(row[0]))


def write_allocations(connection: Connection, branch: str, day: str, rows: Sequence[ComputeAllocation]) -> None:
    """Replace the allocation of a Monday."""
    with connection.cursor() as cursor:
        cursor.execute(query("sig", "clear_allocations"), [branch, day])
        made = [
            (branch, a.day, a.kind, a.arm, a.q, a.drawn, a.cost, a.quota, json.dumps(a.context), a.reward, a.from_day)
            for a in rows
        ]
        cursor.executemany(query("sig", "put_allocation"), made)


def allocations_before(connection: Connection, branch: str, day: str = "9999-12-31") -> list[ComputeAllocation]:
    """Return the allocations of every Monday before a day, in order of day, kind and arm."""
    return [ComputeAllocation(*row) for row in connection.execute(query("sig", "allocations_until"), [branch, day])]
