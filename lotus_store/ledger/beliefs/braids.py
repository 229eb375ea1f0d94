"""Braids: an append-only history per branch and day; the braid registry is the newest row of each braid."""

import json
from collections.abc import Sequence
from typing import Any

from lotus.errors import LedgerError
from lotus.learning.monitor import Monitor
from lotus.weave.algebra import check_parents
from lotus.weave.braid import Braid
from lotus.weave.night import BraidEvent
from lotus_store.build import git_sha
from lotus_store.ledger.bodies import from_body, to_body
from lotus_store.postgres.queries import Connection, query


def write_night(
    connection: Connection,
    branch: str,
    day: str,
    braids: Sequence[Braid],
    events: Sequence[BraidEvent],
    fixtures_hash: str = "",
) -> int:
    """Make the history of one night exactly `events`, each with its braid's value after it; return their number.

    Nothing is written when they are already there; acts of later in the day stay. `fixtures_hash` names the scores that
    the night learned from; the commit stands beside it. Raises `LedgerError` when an event names a braid that is not on
    the braid registry, `BeliefError` for a parent that is missing, of a higher scale or in a cycle.
    """
    rows = _rows(branch, day, braids, events, fixtures_hash)
    cursor = connection.execute(query("sig", "changes_of_night"), [branch, day])
    names = [c.name for c in cursor.description or ()]
    there = {row[0]: dict(zip(names, row, strict=True)) for row in cursor}
    if there != {row["braid_id"]: {n: row[n] for n in names} | {"body": json.loads(row["body"])} for row in rows}:
        connection.execute(query("sig", "forget_day"), ["braid_history", branch, day])
        with connection.cursor() as writer:
            writer.executemany(query("sig", "put_braid"), rows)
    return len(rows)


def write_acts(
    connection: Connection,
    branch: str,
    day: str,
    braids: Sequence[Braid],
    events: Sequence[BraidEvent],
    fixtures_hash: str = "",
) -> int:
    """Add changes made after the night of `day` and before the next one, each behind what is there; see `write_night`.

    They outlive a repetition of the night.
    """
    rows = _rows(branch, day, braids, events, fixtures_hash)
    with connection.cursor() as cursor:
        cursor.executemany(query("sig", "put_braid_act"), rows)
    return len(rows)


def _rows(
    branch: str, day: str, braids: Sequence[Braid], events: Sequence[BraidEvent], fixtures_hash: str
) -> list[dict[str, str]]:
    registry = {braid.braid_id: braid for braid in braids}
    strangers = [e.braid_id for e in events if e.braid_id not in registry]
    if strangers:
        raise LedgerError(
            f"the night changed braid {strangers[0]}, which is not in its registry", "the braid registry after it"
        )
    for event in events:
        check_parents(registry[event.braid_id], registry)
    return [
        {
            "branch": branch,
            "day": day,
            "braid_id": e.braid_id,
            "old_state": e.old_state,
            "new_state": e.new_state,
            "reason": e.reason,
            "priors_before": e.priors_before,
            "priors_after": e.priors_after,
            "body": to_body(registry[e.braid_id]),
            "fixtures_hash": fixtures_hash,
            "git_sha": git_sha(),
        }
        for e in events
    ]


def read_registry(connection: Connection, branch: str, day: str | None = None) -> list[Braid]:
    """Return the braid registry of a branch as it stood at the end of `day` (None: now), ordered by braid_id."""
    rows = connection.execute(query("sig", "read_registry"), {"branch": branch, "day": day})
    return [from_body(row[0], Braid) for row in rows]


def read_braid(connection: Connection, braid_id: str) -> Braid | None:
    """Return the current value of one braid."""
    row = connection.execute(query("sig", "read_braid"), [braid_id]).fetchone()
    return from_body(row[0], Braid) if row else None


def claims_of(connection: Connection, braid_ids: Sequence[str]) -> dict[str, float]:
    """Return what braids claim in bps by braid; a name that is on no registry is left out."""
    rows = connection.execute(query("sig", "claims_of"), [list(braid_ids)])
    return {str(name): float(claim) for name, claim in rows}


def read_monitors(
    connection: Connection, branch: str, before_day: str, braid_ids: Sequence[str]
) -> dict[str, list[Monitor]]:
    """Return the monitors of braids as they stood after each earlier night that changed them, oldest first."""
    out: dict[str, list[Monitor]] = {name: [] for name in braid_ids}
    for name, body in connection.execute(query("sig", "read_monitors"), [branch, before_day, list(braid_ids)]):
        out[str(name)].append(from_body(body, Monitor))
    return out


def patch_lives(connection: Connection, branch: str, day: str) -> list[tuple[str, str | None]]:
    """Return, of every micro braid that came in force up to the night of a day, its first day and that of its end.

    None: it is in force. What the watchdog did after that night is not counted.
    """
    rows = connection.execute(query("sig", "patch_lives"), {"branch": branch, "day": day})
    return [(str(first), None if last is None else str(last)) for first, last in rows]


def read_history(connection: Connection, braid_id: str) -> list[dict[str, Any]]:
    """Return every change of one braid, oldest first: day, states, reason, priors before and after."""
    cursor = connection.execute(query("sig", "read_history"), [braid_id])
    names = [c.name for c in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]
