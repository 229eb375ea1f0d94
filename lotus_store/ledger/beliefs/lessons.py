"""Lessons and what their nights used up (the trial ledger), in the sig database."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lotus.learning.lanes import Both
from lotus.learning.lesson import Lesson
from lotus.learning.slots import SlotState
from lotus_store.build import git_sha
from lotus_store.ledger.bodies import from_body, to_body
from lotus_store.postgres.queries import Connection, query

RUN, RUN_OF_LESSONS = "run", "lessons"  # kind and name of the row about a night of learning


def write_lessons(connection: Connection, branch: str, day: str, lessons: Sequence[Lesson]) -> int:
    """Make the lessons (accepted and refused) of one night exactly these, writing nothing when they are; return their
    number.
    """
    bodies = {lesson.lesson_id: to_body(lesson) for lesson in lessons}
    rows: list[tuple[Any, ...]] = connection.execute(query("sig", "lessons_of_day"), [branch, day]).fetchall()
    if dict(rows) != {name: json.loads(body) for name, body in bodies.items()}:
        connection.execute(query("sig", "forget_day"), ["lessons", branch, day])
        with connection.cursor() as cursor:
            cursor.executemany(query("sig", "put_lesson"), [[branch, day, *item] for item in bodies.items()])
    return len(lessons)


def read_lessons(connection: Connection, branch: str, day: str | None = None) -> list[Lesson]:
    """Return the lessons of a branch, of one night or of all, ordered by night and name."""
    rows = connection.execute(query("sig", "read_lessons"), {"branch": branch, "day": day})
    return [from_body(row[0], Lesson) for row in rows]


def both_slots(body: Any) -> Both[SlotState]:
    """Return the slots of both lanes as a night left them.

    A night of a version that had one lane left those of lane S; lane F begins a budget of its own.
    """
    if isinstance(body, dict):
        return Both(from_body(body, SlotState), SlotState())
    return Both(*(from_body(x, SlotState) for x in body))


def read_lesson(connection: Connection, lesson_id: str) -> Lesson | None:
    """Return one lesson by its name."""
    row = connection.execute(query("sig", "read_lesson"), [lesson_id]).fetchone()
    return from_body(row[0], Lesson) if row else None


def write_experiments(connection: Connection, branch: str, day: str, kind: str, bodies: Mapping[str, Any]) -> int:
    """Make the records of one night and kind (`trials`, `audit`, `critical`, ...) exactly these, by name.

    Beside each new or changed body stands the commit that made it.
    """
    connection.execute(query("sig", "delete_experiments_but"), [branch, day, kind, list(bodies)])
    with connection.cursor() as cursor:
        rows = [[branch, day, kind, name, to_body(body), git_sha()] for name, body in bodies.items()]
        cursor.executemany(query("sig", "put_experiment"), rows)
    return len(bodies)


def read_experiments(connection: Connection, branch: str, day: str, kind: str) -> dict[str, Any]:
    """Return the records of one night and kind, by name, as plain data."""
    rows = connection.execute(query("sig", "read_experiments"), [branch, day, kind])
    return {str(name): body for name, body in rows}


def last_experiments(connection: Connection, branch: str, before_day: str, kind: str) -> dict[str, Any]:
    """Return the newest records of a kind from before a day (the audits' memory, a search's state); empty when none."""
    rows = connection.execute(query("sig", "last_experiments"), {"branch": branch, "day": before_day, "kind": kind})
    return {str(name): body for name, body in rows}
