"""lessons[day]: one nightly run of learning over the scores of the search window.

Everything the nightly run used up is kept: alpha slots of the budget year, critical value, rules searched, audits and
what was refused with the number that failed. What it accepted is told to dm and tr. With `learning.looks = "final"` one
nightly run looks, once: that of `learning.look_day`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lotus.hashing import natural_id
from lotus.learning.axes import axes
from lotus.learning.horizons import HorizonStats
from lotus.learning.lesson import AuditState, Lesson
from lotus.learning.night import NightResult, learn_from
from lotus.learning.slots import SlotState
from lotus.modules.intents import Module
from lotus.priors.segment_context import rule_words
from lotus.priors.types import priors_0
from lotus.sentences.shown_facts import facts_of_lesson
from lotus.timebase import next_day
from lotus.weave.braid import Braid
from lotus.weave.meta import members
from lotus_assets.code_version import code_version
from lotus_assets.pages.belief_glance import belief_documents
from lotus_assets.pages.lesson_pictures import lesson_pictures
from lotus_assets.pages.lesson_tables import lesson_table
from lotus_assets.stages.chain import content_of, day_before, tape_days, version_of
from lotus_assets.stages.context import CheckOutcome, Made, Stage, StageContext
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.learning.asset_context import check_place, scores_in_context, vocabulary
from lotus_assets.stages.learning.day_sums import make_ahead, sources
from lotus_assets.stages.learning.lesson_checks import lesson_checks
from lotus_assets.stages.learning.lesson_horizons import lesson_horizons
from lotus_assets.stages.learning.woven import compositions
from lotus_assets.stages.scoring.payoff_scores import evidence_of
from lotus_herald.keys import Keys
from lotus_modules.priors.weave_notes import tell_lessons
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.lessons import (
    RUN,
    RUN_OF_LESSONS,
    both_slots,
    read_experiments,
    read_lesson,
    read_lessons,
    write_experiments,
    write_lessons,
)
from lotus_store.ledger.bodies import from_body, to_body
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.ledger.texts import put_templates

# kinds of experiment rows
NIGHT, AUDIT, DETECTOR = "night", "audit", "detector"
CROSSING, HORIZON = "crossing", "horizon"


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The scores of the search window, the nightly run before (its memory) and the rules believed until now."""
    digests = {"lesson_atoms": content_of(ctx, ctx.branch, day, "lesson_atoms"), **hashes(_searched(ctx, day))}
    before = day_before(ctx, day)
    if before is not None:
        digests["lessons before"] = content_of(ctx, ctx.branch, before, "lessons")
        digests["braids before"] = content_of(ctx, ctx.branch, before, "braids")
        digests["compositions before"] = content_of(ctx, ctx.branch, before, "meta_braids")
    return {**digests, "last": str(_is_last(ctx, day))}


def make(ctx: StageContext, day: str) -> Made:
    """Learn, and leave lessons and the records of the nightly run to the commit."""
    before, searched = day_before(ctx, day), _searched(ctx, day)
    registry = [b for b in read_registry(ctx.sig, ctx.branch, before) if b.in_force] if before else []
    learning_days, result = _learned(ctx, day, searched, registry)
    standing = _standing(ctx, registry)
    believed, words = [lesson for lesson, _ in standing], rule_words(ctx.manifest)
    pictures = belief_documents(registry, [*result.lessons, *believed], words) | lesson_pictures(
        result, lambda: {x.day: scores_in_context(ctx, x) for x in searched}, ctx.manifest, standing
    )
    checks = lesson_checks(result, learning_days, believed, ctx.manifest.learning, words)
    return _made(ctx, day, result, learning_days, lesson_horizons(ctx, searched, result.lessons), pictures, checks)


def _learned(
    ctx: StageContext, day: str, searched: Sequence[DayCommit], registry: Sequence[Braid]
) -> tuple[int, NightResult]:
    """Return which learning day of the branch this is, and what it taught with the memory of the day before.

    Raises `BeliefError` while a belief speaks of coins, or of segments, and they are no context.
    """
    active, words = [(b.detector_id, b.rule) for b in registry if b.braid_type == "micro"], vocabulary(ctx)
    before = day_before(ctx, day)
    check_place(ctx, [rule for _, rule in active], before)
    memory = read_experiments(ctx.sig, ctx.branch, before, NIGHT) if before else {}
    audits = read_experiments(ctx.sig, ctx.branch, before, AUDIT) if before else {}
    learning_days = int(memory["night"]["learning_days"]) + 1 if memory else 1
    found = sources(ctx, searched, commits_before(ctx, "lesson_atoms", next_day(day), len(searched)))
    space = axes(ctx.manifest.learning.max_literals, words)
    make_ahead(found, active, space, ctx.settings.fleet.sum_threads)
    return learning_days, learn_from(
        found,
        tuple(commit.day for commit in searched),
        ctx.manifest,
        night=learning_days,
        last=_is_last(ctx, day),
        active=active,
        slots=both_slots(memory["night"]["slots"]) if memory else None,
        pooled_slots=_slots(memory, "pooled_slots"),
        audits={name: from_body(body["state"], AuditState) for name, body in audits.items()},
        branch=ctx.branch,
        members=members(compositions(ctx, day), ctx.manifest.learning),
        vocabulary=words,
    )


