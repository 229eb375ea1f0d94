"""Settings of experts in force by day in the sig database: batch, daemon and `explain` ask here which set a day has.

What settings mean is `lotus.experts.weekly.learned`; nothing is decided here.
"""

from collections.abc import Sequence

from lotus.errors import LedgerError
from lotus.experts.fusion import default_experts
from lotus.experts.weekly.learned import InForce, experts_with, in_force_on, learned_from_json, learned_to_json
from lotus.timebase import HOUR_MS, WARMUP_MS, day_of, next_day
from lotus_store.postgres.queries import Connection, query

READING_MS = HOUR_MS  # a daemon has this long to read what is in force before the day's state is born


def write_expert_set(connection: Connection, branch: str, in_force: InForce) -> None:
    """Put settings in force; a judgement made again before any daemon ran on it replaces the first."""
    row = [branch, in_force.from_day, in_force.judged_day, experts_with(in_force.learned).version]
    connection.execute(query("sig", "put_expert_set"), [*row, learned_to_json(in_force.learned)])


def read_expert_sets(connection: Connection, branch: str, after: str = "") -> list[InForce]:
    """Return everything that was put in force on a branch from a day later than `after` on, oldest first.

    Raises `LedgerError` for settings that do not hash to their name.
    """
    return _sets(connection.execute(query("sig", "expert_sets"), [branch, after]).fetchall())


def expert_set_on(connection: Connection, branch: str, day: str) -> InForce | None:
    """Return the settings in force on a day, None for the shipped set; raises as `read_expert_sets`.

    Read backwards: the newest settings hold, unless they are over the experts of another release.
    """
    most = 1
    while True:
        rows = connection.execute(query("sig", "expert_sets_until"), [branch, day, most]).fetchall()
        found = in_force_on(day, _sets(rows))
        if found is not None or len(rows) < most:
            return found
        most *= 8


def _sets(rows: Sequence[tuple[object, ...]]) -> list[InForce]:
    sets = [InForce(str(a), str(b), learned_from_json(str(text))) for a, b, _, text in rows]
    for one, row in zip(sets, rows, strict=True):
        is_own = one.learned.base == default_experts().version
        if is_own and experts_with(one.learned).version != row[2]:
            other = experts_with(one.learned).version
            raise LedgerError(f"experts of {one.from_day} hash to {other}", str(row[2]), "an altered row")
    return sets


def first_free_day(connection: Connection, branch: str, wanted: str) -> str:
    """Return the first day from `wanted` on whose state no daemon can have been born with another set.

    A day's state is born at 22:00 UTC of the day before. Where no daemon ran since, that is `wanted`.
    """
    row = connection.execute(query("sig", "daemon_logged_until"), [branch]).fetchone()
    if row is None or row[0] is None:
        return wanted
    return max(wanted, next_day(day_of(int(str(row[0])) + WARMUP_MS + READING_MS)))
