"""window_facts[day]: what the market was like by asset and hour, and what came of it; all that a model is shown of it.

Nothing is learned from it and no night's bundle names it. Columns are read from the lake, not whole frames.
"""

from collections.abc import Mapping

import numpy as np

from lotus.coprocessor.model.window_facts import HORIZONS_S, READ, WINDOW_FACTS, fact_table
from lotus.errors import LakeError
from lotus.experts.annotation_spec import DSI_ANNOTATIONS
from lotus.timebase import day_start_ms
from lotus_assets.stages.chain import commit_of, content_of
from lotus_assets.stages.context import Made, Stage, StageContext
from lotus_assets.stages.experts.expert_set import experts_of, lake_branch
from lotus_assets.stages.lake_tables import LakeTable, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.shared_columns import read_shared

PARTS = [TablePart(WINDOW_FACTS)]
FRAMES = "microtape_frames"
PLACE = "frame_idx"


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's frames, what the experts of the branch say of them, and the outcomes that matured on it."""
    return {
        FRAMES: content_of(ctx, ctx.tape_branch, day, FRAMES),
        "expert_set": content_of(ctx, ctx.branch, day, "expert_set"),
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Sum the day up and write it."""
    assets = [asset.name for asset in ctx.manifest.universe]
    spoken = lake_branch(ctx, experts_of(ctx, day))
    frames, fired = dict[str, LakeTable](), {}
    for asset in assets:
        frames[asset] = ctx.lake.read(FRAMES, ctx.tape_branch, day, asset, columns=(*READ, PLACE))
        patterns = ctx.lake.read(DSI_ANNOTATIONS.name, spoken, day, asset, columns=(PLACE, "fired"))
        if not np.array_equal(frames[asset][PLACE], patterns[PLACE]):
            raise LakeError(f"annotations of {asset} on {day} are of other frames", "a row a frame", "an older file")
        fired[asset] = patterns["fired"].astype(np.uint64)
    moves = [f"fwd_ret_bps_{h}" for h in HORIZONS_S if h in ctx.manifest.outcomes.horizons_s]
    wanted = ("asset", "window_end_ms", "payoff_p", "status", *moves)
    evaluated = read_shared(ctx, "signal_eval", commit_of(ctx, ctx.branch, day, "signal_eval"), wanted)
    rows = fact_table(assets, frames, fired, evaluated, day_start_ms(day))
    written = ctx.lake.write(WINDOW_FACTS, ctx.branch, day, rows)
    return Made(
        written.rows, joint_hash(PARTS, [written.content_hash]), (schema_check(WINDOW_FACTS, rows),),
        {"assets": len(set(rows["asset"].tolist())), "facts": written.rows * (len(WINDOW_FACTS.columns) - 3)},
    )  # fmt: skip


STAGE = Stage("window_facts", inputs, make, present_of(PARTS))
