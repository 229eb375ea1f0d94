"""Rows of old days go from the databases, each branch by its own last learned day; see `lotus_store.ledger.retention`.

A branch keeps what is younger than `retention.rows_days` before its last learned day, or before the clock's day if that
is earlier; one that never learned keeps all. A day whose rows of the outside went (what the daemon logged, windows with
a knob on trial) cannot be learned again: the runner of stages says so before a stage would learn from what is left.
"""

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from lotus.timebase import day_of, next_day
from lotus_store.databases import Databases
from lotus_store.ledger import retention
from lotus_store.ledger.messages.old_messages import drop_messages
from lotus_store.postgres.queries import MODULES


@dataclass(frozen=True, slots=True)
class RowsGone:
    """Months of windows and outcomes that went, those that somebody was reading, and rows gone by table."""

    months: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)


def let_rows_go(databases: Databases, keep_days: int, now_s: float, tape_branch: str, branch: str) -> RowsGone:
    """Remove rows older than `keep_days`; 0 removes nothing.

    `now_s`: the clock, seconds UTC. What the tape's stages took goes as the rows of `branch` do, which reads that tape.
    """
    if not keep_days:
        return RowsGone()
    counts: dict[str, int] = {}
    with ExitStack() as open_ones:
        modules = {m: open_ones.enter_context(closing(databases.owner(m, autocommit=True))) for m in MODULES}
        sig, dm, tr = modules["sig"], modules["dm"], modules["tr"]
        today = day_of(int(now_s * 1000))
        first = {b: next_day(min(day, today), 1 - keep_days) for b, day in retention.learned_until(sig).items()}
        for name, first_day in first.items():
            done = retention.drop_runs(sig, name, first_day, keep_days) | retention.drop_days(sig, name, first_day)
            done["dm_policy_trials"] = retention.drop_trials(sig, dm, name, first_day)
            done["tr_trigger_events"] = retention.drop_trigger_events(tr, name, first_day)
            for table, n in done.items():
                counts[table] = counts.get(table, 0) + n
        if branch in first:
            for table, n in retention.drop_days(sig, tape_branch, first[branch]).items():
                counts[table] += n
        gone, busy = retention.drop_months(sig, first)
        if first:
            atlas = open_ones.enter_context(closing(databases.owner("atlas", autocommit=True)))
            counts |= drop_messages(modules, atlas, max(first.values()))
    return RowsGone(tuple(gone), tuple(busy), {table: n for table, n in counts.items() if n})
