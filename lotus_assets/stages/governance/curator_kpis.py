"""The KPIs of all curators in a night: read from values of acts, cards, audits, sketches and the books of dm and tr."""

import json
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from lotus.curation.curator_value import KPI_DAYS, Columns
from lotus.curation.kpis import AuditTally, KpiRow, StageChange, in_order, of_acts, of_audits, of_diversity, of_lives
from lotus.detectors.audits.leakage import PLANTED
from lotus.detectors.audits.table import ADV_FRAGILITY, DETECTOR_AUDITS
from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.detectors.cards.lifecycle import Rules
from lotus.modules.intents import Module
from lotus.monitoring.sketch_table import DAY_SKETCHES, DIVERSITY
from lotus.timebase import DAY_MS, day_start_ms, next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import commits_before
from lotus_resources.recent_values import RecentKind
from lotus_store.ledger.curator_kpis import decided_kpis, planned_kpis

_READ = RecentKind("what KPIs are made of", 256)
_CARDS = ("detector_id", "spec_version", "sq_score")
_AUDITS = ("detector_id", "kind", "audit", "passed", "bound")


def night_kpis(ctx: StageContext, day: str, values: Sequence[Columns]) -> list[KpiRow]:
    """Return the rows of a night; `values`: CURATOR_VALUE of the learning days up to `day`, oldest first."""
    cards, audits, sketches = (
        _days(ctx, day, name) for name in (DETECTOR_CARDS.name, DETECTOR_AUDITS.name, DAY_SKETCHES.name)
    )
    scores = [_scores(_table(ctx, DETECTOR_CARDS.name, *one, _CARDS)) for one in cards]
    made = [(one[0], _table(ctx, DETECTOR_AUDITS.name, *one, _AUDITS)) for one in audits]
    until_ms = day_start_ms(next_day(day))
    span = ctx.branch, until_ms - KPI_DAYS * DAY_MS, until_ms
    with ctx.databases.connect(Module.DM.value) as dm, ctx.databases.connect(Module.TR.value) as tr:
        others = [*decided_kpis(dm, *span), *planned_kpis(tr, *span)]
    return in_order(
        [
            *of_acts(values),
            *of_lives(_lives(ctx, day) if cards else {}, scores, Rules().sq_promote, day),
            *of_audits({kind: [_audited(d, rows, kind) for d, rows in made] for kind in ("leakage", "adversarial")}),
            *of_diversity(
                [_n_eff(_table(ctx, DAY_SKETCHES.name, *one, ("family", "series", "number"))) for one in sketches]
            ),
            *others,
        ]
    )


def _days(ctx: StageContext, day: str, stage: str) -> list[tuple[str, str]]:
    """Return the newest 60 days of a table of the lake up to `day` and their hashes, oldest first."""
    return [(c.day, c.content_hash) for c in commits_before(ctx, stage, next_day(day), KPI_DAYS)]


def _table(ctx: StageContext, name: str, day: str, content: str, columns: tuple[str, ...]) -> Columns:
    return ctx.recent.get(
        _READ, (name, ctx.branch, day, content), partial(ctx.lake.read, name, ctx.branch, day, columns=columns)
    )


def _scores(cards: Columns) -> dict[str, float | None]:
    versions = zip(cards["detector_id"].tolist(), cards["spec_version"].tolist(), strict=True)
    return {
        f"{name}@{version}": None if score != score else score
        for (name, version), score in zip(versions, cards["sq_score"].tolist(), strict=True)
    }


def _lives(ctx: StageContext, day: str) -> Mapping[str, Sequence[StageChange]]:
    cards = ctx.lake.read(DETECTOR_CARDS.name, ctx.branch, day, columns=("detector_id", "spec_version", "life"))
    rows = zip(*(cards[name].tolist() for name in ("detector_id", "spec_version", "life")), strict=True)
    return {
        f"{name}@{version}": [StageChange(c["day"], c["old"] or "", c["new"]) for c in json.loads(life)]
        for name, version, life in rows
    }


def _audited(day: str, rows: Columns, kind: str) -> AuditTally:
    """Count the audits of shipped detectors that may fail: those of leakage, or fragility as the curator reads it."""
    bound = np.isfinite(np.asarray(rows["bound"], np.float64))
    of_kind = rows["kind"] == kind if kind == "leakage" else rows["audit"] == ADV_FRAGILITY
    own = of_kind & (rows["detector_id"] != PLANTED) & bound
    return AuditTally(day, int(own.sum()), int(np.asarray(rows["passed"])[own].sum()))


def _n_eff(rows: Columns) -> float:
    own = (rows["family"] == DIVERSITY) & (rows["series"] == "n_eff")
    return float(np.asarray(rows["number"])[own][0]) if own.any() else float("nan")
