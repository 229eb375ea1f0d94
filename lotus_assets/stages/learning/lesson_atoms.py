"""lesson_atoms[day]: additive sums of the day's demeaned scores per detector, block, feature subset and cell.

Beside them `condition_stats`: what published windows did under each readable condition, decayed over the days.
"""

from collections.abc import Mapping

import numpy as np

from lotus.learning.condition_stats import CONDITION_STATS, condition_stats
from lotus.learning.cube import LESSON_ATOMS, atoms_of
from lotus.learning.effect import residuals
from lotus.learning.rows import rows_by_detector
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, Made, Stage, StageContext, TextTable
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.lake_tables import Columns, LakeTable, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.scoring.payoff_scores import read_scores
from lotus_assets.stages.scoring.signal_eval import read_outcomes
from lotus_store.columns import coded, concatenated, places_of
from lotus_store.ledger.day_commits import read_commit

PARTS = [TablePart(LESSON_ATOMS), TablePart(CONDITION_STATS)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's scores, and the conditions of the day before."""
    digests = {"payoff_scores": content_of(ctx, ctx.branch, day, "payoff_scores")}
    return {**digests, **hashes(commits_before(ctx, "lesson_atoms", day, 1))}


def make(ctx: StageContext, day: str) -> Made:
    """Demean every detector's scores inside the day and sum them into cells."""
    commit = read_commit(ctx.sig, ctx.branch, day, "payoff_scores")
    scores = read_scores(ctx, commit) if commit is not None else {}
    names = np.asarray(scores["detector_id"])
    different, detector_at = coded(names)
    detectors = sorted(different)
    rows_of = [np.flatnonzero(detector_at == different.index(detector)) for detector in detectors]
    tables = [
        atoms(day, name, {n: v[own] for n, v in scores.items()}) for name, own in zip(detectors, rows_of, strict=True)
    ]
    rows = concatenated(tables) if tables else _no_rows()
    written = ctx.lake.write(LESSON_ATOMS, ctx.branch, day, rows)
    lines = [(d, len(t["cell"]), len(set(t["block"].tolist()))) for d, t in zip(detectors, tables, strict=True)]
    half_life = ctx.manifest.learning.half_life_days
    conditions = condition_stats(_before(ctx, day), _published(ctx, day, scores), day, half_life)
    kept = ctx.lake.write(CONDITION_STATS, ctx.branch, day, conditions)
    joined = joint_hash(PARTS, [written.content_hash, kept.content_hash])
    table = TextTable(("detector", "cells", "blocks"), lines)
    notes: dict[str, Cell] = {"detectors": len(detectors), "names": " ".join(detectors)}
    checks = (together("schema", schema_check(LESSON_ATOMS, rows), schema_check(CONDITION_STATS, conditions)),)
    return Made(written.rows, joined, checks, notes, table)


def _before(ctx: StageContext, day: str) -> LakeTable | None:
    earlier = commits_before(ctx, "lesson_atoms", day, 1)
    if not earlier or not ctx.lake.exists(CONDITION_STATS.name, ctx.branch, earlier[0].day):
        return None
    return ctx.lake.read(CONDITION_STATS.name, ctx.branch, earlier[0].day)


def _published(ctx: StageContext, day: str, scores: Columns) -> LakeTable:
    """Return the day's published windows with hit and excursions at each detector's decision horizon."""
    taken = np.asarray(scores["published"], dtype=np.bool_)
    asked = np.asarray(scores["event_id"])[taken]
    horizon = np.asarray(scores["horizon_s"])[taken]
    out = {name: np.asarray(scores[name])[taken] for name in ("detector_id", "hit", *BIN_COLUMNS)}
    out |= {"mfe": np.full(len(asked), np.nan), "mae": np.full(len(asked), np.nan)}
    if not len(asked):
        return out
    spans = sorted({int(h) for h in horizon})
    names = [f"{kind}_{h}" for h in spans for kind in ("mfe", "mae")]
    outcomes = read_outcomes(ctx, day, ("event_id", *names))
    places = places_of(asked, outcomes["event_id"])
    for h in spans:
        for kind in ("mfe", "mae"):
            out[kind] = np.where(horizon == h, outcomes[f"{kind}_{h}"].astype(np.float64)[places], out[kind])
    return out


def atoms(day: str, detector: str, scores: Columns) -> LakeTable:
    """Return the rows of LESSON_ATOMS of one detector from its scores of one day; only its newest version counts."""
    rows = rows_by_detector({day: scores}, 1)[detector]
    left = residuals(rows)
    values = {
        "r": left.r.day,
        "h": left.weight.day,
        "rest_r": left.r.rest,
        "rest_h": left.weight.rest,
        "n": rows.published.astype(np.float64),
    }
    return atoms_of(detector, day, rows.bins, rows.block.astype(np.uint8), values)


def _no_rows() -> LakeTable:
    return {c.name: np.zeros(0, dtype=LESSON_ATOMS.numpy_dtype(c.name)) for c in LESSON_ATOMS.columns}


STAGE = Stage("lesson_atoms", inputs, make, present_of(PARTS))
