"""Rows of the databases that retention lets go, by day of event time; what may go is the caller's decision.

Months of scored windows and outcomes go as whole partitions: their content stays in the lake. Runs of the daemon go
whole. Each function is one transaction, or one for each month; run again it finds nothing more. A branch whose rows of
the outside went is marked first (`forgotten_days`): nothing makes such a day again from what is left. The connections
are those of owners: a module's own role may not delete evidence. (Literature: partition dropping, low-water marks.)
"""

from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import sql

from lotus.timebase import day_start_ms, next_day
from lotus_store.postgres.queries import Connection, query

WAIT = "SET LOCAL lock_timeout = '2s'"  # readers that come later wait behind a drop that waits for one that reads
DAILY: Final = ("stage_costs", "dsi_expert_stats", "dsi_expert_costs", "expert_credit", "braid_credit")
RUN_TABLES: Final = ("fills", "orders", "signals", "events", "log")  # what names another stands before it


def learned_until(connection: Connection) -> dict[str, str]:
    """Return the last learned day of every branch."""
    return {str(branch): str(day) for branch, day in connection.execute(query("sig", "learned_until"))}


def forgotten_day(connection: Connection, branch: str) -> str:
    """Return the last day of a branch whose outside rows went, "" where none did."""
    row = connection.execute(query("sig", "forgotten_day"), [branch]).fetchone()
    return "" if row is None else str(row[0])


def forget_until(connection: Connection, branch: str, first_day: str) -> None:
    """Mark that the outside rows of a branch before `first_day` may be gone; a mark never goes back."""
    connection.execute(query("sig", "forget_until"), [branch, next_day(first_day, -1)])


def drop_months(connection: Connection, first_days: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Drop the months of scored windows and outcomes of which no row is needed; return those gone, and those read now.

    `first_days`: the first day that a branch keeps; a month with a row of that day or later, or of a branch that is not
    named, stays whole. A month that somebody reads is left to the next time. Needs a connection in autocommit.
    """
    gone, busy, read_now = list[str](), list[str](), set[str]()
    latest = max(first_days.values(), default="")[:7].replace("-", "_")
    old = [list(first_days), list(first_days.values())]
    for parent, part, month in connection.execute(query("sig", "months")).fetchall():
        if month >= latest or _needed(connection, part, old):
            continue
        if parent in read_now:
            busy.append(part)
            continue
        try:
            with connection.transaction():
                connection.execute(WAIT)
                connection.execute(_named("hold_month", parent=parent, part=part))
                if not _needed(connection, part, old):  # somebody may have written meanwhile
                    connection.execute(_named("drop_month", part=part))
                    gone.append(part)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            busy.append(part)
            read_now.add(parent)
    return gone, busy


def drop_runs(connection: Connection, branch: str, first_day: str, keep_days: int) -> dict[str, int]:
    """Let go the daemon's runs of a branch that ended before a day and began `keep_days` ago; return rows by table.

    The line of a run stays. Where one of them was no replay, its branch is marked in the same transaction.
    """
    asked = {"branch": branch, "first_day": first_day, "first_ms": day_start_ms(first_day), "keep_days": keep_days}
    with connection.transaction():
        runs = connection.execute(query("sig", "old_runs"), asked).fetchall()
        if not runs:
            return {}
        if not all(replayed for _, replayed in runs):
            forget_until(connection, branch, first_day)
        names = [[run_id for run_id, _ in runs]]
        return {f"live_{t}": connection.execute(query("sig", f"drop_run_{t}"), names).rowcount for t in RUN_TABLES}


def drop_days(connection: Connection, branch: str, first_day: str) -> dict[str, int]:
    """Let go the figures of days before `first_day`; the newest of a branch stay. Return rows by table."""
    asked = {"branch": branch, "first_day": first_day}
    with connection.transaction():
        return {table: connection.execute(_named("drop_days", table=table), asked).rowcount for table in DAILY}


def drop_trials(sig: Connection, dm: Connection, branch: str, first_day: str) -> int:
    """Let go windows with a knob of the policy on trial that came out before a day; the branch is marked first."""
    what = [branch, day_start_ms(first_day)]
    if dm.execute(query("dm", "has_old_trials"), what).fetchone() != (True,):
        return 0
    with sig.transaction():
        forget_until(sig, branch, first_day)
    with dm.transaction():
        return dm.execute(query("dm", "drop_trials"), what).rowcount


def drop_trigger_events(connection: Connection, branch: str, first_day: str) -> int:
    """Let go what triggers of plans that are over did before a day."""
    first_ms = day_start_ms(first_day)
    with connection.transaction():
        return connection.execute(query("tr", "drop_trigger_events"), [branch, first_ms, first_ms]).rowcount


def _needed(connection: Connection, part: str, old: list[list[str]]) -> bool:
    return connection.execute(_named("month_needed", part=part), old).fetchone() == (True,)


def _named(name: str, **tables: str) -> sql.Composed:
    names = {what: sql.Identifier(table) for what, table in tables.items()}
    return sql.SQL(query("sig", name).decode()).format(**names)
