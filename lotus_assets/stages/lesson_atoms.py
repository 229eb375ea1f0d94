"""lesson_atoms[day]: additive sums of the day's demeaned scores per detector, block, feature subset and cell."""

from collections.abc import Mapping

import numpy as np

from lotus.learning.basis import hats
from lotus.learning.cube import LESSON_ATOMS, atoms_of
from lotus.learning.demean import demean
from lotus.learning.payoff_scores import bins_of
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, Made, Stage, StageContext, Table
from lotus_assets.stages.lake_tables import Columns, Part, concatenated, joint_hash, parts_hash
from lotus_assets.stages.lake_tables import Table as LakeTable
from lotus_assets.stages.payoff_scores import read_scores
from lotus_assets.stages.schema_check import schema_check
from lotus_store.ledger.day_commits import read_commit

PARTS = [Part(LESSON_ATOMS)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's scores."""
    return {"payoff_scores": content_of(ctx, ctx.branch, day, "payoff_scores")}


def present(ctx: StageContext, day: str) -> str:
    """Hash of the part that is in the lake."""
    return parts_hash(ctx, ctx.branch, day, PARTS)


def make(ctx: StageContext, day: str) -> Made:
    """Demean every detector's scores inside the day and sum them into cells."""
    commit = read_commit(ctx.sig, ctx.branch, day, "payoff_scores")
    scores = read_scores(ctx, commit) if commit is not None else {}
    names = np.asarray(scores["detector_id"])
    detectors = sorted(set(names.tolist()))
    tables = [atoms(day, detector, {n: v[names == detector] for n, v in scores.items()}) for detector in detectors]
    rows = concatenated(tables) if tables else _no_rows()
    written = ctx.lake.write(LESSON_ATOMS, ctx.branch, day, rows)
    lines = [(d, len(t["cell"]), len(set(t["block"].tolist()))) for d, t in zip(detectors, tables, strict=True)]
    joined = joint_hash(PARTS, [written.content_hash])
    table = Table(("detector", "cells", "blocks"), lines)
    notes: dict[str, Cell] = {"detectors": len(detectors), "names": " ".join(detectors)}
    return Made(written.rows, joined, (schema_check(LESSON_ATOMS, rows),), notes, table)


def atoms(day: str, detector: str, scores: Columns) -> LakeTable:
    """Return the rows of LESSON_ATOMS of one detector from its scores of one day."""
    h, f = scores["h"].astype(np.float64), scores["f"].astype(np.float64)
    same_day = np.zeros(len(h), dtype=np.int64)
    residual = demean(hats(scores["u0"].astype(np.float64)), h, f, same_day, 1)
    values = {"r": residual, "h": h, "n": scores["published"].astype(np.float64)}
    return atoms_of(detector, day, bins_of(scores), scores["block"].astype(np.uint8), values)


def _no_rows() -> LakeTable:
    return {c.name: np.zeros(0, dtype=LESSON_ATOMS.numpy_dtype(c.name)) for c in LESSON_ATOMS.columns}


STAGE = Stage("lesson_atoms", inputs, make, present)