def _standing(ctx: StageContext, registry: Sequence[Braid]) -> list[tuple[Lesson, int]]:
    """Return the lessons behind the braids of a registry that come from one, each with the braid's level of trust."""
    found = ((read_lesson(ctx.sig, b.lesson_id), b.level) for b in registry if b.braid_type == "micro")
    return [(lesson, level) for lesson, level in found if lesson is not None]


def _slots(memory: Mapping[str, Any], name: str) -> SlotState | None:
    """Return alpha slots as the nightly run before left them; a nightly run of an older version may have left none."""
    held = memory["night"].get(name) if memory else None
    return None if held is None else from_body(held, SlotState)


def _searched(ctx: StageContext, day: str) -> list[DayCommit]:
    return commits_before(ctx, "payoff_scores", next_day(day), ctx.manifest.learning.search_days)


def _is_last(ctx: StageContext, day: str) -> bool:
    """Whether this nightly run holds the only analysis of a "final" run (always false when every run may hold one)."""
    if ctx.manifest.learning.looks != "final":
        return False
    return day == (ctx.manifest.learning.look_day or tape_days(ctx)[-1])


def _made(
    ctx: StageContext,
    day: str,
    night: NightResult,
    learning_days: int,
    horizons: Mapping[str, tuple[HorizonStats, ...]],
    pictures: Mapping[str, str],
    checks: tuple[CheckOutcome, ...],
) -> Made:
    kept = [*night.lessons, *night.proposals, *night.refused]
    records = {**_records(night, learning_days), HORIZON: dict(horizons), RUN: {RUN_OF_LESSONS: _run(ctx, day, night)}}

    def ledger(connection: Connection) -> None:
        write_lessons(connection, ctx.branch, day, kept)
        for kind, bodies in records.items():
            write_experiments(connection, ctx.branch, day, kind, bodies)
        tell_lessons(connection, ctx.branch, day, night.lessons, Keys(ctx.settings.keys_root), Module.SIG)

    content = natural_id(*(lesson.lesson_id for lesson in kept), to_body(records))
    notes = {
        "accepted": len(night.lessons),
        "proposed": len(night.proposals),
        "refused": len(night.refused),
        "trials": night.trials,
        "critical_nats": night.critical.day,
        "critical_rest_nats": night.critical.rest,
        "learning_days": night.n_days,
        "alarms": sum(audit.alarm for audit in night.audits),
        **evidence_of(_searched(ctx, day)),
    }
    return Made(
        rows=len(kept),
        content_hash=content,
        checks=checks,
        notes=notes,
        table=lesson_table(kept, rule_words(ctx.manifest)),
        ledger=ledger,
        documents=pictures,
    )


def _run(ctx: StageContext, day: str, night: NightResult) -> dict[str, Any]:
    """Return the record of the run: what ran, on what, under which beliefs, and all that was turned down."""
    before = day_before(ctx, day)
    versions = {
        "manifest_ver": ctx.manifest.version,
        "fixtures_hash": natural_id(*(commit.content_hash for commit in _searched(ctx, day))),
        "code_ver": code_version("learning"),
        "priors_ver": version_of(ctx, before) if before else priors_0(ctx.branch).priors_ver,
    }
    return {
        **versions,
        "run": natural_id("run", ctx.branch, day, *versions.values()),
        "config": ctx.manifest.learning,
        "seeds": [ctx.manifest.learning.seed],
        "metrics": {
            "trials": night.trials,
            "critical": night.critical,
            "real_maximum": night.real_maximum,
            "accepted": len(night.lessons),
            "proposed": len(night.proposals),
            "refused": len(night.refused),
        },
        "families": {report.detector_id: report.rules_searched for report in night.reports},
        "rejected": [{"detector": x.detector_id, "rule": x.rule, "reason": x.reason} for x in night.refused],
    }


def _records(night: NightResult, learning_days: int) -> dict[str, dict[str, Any]]:
    analysis = {
        "learning_days": learning_days,
        "slots": night.slots,
        "looked": night.looked,
        "slots_tonight": night.slots_tonight,
        "pooled_slots": night.pooled.state,
        "pooled_critical": night.pooled.critical,
        "critical": night.critical,
        "trials": night.trials,
        "real_maximum": night.real_maximum,
        "draw_maxima": [[float(x) for x in lane] for lane in night.draw_maxima],
    }
    return {
        NIGHT: {NIGHT: analysis},
        AUDIT: {audit.detector_id: audit for audit in night.audits},
        DETECTOR: {report.detector_id: report for report in night.reports},
        CROSSING: {
            f"{lane}{crossing.order:02d}": crossing
            for lane, of_lane in zip("SF", night.crossings, strict=True)
            for crossing in of_lane
        },
    }


def finish(ctx: StageContext, day: str) -> None:
    """Store each lesson of the night as a sentence for people; nothing reads it back."""
    kept = [x for x in read_lessons(ctx.sig, ctx.branch, day) if x.state != "REFUSED"]
    put_templates(ctx.sig, ctx.branch, [facts_of_lesson(x, rule_words(ctx.manifest)) for x in kept])


STAGE = Stage("lessons", inputs, make, finish=finish)
