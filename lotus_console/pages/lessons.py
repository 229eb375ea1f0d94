"""Lessons: what was learned and what was turned down, each with the number that decided; one lesson in full."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lotus.learning.lanes import NAMES
from lotus.learning.lesson import Lesson
from lotus.priors.asset_context import describe_with
from lotus.priors.compiled import fired_braids
from lotus.priors.vocabulary import FEATURE_NAMES
from lotus.sentences.shown_facts import facts_of_lesson, lesson_sentence
from lotus.weave.braid import Braid
from lotus_console.pages.braids import braid_of, realised_bps
from lotus_console.pages.noise import chance_words, shuffled_night
from lotus_console.pictures import scale_over
from lotus_console.reading import HomeReading
from lotus_console.render import interval
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView
from lotus_store.facts.event import days_of_rule
from lotus_store.facts.lessons import signed_bound
from lotus_store.ledger.beliefs.priors import read_version
from lotus_store.ledger.bodies import from_body
from lotus_store.ledger.texts import TEMPLATE, texts_of

STATES = ("IDENTIFIED", "MODEL_ONLY", "REFUSED")
WORD = re.compile(r"\w+")
DAYS = 60  # of the table day by day
FEW = 1000  # lessons that are sorted rather than passed by


def _lessons(reading: HomeReading, question: Question) -> Answer:
    asked = with_words(question)
    rows, has_more = selected(reading, "sig", _way(reading, asked), asked, "day DESC, abs(uplift_bps) DESC, lesson_id")
    braids = braids_by_lesson(reading, [row["lesson_id"] for row in rows if row["state"] != "REFUSED"])
    shown = [_row(reading, row) | _alive(braids.get(row["lesson_id"])) for row in rows]
    title, note = _title(reading, question)
    return Answer(shown, has_more, title, note)


def with_words(question: Question) -> Question:
    """Return a question whose search is one of PostgreSQL's: every word, as the beginning of one in the lesson or of
    the name of a feature in its rule.
    """
    return replace(question, search=" & ".join(map(_asked_word, WORD.findall(question.search))))


def _asked_word(word: str) -> str:
    features = [
        f"feature{k}" for k, name in enumerate(FEATURE_NAMES)
        if any(part.startswith(word.lower()) for part in (name, *name.split("_")))
    ]  # fmt: skip
    return f"({' | '.join([f'{word}:*', *features])})"


def _way(reading: HomeReading, asked: Question) -> str:
    """Return the query that answers soon: words of few lessons first, those of many on the way through the order.

    PostgreSQL has no statistics of beginnings of words, so that it cannot choose by itself.
    """
    if not asked.search:
        return "lessons"
    few = reading.rows("sig", "count_of_words", search=asked.search, most=FEW)[0]["lessons"] < FEW
    return "lessons_with_words" if few else "lessons"


def braids_by_lesson(reading: HomeReading, lessons: Sequence[str]) -> dict[str, Braid]:
    """Return the braid that each of some lessons became, by lesson."""
    if not lessons:
        return {}
    rows = reading.rows("sig", "braids_of_lessons", lessons=list(lessons))
    return {str(row["lesson_id"]): braid_of(row) for row in rows}


def _alive(braid: Braid | None) -> dict[str, Any]:
    """Return how a lesson's braid stands, nothing where it has none."""
    if braid is None:
        return {"level": None, "realised_bps": None, "braid_state": None}
    earned = realised_bps(braid)
    return {"level": braid.level, "realised_bps": earned[0] * braid.sign if earned else None,
            "braid_state": braid.state}  # fmt: skip


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
        "claim_bps": None if lesson.state == "REFUSED" else lesson.claim_bps,
        "m_nats": lesson.m_nats,
        "needed_nats": lesson.critical,
        "grade": lesson.grade,
        "state": lesson.state,
        "days": lesson.n_days,
        "reason": lesson.reason or "accepted",
    }


def _title(reading: HomeReading, question: Question) -> tuple[str, str]:
    """Return what a night found, and what chance alone would have shown in the newest one that looked."""
    night = question.filters.get("day") or next((row["day"] for row in reading.rows("sig", "nights")), None)
    if night is None:
        return "No nightly run has learned anything yet", ""
    key = (night, reading.newest())
    counts = reading.memory.of("night", key, lambda: reading.rows("sig", "counts_of_night", day=night)[0])
    chance = reading.memory.of("chance", key, lambda: chance_words(shuffled_night(reading)))
    return f"{counts['found']} found and {counts['refused']} refused in the night of {night}", chance


