"""expert_training[day]: on a Monday (UTC) the convolution of `tape_filter` trained anew on the seven days before it.

Trained on all but the last two of them, judged on those two. The weights are a table of their own and a proposal: what
scores are the weights packaged with the spec, under the hash that the spec names.
"""

from collections.abc import Mapping

import numpy as np

from lotus.columns import Column, TableSpec
from lotus.experts.fusion import default_experts
from lotus.experts.model import Weights, weights_hash
from lotus.experts.spec import ExpertSpec
from lotus.experts.training import train
from lotus.experts.training_set import examples
from lotus.hashing import key64, natural_id
from lotus_assets.stages.context import Cell, Made, Stage, StageContext
from lotus_assets.stages.expert_stats import is_judged, judged_days
from lotus_assets.stages.history import hashes
from lotus_assets.stages.lake_tables import Part, joint_hash, parts_hash
from lotus_assets.stages.lake_tables import Table as LakeTable
from lotus_assets.stages.microtape_frames import read_frames
from lotus_assets.stages.schema_check import schema_check

EXPERT = "tape_filter"
STRIDE = 25  # frames between two windows: a week of whole days stays within memory
UNSEEN_DAYS = 2
NOTHING = natural_id("expert_training", "nothing")

EXPERT_WEIGHTS = TableSpec(
    "expert_weights",
    ("layer", "tap", "input", "output"),
    (
        Column("layer", "i2", "index", "0 reads the operands of the spec", low=0),
        Column("tap", "i2", "rows", "how many rows ago", low=0),
        Column("input", "i2", "index", "channel read", low=0),
        Column("output", "i2", "index", "channel written", low=0),
        Column("weight", "f8", "1", "six significant digits"),
    ),
)
PARTS = [Part(EXPERT_WEIGHTS)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """On a Monday the annotations of the days trained on (whose frames they stand for) and the spec."""
    return {"spec": _spec().spec_id, **hashes(judged_days(ctx, day))} if is_judged(day) else {}


def present(ctx: StageContext, day: str) -> str:
    """Hash of the part that is in the lake, or of nothing on a day that trains nothing."""
    days = judged_days(ctx, day) if is_judged(day) else []
    return parts_hash(ctx, ctx.branch, day, PARTS) if len(days) > UNSEEN_DAYS else NOTHING


def make(ctx: StageContext, day: str) -> Made:
    """Train on a Monday that has more than two days behind it; an empty result otherwise."""
    days = judged_days(ctx, day) if is_judged(day) else []
    if len(days) <= UNSEEN_DAYS:
        why = f"on Mondays with more than {UNSEEN_DAYS} days in the week before"
        return Made(0, NOTHING, notes={"trained": why})
    found = [examples(read_frames(ctx, c.day, warmup=True), _spec(), stride=STRIDE) for c in days]
    number = np.repeat(np.arange(len(days)), [len(e.up) for e in found])
    x, up = np.concatenate([e.x for e in found]), np.concatenate([e.up for e in found])
    seed = key64(STAGE.name, day) >> 32
    trained = train(x, up, number >= len(days) - UNSEEN_DAYS, seed)
    rows = weight_rows(trained.weights)
    written = ctx.lake.write(EXPERT_WEIGHTS, ctx.branch, day, rows)
    notes: dict[str, Cell] = {
        "weights_hash": weights_hash(trained.weights), "in_force": "no: stored as a proposal",
        "windows_trained": trained.rows[0], "windows_unseen": trained.rows[1], "loss_unseen": trained.loss,
        "loss_trained": trained.loss_trained, "loss_knowing_nothing": float(np.log(2.0)),
        "hit_rate_unseen": trained.hit_rate,
    }  # fmt: skip
    checks = (schema_check(EXPERT_WEIGHTS, rows),)
    return Made(written.rows, joint_hash(PARTS, [written.content_hash]), checks, notes)


def weight_rows(layers: Weights) -> LakeTable:
    """Return weights as rows of the table, in key order."""
    places = [np.indices(w.shape).reshape(3, -1) for w in layers]
    taps, ins, outs = (np.concatenate([p[k] for p in places]).astype(np.int16) for k in range(3))
    layer = np.repeat(np.arange(len(layers)), [w.size for w in layers]).astype(np.int16)
    flat = np.concatenate([w.ravel() for w in layers])
    return {"layer": layer, "tap": taps, "input": ins, "output": outs, "weight": flat}


def _spec() -> ExpertSpec:
    return next(e for e in default_experts().experts if e.expert_id == EXPERT)


STAGE = Stage("expert_training", inputs, make, present)
