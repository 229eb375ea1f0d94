"""Lessons: what was learned and what was turned down, each with the number that decided; one lesson in full."""

import re
from collections.abc import Mapping
from typing import Any

from lotus.learning.lanes import NAMES
from lotus.learning.lesson import Lesson
from lotus.priors.asset_context import describe_with
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView
from lotus_store.facts.lessons import signed_bound
from lotus_store.ledger.bodies import from_body

STATES = ("IDENTIFIED", "MODEL_ONLY", "REFUSED")
WORD = re.compile(r"\w+")


def _lessons(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(
        reading, "sig", "lessons", with_words(question), "day DESC, abs(uplift_bps) DESC, lesson_id"
    )
    shown = [_row(reading, row) for row in rows]
    return Answer(shown, has_more, _title(reading, question))


def with_words(question: Question) -> Question:
    """Return a question whose search is one of PostgreSQL's: every word, each as the beginning of one."""
    words = " & ".join(f"{word}:*" for word in WORD.findall(question.search))
    return Question(
        words, question.filters, question.order, question.is_descending, question.offset, question.limit
    )  # fmt: skip


def _row(reading: HomeReading, row: Mapping[str, Any]) -> dict[str, Any]:
    lesson: Lesson = from_body(row["body"], Lesson)
    return {
        "lesson_id": lesson.lesson_id,
        "day": row["day"],
        "detector_id": lesson.detector_id,
        "rule": describe_with(lesson.rule, reading.words),
        "uplift_bps": lesson.uplift_bps,
        "low_bps": lesson.ci95[0],
        "high_bps": lesson.ci95[1],
        "bound_bps": signed_bound(lesson),
        "m_nats": lesson.m_nats,
        "needed_nats": lesson.critical,
        "grade": lesson.grade,
        "state": lesson.state,
        "reason": lesson.reason or "accepted",
    }


def _title(reading: HomeReading, question: Question) -> str:
    night = question.filters.get("day") or next((row["day"] for row in reading.rows("sig", "nights")), None)
    if night is None:
        return "No nightly run has learned anything yet"
    counts = reading.rows("sig", "counts_of_night", day=night)[0]
    return f"{counts['found']} found and {counts['refused']} refused in the night of {night}"


LESSONS = Table(
    name="lessons",
    label="Lessons",
    question="What was learned, and what was turned down?",
    columns=(
        ShownColumn("lesson_id", "lesson", ValueKind.CODE, is_shown=False),
        ShownColumn("day", "night", ValueKind.DAY, is_ordered=True),
        ShownColumn("detector_id", "detector", is_ordered=True),
        ShownColumn("rule", "rule", link="/lessons/{lesson_id}"),
        ShownColumn(
            "uplift_bps", "uplift", ValueKind.BPS, "bps", "mean payoff inside the rule over the baseline",
            span=("low_bps", "high_bps"), is_ordered=True,
        ),
        ShownColumn("low_bps", "95 % from", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("high_bps", "95 % to", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("bound_bps", "bound", ValueKind.BPS, "bps", "what is left of the uplift after the search"),
        ShownColumn("m_nats", "evidence", ValueKind.NUMBER, "nats"),
        ShownColumn("needed_nats", "needed", ValueKind.NUMBER, "nats"),
        ShownColumn("grade", "grade", is_ordered=True),
        ShownColumn("state", "state"),
        ShownColumn("reason", "decision"),
    ),
    source=_lessons,
    filters=(Filter("state", "state", STATES), Filter("grade", "grade", ("A", "B", "C", "D", "none")),
             Filter("detector_id", "detector"), Filter("day", "night")),
    is_searched=True,
    empty="no lesson of this kind: `lotus lessons` says how far the search is",
    key="lesson_id",
)  # fmt: skip


def lesson_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return one lesson with its lanes, parts and braids; raises `LookupError` for an unknown name."""
    found = reading.rows("sig", "lesson", lesson_id=given["lesson_id"])
    if not found:
        raise LookupError(f"there is no lesson {given['lesson_id'][:40]!r}")
    lesson: Lesson = from_body(found[0]["body"], Lesson)
    lanes = [
        {"lane": name, "uplift_bps": lane.uplift_bps, "low_bps": lane.ci95[0], "high_bps": lane.ci95[1],
         "m_nats": lane.m_nats, "needed_nats": lane.critical}
        for name, lane in zip(NAMES, lesson.lanes, strict=False)
    ]  # fmt: skip
    parts = [
        {"part": x.name, "uplift_bps": x.uplift_bps, "low_bps": x.uplift_bps - 1.96 * x.se_bps,
         "high_bps": x.uplift_bps + 1.96 * x.se_bps, "published": x.n_published}
        for x in lesson.parts
    ]  # fmt: skip
    braids = reading.rows("sig", "braids_of_lessons", lessons=[lesson.lesson_id])
    return {
        "lesson": _row(reading, found[0]),
        "published": lesson.n_published,
        "days": lesson.n_days,
        "trials": lesson.trials,
        "claim_bps": lesson.claim_bps,
        "warnings": list(lesson.warnings),
        "lanes": lanes,
        "parts": parts,
        "near_ties": [describe_with(tie.rule, reading.words) for tie in lesson.near_ties],
        "braids": [{k: b[k] for k in ("braid_id", "state", "reason", "expires_at_ms")} for b in braids],
        "members": list(lesson.members_sample),
    }


LESSON = PageView("/lessons/{lesson_id}", "Lesson", "Why is this believed, or refused?", lesson_facts, "lesson.html")
