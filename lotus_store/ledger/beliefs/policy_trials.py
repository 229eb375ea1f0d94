"""Windows of a book that were decided with a knob of the policy on trial, in the dm database.

A window leaves one row, in the transaction of its decision; a write may be repeated. What a row teaches is
`lotus.decision.policy.experiments`.
"""

from typing import Any

from lotus.decision.policy.experiments import PolicyExperiment
from lotus.timebase import DAY_MS, day_start_ms
from lotus_store.ledger.bodies import from_body, to_body
from lotus_store.postgres.queries import Connection, query


def put_policy_trial(connection: Connection, branch: str, row: PolicyExperiment) -> None:
    """Write a window's part in a trial; one that is there stays."""
    values = [branch, row.portfolio_id, row.window_end_ms, row.matures_ms, to_body(row)]
    connection.execute(query("dm", "put_policy_trial"), values)


def policy_trials_of(connection: Connection, branch: str, day: str) -> list[PolicyExperiment]:
    """Return the windows in trials whose horizon ended on a day of event time, by that end."""
    start: int = day_start_ms(day)
    rows: list[tuple[Any, ...]] = connection.execute(
        query("dm", "policy_trials"), [branch, start, start + DAY_MS]
    ).fetchall()
    return [from_body(body, PolicyExperiment) for (body,) in rows]
