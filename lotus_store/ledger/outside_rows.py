"""Rows that no tape holds: what daemons logged, venues executed and people said, from one home's ledger to another's.

A night that is made again elsewhere needs them as they were known to it; they are carried day by day. What nights
themselves wrote is not carried.
"""

from typing import Final

from lotus.errors import LedgerError
from lotus.timebase import DAY_MS, day_start_ms
from lotus_store.databases import Databases
from lotus_store.ledger.retention import forgotten_day
from lotus_store.postgres.queries import query

TABLES: Final = {
    "sig": ("live_runs", "live_events", "executions", "braid_reviews", "governance_acts"),
    "dm": ("dm_policy_trials", "dm_braid_reviews"),
    "tr": ("tr_plans", "tr_strand", "tr_braid_reviews"),
}


def carry_outside(source: Databases, target: Databases, branch: str, after: str, day: str) -> int:
    """Carry the rows of a branch that came in after the learning day `after` ("": from the first) up to `day`.

    Returns their number. What people said counts for the first night after it. Raises `LedgerError` where retention
    let rows of these days go.
    """
    with source.connect("sig") as reader:
        until = forgotten_day(reader, branch)
    if until > after:
        cause = "retention.rows_days let them go"
        raise LedgerError(f"rows of {branch} until {until} are not there", f"those after {after or 'the first'}", cause)
    from_ms = day_start_ms(after) + DAY_MS if after else 0
    what = {"branch": branch, "after": after, "day": day, "from_ms": from_ms, "until_ms": day_start_ms(day) + DAY_MS}
    carried = 0
    for module, tables in TABLES.items():
        with source.connect(module) as reader, target.owner(module) as writer:
            for table in tables:
                with (
                    reader.cursor() as rows,
                    writer.cursor() as taken,
                    rows.copy(query(module, f"outside_{table}"), what) as out,
                    taken.copy(query(module, f"take_{table}")) as into,
                ):
                    for piece in out:
                        into.write(piece)
                carried += taken.rowcount
    return carried