LESSONS = Table(
    name="lessons",
    label="Lessons",
    question="What was learned, and what was turned down? What is refused stays here with the number that failed.",
    columns=(
        ShownColumn("lesson_id", "lesson", ValueKind.CODE, is_shown=False),
        ShownColumn("day", "night", ValueKind.DAY, is_ordered=True),
        ShownColumn("rule", "rule", link="/lessons/{lesson_id}", is_wide=True, below="reason"),
        ShownColumn("detector_id", "detector", is_ordered=True),
        ShownColumn("state", "state", ValueKind.STATE),
        ShownColumn(
            "uplift_bps", "uplift", ValueKind.BPS, "bps", "mean payoff inside the rule over the baseline",
            span=("low_bps", "high_bps"), is_ordered=True,
        ),
        ShownColumn("low_bps", "95 % from", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("high_bps", "95 % to", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("bound_bps", "bound", ValueKind.BPS, "bps", "what is left of the uplift after the search"),
        ShownColumn("claim_bps", "promised", ValueKind.BPS, "bps", "what its braid is held to"),
        ShownColumn("realised_bps", "earned since", ValueKind.BPS, "bps", "over the baseline, since its selection"),
        ShownColumn("grade", "grade", is_ordered=True),
        ShownColumn("level", "trust", ValueKind.LEVEL),
        ShownColumn("braid_state", "braid", ValueKind.STATE, is_shown=False),
        ShownColumn("days", "days", ValueKind.COUNT, about="learning days behind it"),
        ShownColumn("m_nats", "evidence", ValueKind.NUMBER, "nats", is_shown=False),
        ShownColumn("needed_nats", "needed", ValueKind.NUMBER, "nats", is_shown=False),
        ShownColumn("reason", "decision", is_shown=False),
    ),
    source=_lessons,
    filters=(Filter("state", "state", STATES), Filter("grade", "grade", ("A", "B", "C", "D", "none")),
             Filter("detector_id", "detector"), Filter("day", "night")),
    is_searched=True,
    empty="no lesson of this kind: `lotus lessons` says how far the search is",
    links=(("what was refused last night", "/lessons?state=REFUSED"), ("what beliefs earned", "/beliefs/money"),
           ("where detectors win", "/atoms"), ("what chance alone would show", "/noise")),
)  # fmt: skip


def lesson_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return one lesson with its lanes, parts and braids; raises `LookupError` for an unknown name."""
    row = _found(reading, given["lesson_id"])
    lesson: Lesson = from_body(row["body"], Lesson)
    shown = _row(reading, row)
    lanes = [
        {"name": name, "uplift_bps": lane.uplift_bps, "low_bps": lane.ci95[0], "high_bps": lane.ci95[1],
         "m_nats": lane.m_nats, "needed_nats": lane.critical, "recent_t": lane.recent_t}
        for name, lane in zip(NAMES, lesson.lanes, strict=False)
    ]  # fmt: skip
    parts = [
        {"name": x.name, "uplift_bps": x.uplift_bps, "low_bps": x.uplift_bps - 1.96 * x.se_bps,
         "high_bps": x.uplift_bps + 1.96 * x.se_bps, "published": x.n_published}
        for x in lesson.parts
    ]  # fmt: skip
    ends = [x[name] for x in [shown, *lanes, *parts] for name in ("low_bps", "high_bps")]
    scale = scale_over([0.0, *ends])
    braids = [braid_of(b) for b in reading.rows("sig", "braids_of_lessons", lessons=[lesson.lesson_id])]
    return {
        "title": _sentence(shown),
        "words": _words(reading, lesson),
        "lesson": shown,
        "published": lesson.n_published,
        "windows": lesson.n_windows,
        "trials": lesson.trials,
        "coverage": lesson.coverage,
        "net_bps": lesson.net_mean_bps,
        "warnings": list(lesson.warnings),
        "lanes": [x | {"drawn": _drawn(x, scale)} for x in lanes],
        "parts": [x | {"drawn": _drawn(x, scale)} for x in parts],
        "near_ties": [
            {"rule": describe_with(tie.rule, reading.words), "m_nats": tie.m_nats, "uplift_bps": tie.uplift_bps}
            for tie in lesson.near_ties
        ],
        "braids": [_life(reading, b) for b in braids],
        "members": list(lesson.members_sample),
    }


def _words(reading: HomeReading, lesson: Lesson) -> dict[str, str]:
    """Return the lesson as a sentence, and who wrote it."""
    facts = facts_of_lesson(lesson, reading.words)
    with reading.databases.connect("sig") as sig:
        stored = texts_of(sig, reading.settings.branch, [facts]).get(lesson.lesson_id)
    if stored is None:
        return {"text": lesson_sentence(facts), "by": TEMPLATE}
    return {"text": stored.text, "by": stored.model or stored.author}


def _found(reading: HomeReading, lesson_id: str) -> dict[str, Any]:
    found = reading.rows("sig", "lesson", lesson_id=lesson_id)
    if not found or found[0]["branch"] != reading.settings.branch:
        raise LookupError(f"branch {reading.settings.branch} has no lesson {lesson_id[:40]!r}")
    return found[0]


def _sentence(row: Mapping[str, Any]) -> str:
    more = "more" if row["uplift_bps"] >= 0.0 else "less"
    may = {"REFUSED": "was not shown to pay", "MODEL_ONLY": "may pay"}.get(row["state"], "pays")
    return f"{row['detector_id'].replace('_', ' ').capitalize()} {may} {more} where {row['rule']}"


def _drawn(row: Mapping[str, Any], scale: tuple[float, float]) -> Any:
    return interval((row["low_bps"], row["high_bps"]), row["uplift_bps"], scale)


def _life(reading: HomeReading, braid: Braid) -> dict[str, Any]:
    """Return how a lesson's braid stands: what would end it, what it moved on the newest scored day, what it earned."""
    earned = realised_bps(braid)
    days = reading.rows("sig", "newest_event_day")
    day = days[0]["day"] if days else ""
    return {
        "braid_id": braid.braid_id, "state": braid.state, "reason": braid.reason, "level": braid.level,
        "expires_at_ms": braid.expires_at_ms, "e_value": braid.e_value,
        "revert_if": braid.revert_if(reading.settings.manifest.weave),
        "claim_bps": braid.sign * abs(braid.claim_bps), "day": day,
        "earned_bps": braid.sign * earned[0] if earned else None, "half_bps": earned[1] if earned else None,
        **_moved(reading, braid, day),
    }  # fmt: skip


def _moved(reading: HomeReading, braid: Braid, day: str) -> dict[str, Any]:
    """Return the windows of a day in which a braid fired, and the publications that beliefs moved there."""
    rows = reading.rows("sig", "fired_of_day", day=day, detector_id=braid.detector_id)
    with reading.databases.connect("sig") as sig:
        versions = {v: read_version(sig, reading.settings.branch, v) for v in {str(row["priors_ver"]) for row in rows}}
    own = [
        row for row in rows
        if any(b.braid_id == braid.braid_id
               for b in fired_braids(versions[row["priors_ver"]], braid.detector_id, int(row["fired"]) & (2**64 - 1)))
    ]  # fmt: skip
    return {
        "windows": sum(row["windows"] for row in own),
        "published": sum(row["published"] for row in own),
        "moved": sum(row["moved"] or 0.0 for row in own),
    }


LESSON = PageView("/lessons/{lesson_id}", "Lesson", "Why is this believed, or refused?", lesson_facts, "lesson.html")


def days_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return what a lesson's rule paid on each of the newest days: those that taught it and those since."""
    row = _found(reading, given["lesson_id"])
    lesson: Lesson = from_body(row["body"], Lesson)
    manifest, branch = reading.settings.manifest, reading.settings.branch
    days = days_of_rule(reading.lake, branch, manifest, lesson, "9999", DAYS)
    for day in days:
        day["when"] = "taught it" if day["day"] <= lesson.night else "since"
    since = [day for day in days if day["when"] == "since"]
    kept = sum(day["net_bps"] * day["windows"] for day in since) / max(1, sum(day["windows"] for day in since))
    words = f"{kept:+.2f} bps net since, {lesson.net_mean_bps:+.2f} before" if since else "no day since it was found"
    return {"title": f"Promised against realised: {words}", "lesson": _row(reading, row), "days": days}


LESSON_DAYS = PageView(
    "/lessons/{lesson_id}/days", "Lesson by day", "Is the promise kept?", days_facts, "lesson_days.html"
)
