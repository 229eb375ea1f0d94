"""dsi_annotations[day]: what every expert says about every frame of the day, from a state warmed before."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LakeError
from lotus.experts.annotation_spec import DSI_ANNOTATIONS, N_VALUES, VALUE_NAMES
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.microtape.frame_batch import FrameBatch
from lotus.timebase import day_start_ms
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import CheckOutcome, Made, Plot, Stage, StageContext, Table
from lotus_assets.stages.lake_tables import Part, concatenated, joint_hash, parts_hash
from lotus_assets.stages.look_ahead import look_ahead_check
from lotus_assets.stages.microtape_frames import read_frames
from lotus_assets.stages.schema_check import schema_check, together

DSI_WARMUP = replace(DSI_ANNOTATIONS, name="dsi_warmup")


def parts(ctx: StageContext) -> list[Part]:
    """Return the parts of a day: annotations per symbol, and those of the warm-up frames."""
    return [*(Part(DSI_ANNOTATIONS, asset.name) for asset in ctx.manifest.universe), Part(DSI_WARMUP)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's frames."""
    return {"microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames")}


def present(ctx: StageContext, day: str) -> str:
    """Hash of the parts that are in the lake."""
    return parts_hash(ctx, ctx.tape_branch, day, parts(ctx))


def make(ctx: StageContext, day: str) -> Made:
    """Annotate warm-up and day in one go, write the parts, check them."""
    frames = read_frames(ctx, day, warmup=True)
    whole = annotate(frames)
    warm = ~frames.in_day(day_start_ms(day))
    ours = AnnotationBatch(whole.ints[~warm], whole.values[~warm])
    symbols = enumerate(ctx.manifest.universe)
    tables = [(Part(DSI_ANNOTATIONS, asset.name), ours.columns(index)) for index, asset in symbols]
    tables.append((Part(DSI_WARMUP), AnnotationBatch(whole.ints[warm], whole.values[warm]).columns()))
    hashes = [ctx.lake.write(p.spec, ctx.tape_branch, day, table, p.symbol).content_hash for p, table in tables]
    checks = (
        together("schema", *(schema_check(part.spec, table) for part, table in tables)),
        _look_ahead(ctx, day, frames, whole),
    )
    joined = joint_hash([part for part, _ in tables], hashes)
    return Made(len(ours), joined, checks, {"warmup": int(warm.sum())}, _per_expert(ours), _plot(ctx, day, ours))


def read_annotations(ctx: StageContext, day: str, frames: FrameBatch) -> AnnotationBatch:
    """Return the annotations of `frames` (day and warm-up) in the row order of the frames.

    Raises `LakeError` when a frame has no annotation.
    """
    symbols = [asset.name for asset in ctx.manifest.universe]
    tables = [ctx.lake.read(DSI_ANNOTATIONS.name, ctx.tape_branch, day, symbol) for symbol in symbols]
    table = concatenated([*tables, ctx.lake.read(DSI_WARMUP.name, ctx.tape_branch, day)])
    ints = np.column_stack([table["asset"].astype(np.int64), table["frame_idx"].astype(np.int64)])
    values = np.column_stack([table[name].astype(np.float64) for name in VALUE_NAMES]).reshape(-1, N_VALUES)
    rows = _rows_of(_key(ints[:, 0], ints[:, 1]), _key(frames.ints[:, 0], frames.ints[:, 1]))
    if len(rows) and (rows < 0).any():
        raise LakeError(f"{int((rows < 0).sum())} frames of {day} have no annotation", "one row each", "an older run")
    return AnnotationBatch(np.ascontiguousarray(ints[rows]), np.ascontiguousarray(values[rows]))


def _key(asset: NDArray[np.int64], frame_idx: NDArray[np.int64]) -> NDArray[np.int64]:
    return (asset << 44) | frame_idx


def _rows_of(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.argsort(known, kind="stable")
    if not len(known):
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
    return np.where(known[order][at] == wanted, order[at], -1)


def _look_ahead(ctx: StageContext, day: str, frames: FrameBatch, whole: AnnotationBatch) -> CheckOutcome:
    def recompute(rows: int) -> Mapping[str, NDArray[np.generic]]:
        cut = replace(frames, ints=frames.ints[:rows], floats=frames.floats[:rows])
        return annotate(cut).columns()

    return look_ahead_check(STAGE.name, day, ctx.manifest.score.seed, len(frames), whole.columns(), recompute)


def _per_expert(batch: AnnotationBatch) -> Table:
    columns = batch.columns()
    names = [name[2:] for name in VALUE_NAMES if name.startswith("z_")]
    rows = [
        (name, int(columns[f"f_{name}"].sum()), int(np.isnan(columns[f"z_{name}"].astype(np.float64)).sum()))
        for name in names
    ]
    return Table(("expert", "frames with pattern", "null frames"), rows)


def _plot(ctx: StageContext, day: str, batch: AnnotationBatch) -> Plot:
    at = VALUE_NAMES.index("mx_evidence")
    series = {a.name: batch.values[batch.ints[:, 0] == i][:, at].tolist() for i, a in enumerate(ctx.manifest.universe)}
    return Plot(f"fused evidence that the next short move is up, {day}", series)


STAGE = Stage("dsi_annotations", inputs, make, present)
