"""expert_training[day]: on a Monday (UTC) the convolution of `tape_filter` trained anew on the seven days before it.

Trained on all but the last two of them, and compared on those two with the net in force. The weights are a table of
their own; they are taken into the set of `expert_stats` of the same Monday where they are better.
"""

from collections.abc import Mapping

import numpy as np

from lotus.columns import Column, TableSpec
from lotus.experts.fusion import default_experts
from lotus.experts.model import Weights, shipped_net, weights_hash
from lotus.experts.spec import ExpertSpec
from lotus.experts.weekly.training import outputs_of, train
from lotus.experts.weekly.training_set import all_examples, examples
from lotus.experts.weekly.verdict import compare, log_losses
from lotus.hashing import key64, natural_id
from lotus.timebase import HOUR_MS
from lotus_assets.stages.context import Cell, Made, Stage, StageContext
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.experts.judged_days import is_judged, judged_days
from lotus_assets.stages.history import hashes
from lotus_assets.stages.lake_tables import LakeTable, TablePart, joint_hash, parts_hash
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.tape.microtape_frames import read_frames
from lotus_store.ledger.day_commits import read_commit

EXPERT = "tape_filter"
STRIDE = 25  # frames between two windows: a week of whole days stays within memory
UNSEEN_DAYS = 2
TAKEN_UP = "taken_up"
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
PARTS = [TablePart(EXPERT_WEIGHTS)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """On a Monday the annotations of the days trained on (whose frames they stand for), the spec, the net in force."""
    if not is_judged(day):
        return {}
    in_force = weights_hash(net_in_force(ctx, day))
    return {"spec": _spec().spec_id, "in_force": in_force, **hashes(judged_days(ctx, day))}


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
    parts = [examples(read_frames(ctx, c.day, warmup=True), _spec(), stride=STRIDE) for c in days]
    unseen = np.repeat(np.arange(len(days)), [len(e.up) for e in parts]) >= len(days) - UNSEEN_DAYS
    all_of = all_examples(parts)
    trained = train(all_of.x, all_of.up, unseen, key64(STAGE.name, day) >> 32)
    up, hour = all_of.up[unseen], all_of.end_ms[unseen] // HOUR_MS
    losses = [log_losses(_up(net, all_of.x[unseen]), up) for net in (net_in_force(ctx, day), trained.weights)]
    verdict = compare(losses[0], losses[1], hour)
    rows = weight_rows(trained.weights)
    written = ctx.lake.write(EXPERT_WEIGHTS, ctx.branch, day, rows)
    notes: dict[str, Cell] = {
        "weights_hash": weights_hash(trained.weights), TAKEN_UP: verdict.is_better, "verdict": str(verdict),
        "windows_trained": trained.rows[0], "windows_unseen": trained.rows[1], "loss_unseen": verdict.after,
        "loss_in_force": verdict.before, "loss_trained": trained.loss_trained,
        "loss_knowing_nothing": float(np.log(2.0)), "hit_rate_unseen": trained.hit_rate,
    }  # fmt: skip
    checks = (schema_check(EXPERT_WEIGHTS, rows),)
    return Made(written.rows, joint_hash(PARTS, [written.content_hash]), checks, notes)


def net_in_force(ctx: StageContext, day: str) -> Weights:
    """Return the weights that the day's experts run on."""
    return experts_of(ctx, day).nets.get(EXPERT) or shipped_net(_spec())


def taken_up(ctx: StageContext, day: str) -> Mapping[str, Weights]:
    """Return the net that the training of a Monday found better than the one in force, empty when it found none."""
    commit = read_commit(ctx.sig, ctx.branch, day, STAGE.name)
    if commit is None or not commit.notes["notes"].get(TAKEN_UP, False):
        return {}
    return {EXPERT: layers_of(ctx.lake.read(EXPERT_WEIGHTS.name, ctx.branch, day))}


def layers_of(rows: LakeTable) -> Weights:
    """Return the weights that the rows of the table hold."""
    layers = []
    for k in range(int(rows["layer"].max()) + 1):
        own_rows = rows["layer"] == k
        shape = [int(rows[name][own_rows].max()) + 1 for name in ("tap", "input", "output")]
        layers.append(rows["weight"][own_rows].astype(np.float64).reshape(shape))
    return tuple(layers)


def _up(net: Weights, x: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-outputs_of(net, x))))


def weight_rows(layers: Weights) -> LakeTable:
    """Return weights as rows of the table, in key order."""
    places = [np.indices(w.shape).reshape(3, -1) for w in layers]
    taps, ins, outs = (np.concatenate([p[k] for p in places]).astype(np.int16) for k in range(3))
    layer = np.repeat(np.arange(len(layers)), [w.size for w in layers]).astype(np.int16)
    flat = np.concatenate([w.ravel() for w in layers])
    return {"layer": layer, "tap": taps, "input": ins, "output": outs, "weight": flat}


def _spec() -> ExpertSpec:
    return default_experts().of(EXPERT)


STAGE = Stage("expert_training", inputs, make, present)
