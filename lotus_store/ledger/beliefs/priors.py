"""Beliefs in a module's own database: versions, what each changed (sig), and which version is in force from when.

Versions are named by their content and roll forward; `priors_in_force` is one row per swap. Who may apply a version and
when is decided by the handler in `lotus_herald`. `module` is sig, dm or tr, and the connection one to its database.
"""

import json
from collections.abc import Callable

from lotus.errors import BeliefError
from lotus.plain import plain_of
from lotus.priors.types import PriorsVersion, from_json, priors_0, to_json
from lotus.timebase import DAY_MS, day_of, day_start_ms
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, message_query, query


def put_version(
    connection: Connection, version: PriorsVersion, day: str, parent: PriorsVersion, module: str = "sig"
) -> None:
    """Keep a version made on learning day `day`; in sig also the snapshot of what it changes against its parent."""
    payload = to_json(version).decode()
    connection.execute(
        _query(module, "put_priors"),
        [version.branch, version.priors_ver, day, version.effective_from_ms, parent.priors_ver, payload],
    )
    if module != "sig":
        return
    before, after = _by_id(parent), _by_id(version)
    diff = {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(k for k in before.keys() & after.keys() if before[k] != after[k]),
    }
    connection.execute(
        query("sig", "put_snapshot"),
        [version.branch, version.priors_ver, to_body(before), to_body(after), json.dumps(diff)],
    )


def put_in_force(connection: Connection, version: PriorsVersion, event_id: str, module: str = "sig") -> None:
    """Put a version in force from its `effective_from_ms`, brought by message `event_id`."""
    connection.execute(
        _query(module, "put_in_force"),
        [version.branch, day_of(version.effective_from_ms), version.priors_ver, version.effective_from_ms, event_id],
    )


def read_version(connection: Connection, branch: str, priors_ver: str, module: str = "sig") -> PriorsVersion:
    """Return one version (the genesis version needs no row); raises `BeliefError` when it is not there."""
    genesis = priors_0(branch)
    if priors_ver == genesis.priors_ver:
        return genesis
    row = connection.execute(_query(module, "read_priors"), [branch, priors_ver]).fetchone()
    if row is None:
        raise BeliefError(f"there are no priors {priors_ver} on branch {branch}", "an applied version")
    return from_json(str(row[0]))


def in_force_at(connection: Connection, branch: str, time_ms: int, module: str = "sig") -> PriorsVersion:
    """Return the version in force at an event time; before the first swap it is the genesis version."""
    return in_force_asked(connection, branch, time_ms, module)()


def in_force_asked(
    connection: Connection, branch: str, time_ms: int, module: str = "sig"
) -> Callable[[], PriorsVersion]:
    """Ask for the version in force at an event time, in a pipeline perhaps; return what gives the answer."""
    asked = connection.execute(_query(module, "in_force_at"), [branch, time_ms])

    def answer() -> PriorsVersion:
        row = asked.fetchone()
        return from_json(str(row[0])) if row else priors_0(branch)

    return answer


def followed_at(connection: Connection, branch: str, time_ms: int, module: str = "sig") -> PriorsVersion:
    """Return the version that one from a later time follows: the last that was handed over, late ones too."""
    if module != "sig":
        return in_force_at(connection, branch, time_ms, module)
    row = connection.execute(query("sig", "followed_at"), [branch, time_ms]).fetchone()
    return from_json(str(row[0])) if row else priors_0(branch)


def in_force_on(connection: Connection, branch: str, day: str) -> list[PriorsVersion]:
    """Return the versions that a UTC day runs on, in order of their swaps: the one carried in, then its own."""
    start = day_start_ms(day)
    carried = in_force_at(connection, branch, start)
    rows = connection.execute(query("sig", "swaps_between"), [branch, start, start + DAY_MS])
    own = [from_json(str(row[0])) for row in rows]
    return [carried, *(version for version in own if version.effective_from_ms > start)]


def brought_by(
    connection: Connection, branch: str, effective_from_ms: int, module: str = "sig"
) -> tuple[str, str] | None:
    """Return (priors_ver, event_id) of the swap at exactly this time, or None when there is none."""
    row = connection.execute(_query(module, "brought_by"), [branch, effective_from_ms]).fetchone()
    return (str(row[0]), str(row[1])) if row else None


def swaps(connection: Connection, branch: str, module: str = "sig", *, in_force: bool = False) -> list[tuple[int, str]]:
    """Return every swap of a branch as (effective_from_ms, priors_ver), in order.

    With `in_force` (sig only) without those that came late and were put off.
    """
    if in_force:
        return swaps_in_force(connection, branch, 0)
    return _swaps(connection, _query(module, "swaps"), [branch])


def swaps_in_force(connection: Connection, branch: str, since_ms: int) -> list[tuple[int, str]]:
    """Return the swaps in sig from a time on without those that were put off, in order."""
    return _swaps(connection, query("sig", "swaps_in_force"), [branch, since_ms])


def swaps_within(connection: Connection, branch: str, after_ms: int, before_ms: int) -> list[tuple[int, str]]:
    """Return the swaps in sig after a time and before another, in order, those put off too."""
    return _swaps(connection, query("sig", "swaps_within"), [branch, after_ms, before_ms])


def is_handed_over(connection: Connection, branch: str, priors_ver: str) -> bool:
    """Tell whether a version has had its swap in sig, put off or not."""
    return connection.execute(query("sig", "is_handed_over"), [branch, priors_ver]).fetchone() == (True,)


def versions(connection: Connection, branch: str, module: str = "sig") -> list[tuple[PriorsVersion, str, str]]:
    """Return every version kept on a branch with its learning day and parent, in order of their times."""
    rows = connection.execute(_query(module, "versions"), [branch])
    return [(from_json(str(payload)), str(day), str(parent)) for _, day, _, parent, payload in rows]


def _swaps(connection: Connection, statement: bytes, values: list[object]) -> list[tuple[int, str]]:
    return [(int(str(row[0])), str(row[1])) for row in connection.execute(statement, values)]


def _by_id(version: PriorsVersion) -> dict[str, object]:
    return {braid.braid_id: plain_of(braid) for braid in version.braids}


def _query(module: str, name: str) -> bytes:
    return query("sig", name) if module == "sig" else message_query(module, name, "beliefs.sql")
