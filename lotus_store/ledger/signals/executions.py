"""How published windows were executed at a venue, in the sig database: the rows that become Y of a traded day.

Written when the trader reports it, once per window; what a day's outcomes make of them is `lotus.outcomes.executed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query

EXECUTIONS_TOLD = "executions_told"  # note of signal_eval: how many executions of its windows were known
LOOK_BACK_DAYS = 30  # committed days that are looked at for executions told later


@dataclass(frozen=True, slots=True)
class Execution:
    """One window as executed: `outcome` is closed, unfilled or refused; `payoff_bps` is net of fees and funding.

    `void` names what of our own machine prevented it; then it is no evidence.
    """

    event_id: str
    detector_id: str
    asset: str
    window_end_ms: int
    venue: str
    outcome: str
    payoff_bps: float
    body: Mapping[str, Any]
    void: str = ""


def put_execution(connection: Connection, branch: str, row: Execution, told_by: str) -> None:
    """Write a window's execution, told by the message `told_by`; one that is there stays."""
    place = [branch, row.event_id, row.detector_id, row.asset, row.window_end_ms]
    values = [*place, row.venue, row.outcome, row.payoff_bps, to_body(row.body), told_by, row.void]
    connection.execute(query("sig", "put_execution"), values)


def judge_signal(connection: Connection, row: Execution) -> None:
    """Write what became of a window to the strand of its signal, if it has one."""
    names = ("venue", "outcome", "payoff_bps", "void")
    body = {name: getattr(row, name) for name in names}
    connection.execute(query("sig", "judge_sig_strand"), [to_body(body), row.event_id])


def executions_of(connection: Connection, branch: str, from_ms: int, until_ms: int) -> list[Execution]:
    """Return the executions of windows that end in [from_ms, until_ms), in order of their events."""
    rows = connection.execute(query("sig", "executions_of"), [branch, from_ms, until_ms])
    return [Execution(*row) for row in rows]


def execution_of(connection: Connection, event_id: str) -> Execution | None:
    """Return how a window was executed, None when it was not."""
    row = connection.execute(query("sig", "execution_of"), [event_id]).fetchone()
    return Execution(*row) if row else None


@dataclass(frozen=True, slots=True)
class LateDay:
    """A day whose outcomes were made without all `told` (reported) executions of its windows; the last came `quiet_s`
    ago."""

    day: str
    venue: str
    told: int
    quiet_s: float | None


def late_executions(connection: Connection, branch: str, longest_s: int) -> list[LateDay]:
    """Return those of the last committed days whose outcomes were made without all that a venue told, oldest first.

    A window belongs to the day on which its longest horizon (`longest_s`) is over.
    """
    rows = connection.execute(
        query("sig", "late_executions"), {"branch": branch, "days": LOOK_BACK_DAYS, "longest_ms": 1000 * longest_s}
    )
    return [LateDay(*row) for row in rows]


def replays_at_work(connection: Connection, branch: str) -> list[str]:
    """Return the runs that replay a stored day on a branch now: what they execute is not all told yet."""
    return [str(row[0]) for row in connection.execute(query("sig", "replays_at_work"), [branch])]
