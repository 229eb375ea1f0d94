"""Texts for people in the sig database: sentences on lessons, opinions on candidates. Pages alone read them.

A sentence belongs to facts by their hash: of other facts it is not shown. Rows are added and never changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from lotus.hashing import natural_id
from lotus.sentences.shown_facts import ShownFacts, lesson_sentence
from lotus_store.postgres.queries import Connection, query

TEMPLATE, MODEL, PERSON = "template", "model", "person"


@dataclass(frozen=True, slots=True)
class LessonText:
    """A sentence on a lesson: of which facts, by the template or a model (as it names itself)."""

    lesson_id: str
    facts_hash: str
    author: str
    model: str
    text: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """An opinion on a candidate, by a model or a person."""

    attachment_id: str
    candidate_id: str
    origin: str
    author: str
    text: str
    created_at: datetime


def put_templates(sig: Connection, branch: str, lessons: Sequence[ShownFacts]) -> None:
    """Store the template's sentence of each lesson; doing it again changes nothing."""
    put_lesson_texts(
        sig, branch, [LessonText(x.subject, x.facts_hash, TEMPLATE, "", lesson_sentence(x)) for x in lessons]
    )


def put_lesson_texts(sig: Connection, branch: str, texts: Sequence[LessonText]) -> None:
    """Store sentences, one of each author for the same facts; doing it again changes nothing."""
    with sig.transaction(), sig.cursor() as cursor:
        cursor.executemany(
            query("sig", "put_lesson_text"),
            [(branch, x.lesson_id, x.facts_hash, x.author, x.model, x.text) for x in texts],
        )


def texts_of(sig: Connection, branch: str, lessons: Sequence[ShownFacts]) -> Mapping[str, LessonText]:
    """Return the sentence of each lesson as it is shown: a model's where there is one of these facts, by lesson."""
    hashes = {x.subject: x.facts_hash for x in lessons}
    with sig.cursor(row_factory=class_row(LessonText)) as cursor:
        rows = cursor.execute(query("sig", "lesson_texts"), [branch, list(hashes)]).fetchall()
    own = [row for row in rows if row.facts_hash == hashes[row.lesson_id]]
    return {row.lesson_id: row for row in sorted(own, key=lambda row: row.author == MODEL)}


def attach(sig: Connection, branch: str, candidate_id: str, origin: str, author: str, text: str) -> str:
    """Store an opinion on a candidate and return its name; the same opinion of the same author is stored once."""
    name = natural_id("attachment", branch, candidate_id, origin, author, text)
    sig.execute(query("sig", "put_attachment"), [name, branch, candidate_id, origin, author, text])
    return name


def attachments_of(sig: Connection, branch: str, candidate_id: str) -> list[Attachment]:
    """Return the opinions on a candidate, the oldest first."""
    with sig.cursor(row_factory=class_row(Attachment)) as cursor:
        return cursor.execute(query("sig", "attachments_of"), [branch, candidate_id]).fetchall()
