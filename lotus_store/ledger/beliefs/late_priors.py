"""Putting late versions off in the ledger, so that what is in force there is what windows were scored under.

The row of a late version stays, with the time until which it was put off; the version issued anew has a row of its own.
What a daemon logged decides: rows of replays do not count. When a version is late is `lotus.priors.late`.
"""

from lotus.priors.late import postponed
from lotus.priors.types import PriorsVersion
from lotus.timebase import DAY_MS, day_of
from lotus_store.ledger.beliefs.priors import in_force_at, put_in_force, put_version, read_version, swaps_in_force
from lotus_store.postgres.queries import Connection, query

Put = tuple[PriorsVersion, PriorsVersion]  # a version that came late, and what is in force in its stead
LOOK_BACK_MS = 2 * DAY_MS  # swaps older than this, by the log's own time, were settled long ago


def put_off(connection: Connection, version: PriorsVersion, scored_until_ms: int, window_ms: int) -> PriorsVersion:
    """Put a version off to the first window after `scored_until_ms` and return what is in force from then on.

    In one transaction, safe to repeat. A version that is not late is returned as it is. Where a newer one has
    taken effect since, that one stays in force and is returned; one that is itself put off from an earlier time is not.
    """
    later = postponed(version, scored_until_ms, window_ms)
    if later is version:
        return version
    with connection.transaction():
        held = in_force_at(connection, version.branch, later.effective_from_ms)
        since = connection.execute(query("sig", "taught_for"), [version.branch, held.effective_from_ms]).fetchone()
        is_newer = since is not None and int(str(since[0])) > version.effective_from_ms
        holds = held if is_newer else later
        key = [version.branch, version.effective_from_ms, version.priors_ver]
        row = connection.execute(query("sig", "put_off"), [holds.effective_from_ms, *key]).fetchone()
        if row is not None and holds is later:
            day, event_id = (str(value) for value in row)
            put_version(connection, later, day, in_force_at(connection, version.branch, version.effective_from_ms))
            put_in_force(connection, later, event_id)
    return holds


def settle_late(connection: Connection, branch: str, window_ms: int) -> list[Put]:
    """Put off every version of whose time a daemon logged windows under another; return (version, what holds now)."""
    row = connection.execute(query("sig", "daemon_logged_until"), [branch]).fetchone()
    if row is None or row[0] is None:
        return []
    logged_ms = int(str(row[0]))
    in_force = swaps_in_force(connection, branch, logged_ms - LOOK_BACK_MS)
    ends = [*(begin_ms for begin_ms, _ in in_force), logged_ms + 1][1:]
    settled = []
    for (begin_ms, name), end in zip(in_force, ends, strict=True):
        if begin_ms > logged_ms:
            continue
        span = [branch, day_of(begin_ms), begin_ms, end, name]
        other = connection.execute(query("sig", "scored_under_another"), span).fetchone()
        if other is not None and other[0] is not None:
            version = read_version(connection, branch, name)
            settled.append((version, put_off(connection, version, int(str(other[0])), window_ms)))
    return settled
