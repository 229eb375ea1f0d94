"""What dm and tr learn about their knobs, each in its own database: lessons, records of nights, the history of braids.

History is only ever added to: a day that is learned again adds a later row where it differs, and the newest row of a
braid counts. All writes may be repeated. `module` is dm or tr, and the connection one to its database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lotus.learning.lesson import Lesson
from lotus.weave.algebra import check_parents
from lotus.weave.braid import Braid
from lotus.weave.night import BraidEvent
from lotus_store.build import git_sha
from lotus_store.ledger.bodies import from_body, to_body, to_plain
from lotus_store.postgres.queries import Connection, message_query

COMPOSITION = "composition"  # kind of the records of compositions across modules under judgement, or judged
AGAIN = "the day was learned again without it"
_CHANGE = "change"  # what a row tells beside the braid itself


def write_lessons(connection: Connection, module: str, branch: str, day: str, lessons: Sequence[Lesson]) -> None:
    """Keep what a night accepted and refused."""
    for lesson in lessons:
        connection.execute(_query(module, "put_lesson"), [branch, day, lesson.lesson_id, to_body(lesson)])


def read_lessons(connection: Connection, module: str, branch: str, day: str) -> list[Lesson]:
    """Return everything that was ever learned on a day."""
    return [from_body(row[0], Lesson) for row in connection.execute(_query(module, "read_lessons"), [branch, day])]


def write_records(
    connection: Connection, module: str, branch: str, day: str, kind: str, bodies: Mapping[str, Any]
) -> None:
    """Keep records of a night under their names; a record that is there is replaced."""
    for name, body in sorted(bodies.items()):
        connection.execute(_query(module, "put_experiment"), [branch, day, kind, name, to_body(body)])


def read_records(connection: Connection, module: str, branch: str, day: str, kind: str) -> dict[str, Any]:
    """Return the records of one kind of a night by name."""
    rows = connection.execute(_query(module, "read_experiments"), [branch, day, kind])
    return {str(name): body for name, body in rows}


def write_registry(
    connection: Connection,
    module: str,
    branch: str,
    day: str,
    braids: Sequence[Braid],
    events: Sequence[BraidEvent],
    others: Sequence[Braid] = (),
) -> int:
    """Add what a night changed on the braid registry, where it is not there yet; return the number of new rows.

    Changes of an earlier run of the same day that this one does not have are taken back. `others` are braids of another
    module, which a composition across modules may have as parents. Raises `BeliefError` for a braid whose parents are
    missing.
    """
    registry = {braid.braid_id: braid for braid in (*others, *braids)}
    changes = {e.braid_id: (registry[e.braid_id], _change(e)) for e in events}
    there = _of_day(connection, module, branch, day)
    before = {b.braid_id: b for b in read_registry(connection, module, branch, day)}
    for name in there.keys() - changes.keys():
        old = before.get(name) or _taken_back(from_body(there[name][1], Braid))
        changes[name] = old, {"reason": AGAIN}
    return _add(connection, (module, branch, day), changes, there, registry)


def write_acts(
    connection: Connection,
    module: str,
    branch: str,
    day: str,
    braids: Sequence[Braid],
    events: Sequence[BraidEvent],
    others: Sequence[Braid] = (),
) -> int:
    """Add what the watchdog did after the night of a day to the registry, beside what that night changed."""
    registry = {braid.braid_id: braid for braid in (*others, *braids)}
    changes = {e.braid_id: (registry[e.braid_id], _change(e)) for e in events}
    return _add(connection, (module, branch, day), changes, _of_day(connection, module, branch, day), registry)


def _of_day(connection: Connection, module: str, branch: str, day: str) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return the newest row of a day, ordinal and body, by braid."""
    rows = connection.execute(_query(module, "changes_of_day"), [branch, day]).fetchall()
    return {str(name): (int(str(ordinal)), dict(body)) for name, ordinal, body in rows}


def _add(
    connection: Connection,
    place: tuple[str, str, str],
    changes: Mapping[str, tuple[Braid, dict[str, str]]],
    there: Mapping[str, tuple[int, dict[str, Any]]],
    registry: Mapping[str, Braid],
) -> int:
    """Add the rows that are not there yet at a place (module, branch, day)."""
    module, branch, day = place
    written = 0
    for name, (braid, change) in sorted(changes.items()):
        check_parents(braid, registry)
        body = to_plain(braid) | {_CHANGE: change}
        ordinal, held = there.get(name, (-1, {}))
        if _same(held, body):
            continue
        connection.execute(_query(module, "put_braid"), [branch, day, name, ordinal + 1, braid.state, to_body(body)])
        written += 1
    return written


def read_registry(connection: Connection, module: str, branch: str, before: str | None = None) -> list[Braid]:
    """Return the braid registry as the days before a day left it (None: now), ordered by braid_id."""
    rows = connection.execute(_query(module, "read_registry"), {"branch": branch, "before": before})
    return [from_body(row[0], Braid) for row in rows]


def _change(event: BraidEvent) -> dict[str, str]:
    states = {"old_state": event.old_state, "reason": event.reason, "git_sha": git_sha()}
    return states | {"priors_before": event.priors_before, "priors_after": event.priors_after}


def _taken_back(braid: Braid) -> Braid:
    return replace(braid.moved_to("archived", AGAIN), tags=())


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two rows are equal; the commit that made them does not count."""

    def bare(body: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in body.items() if k != _CHANGE} | {
            _CHANGE: {k: v for k, v in body.get(_CHANGE, {}).items() if k != "git_sha"}
        }

    return bool(one) and bare(one) == bare(other)


def _query(module: str, name: str) -> bytes:
    return message_query(module, name, "beliefs.sql")
