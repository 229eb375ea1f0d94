"""dm_knowledge[day]: what the decision-maker knows after the day, for use on later days.

Calibration, reliability, covariance and correlations from the sums of days up to this one, and what terms of plans have
gained so far in the windows of each source. They are written to the dm database in one transaction of its own before
the stage is committed: killed in between, the nightly run is made again with the same rows. How promises were kept is
told for every source, losing ones too.
"""

from collections.abc import Mapping, Sequence

from lotus.decision.knowledge import claims
from lotus.decision.knowledge.evidence import EVENT_COLUMNS
from lotus.decision.knowledge.feedback import DecisionMemory
from lotus.decision.knowledge.nightly import ALL_SOURCES, NightlyEstimates, SourceQuality, learn
from lotus.decision.knowledge.plan_terms import TermAccount, excursion_columns, in_force, settled, term_sums
from lotus.decision.knowledge.reliability import ForecastQuality
from lotus.decision.policy.policy import shipped_policy
from lotus.errors import LedgerError
from lotus.timebase import next_day
from lotus_assets.pages.drawing import DRAWING
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.modules.dm_evidence import NIGHT, read_evidence
from lotus_assets.stages.scoring.signal_eval import read_events, read_outcomes
from lotus_store.databases import Connection
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.ledger.trading.knowledge import (
    Knowledge,
    content_of_night,
    executors_by,
    knowledge_of,
    put_knowledge,
    quality_of_night,
)

EVIDENCE = "dm_evidence"


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The sums of the days of the policy's history, the day's outcomes, the nightly run before, the policy."""
    return {
        EVIDENCE: content_of(ctx, ctx.branch, day, EVIDENCE),
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
        "policy": shipped_policy().version,
        **hashes(_evidence(ctx, day)),
        **hashes(commits_before(ctx, NIGHT, day, 1)),
    }


def present(ctx: StageContext, day: str) -> str:
    """Hash of the rows that are in the dm database."""
    with ctx.databases.connect("dm") as dm:
        try:
            return content_of_night(knowledge_of(dm, ctx.branch, day, day), quality_of_night(dm, ctx.branch, day))
        except LedgerError:
            return ""


def make(ctx: StageContext, day: str) -> Made:
    """Learn, and leave the rows to the commit."""
    with ctx.databases.connect("dm") as dm:
        executors = executors_by(dm, ctx.branch, day)
        before = _night_before(ctx, dm, day)
    evidence = {commit.day: read_evidence(ctx, commit) for commit in _evidence(ctx, day)}
    learned = learn(day, evidence, before.memory.reliabilities if before else (), shipped_policy())
    memory, terms = DecisionMemory(learned.reliabilities), _terms(ctx, day, before)
    knowledge = Knowledge(
        day, learned.calibration, memory, learned.covariance, learned.correlations, terms, learned.claims
    )

    def ledger(connection: Connection) -> None:
        with ctx.databases.connect("dm") as dm:
            put_knowledge(dm, ctx.branch, knowledge, learned.quality)

    notes: dict[str, Cell] = {
        "calibration_ver": learned.calibration.version,
        "covariance_ver": learned.covariance.version,
        "cells": len(learned.calibration.cells),
        "days": len(evidence),
        "risk_bars": learned.covariance.rows,
        "pairs": len(learned.correlations),
        "terms": len(in_force(terms)),
        **({"claims_heard": len(claims.in_force(learned.claims))} if learned.claims else {}),
        **{f"executor_{e.executor}": e.value for e in executors},
        **_scores(_whole(learned.quality)),
    }
    content = content_of_night(knowledge, learned.quality)
    rows = len(learned.calibration.cells) + len(learned.reliabilities) + len(learned.correlations)
    checks = (kept_check(_whole(learned.quality)),)
    return Made(rows, content, checks, notes, _table(learned), ledger=ledger, documents=_pictures(learned.quality))


def kept_check(quality: ForecastQuality | None) -> CheckOutcome:
    """Tell how often what was promised came: fails where hits stay below what was promised of them in most groups."""
    if quality is None:
        return CheckOutcome("promises_kept", True, "nothing was promised yet")
    below = sum(b.hit_high < b.promised_p for b in quality.curve)
    inside = sum(b.hit_low <= b.promised_p <= b.hit_high for b in quality.curve)
    numbers: dict[str, Cell] = {
        "promises": quality.count, "groups": len(quality.curve), "groups_inside": inside, "groups_below": below,
        **_scores(quality),
    }  # fmt: skip
    text = (
        f"{quality.count} promises, slope {quality.slope:.3f}; in {inside} of {len(quality.curve)} groups the share of "
        f"hits is the promised one within 95 %, in {below} it is lower"
    )
    return CheckOutcome("promises_kept", 2 * below <= len(quality.curve), text, numbers)


def _evidence(ctx: StageContext, day: str) -> list[DayCommit]:
    days = shipped_policy().calibration.history_days
    first = next_day(day, 1 - days)
    return [c for c in commits_before(ctx, EVIDENCE, next_day(day), days) if c.day >= first]


def _night_before(ctx: StageContext, dm: Connection, day: str) -> Knowledge | None:
    nights = commits_before(ctx, NIGHT, day, 1)
    return knowledge_of(dm, ctx.branch, nights[0].day, nights[0].day) if nights else None


def _terms(ctx: StageContext, day: str, before: Knowledge | None) -> tuple[TermAccount, ...]:
    """Return the accounts of plans' terms after the day."""
    horizons = ctx.manifest.outcomes.horizons_s
    evaluated = read_outcomes(ctx, day, excursion_columns(horizons))
    return settled(before.terms if before else (), term_sums(read_events(ctx, day, EVENT_COLUMNS), evaluated, horizons))


def _whole(quality: Sequence[SourceQuality]) -> ForecastQuality | None:
    return next((q.found for q in quality if (q.source, q.horizon_s) == ALL_SOURCES), None)


def _scores(quality: ForecastQuality | None) -> dict[str, Cell]:
    if quality is None:
        return {}
    names = ("brier", "brier_base", "log_score", "log_base", "slope")
    return {name: float(getattr(quality, name)) for name in names}


def _table(learned: NightlyEstimates) -> TextTable:
    quality = {(q.source, q.horizon_s): q.found for q in learned.quality}
    header = ("source", "horizon, s", "N", "lambda", "reliability", "slope", "Brier", "base", "log", "base", "promises")
    rows: list[tuple[Cell, ...]] = []
    for r in learned.reliabilities:
        cells = learned.calibration.cells_of(r.source, r.horizon_s, "")
        n, share = (cells[1].support, learned.calibration.shrinkage(cells[1])) if cells else (0.0, 0.0)
        forecast = quality.get((r.source, r.horizon_s))
        numbers: tuple[Cell, ...] = ("", "", "", "", "")
        if forecast is not None:
            numbers = (forecast.slope, forecast.brier, forecast.brier_base, forecast.log_score, forecast.log_base)
        rows.append((r.source, r.horizon_s, n, share, r.value, *numbers, r.promises))
    return TextTable(header, rows)


def _pictures(quality: Sequence[SourceQuality]) -> dict[str, str]:
    whole = _whole(quality)
    if whole is None:
        return {}
    from lotus.pictures.canvas import png_markdown
    from lotus.pictures.curves import reliability_curve

    points = [(b.promised_p, b.hit_share, b.hit_low, b.hit_high) for b in whole.curve]
    with DRAWING:
        return {"reliability_curve": png_markdown("reliability curve", reliability_curve("all sources", points))}


STAGE = Stage("dm_knowledge", inputs, make, present)
