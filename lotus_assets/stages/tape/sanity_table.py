"""sanity_table[day]: what frame columns, experts and detectors had to do with the mid moves after them.

Depends on tape alone (experts as shipped); nothing reads it but people. Every series stands in it, whatever it shows.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

from lotus.detectors.registry import shipped_detectors, specs_ver
from lotus.detectors.windows.builder import build_windows
from lotus.experts.fusion import default_experts
from lotus.outcomes.sanity import (
    ALL,
    SANITY_TABLE,
    Columns,
    annotation_series,
    detector_series,
    frame_series,
    sanity_table,
)
from lotus.outcomes.sanity_text import HEADER, sanity_rows
from lotus.timebase import day_start_ms
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, Made, Stage, StageContext, TextTable
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.tape.dsi_annotations import read_annotations
from lotus_assets.stages.tape.microtape_frames import read_frames

PARTS = [TablePart(SANITY_TABLE)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Frames, annotations and the detectors' specifications."""
    return {
        "microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames"),
        "dsi_annotations": content_of(ctx, ctx.tape_branch, day, "dsi_annotations"),
        "specs": specs_ver(shipped_detectors()),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Compare every series of the day with the moves inside the day."""
    whole = read_frames(ctx, day, warmup=True)
    annotations = read_annotations(ctx, ctx.tape_branch, day, whole, default_experts())
    windows = build_windows(
        whole, annotations, ctx.manifest, shipped_detectors()
    )  # whatever a branch of the tape scores
    kept = whole.rows_of_day(day_start_ms(day))
    frames, annotated = replace(whole, ints=whole.ints[kept], floats=whole.floats[kept]), annotations.of_rows(kept)
    experts = chain.from_iterable(
        annotation_series(table) for table in (annotated.columns(), annotated.windows.columns())
    )
    series = chain(frame_series(frames), experts, detector_series(windows, frames.cadence_ms))
    rows = sanity_table(frames, series, ctx.manifest.outcomes.taker_fee_bps)
    written = ctx.lake.write(SANITY_TABLE, ctx.tape_branch, day, rows)
    joined = joint_hash(PARTS, [written.content_hash])
    shown = ALL if len(frames.universe) > 1 else frames.universe[0].name
    table = TextTable(HEADER, sanity_rows(rows, shown))
    return Made(written.rows, joined, (schema_check(SANITY_TABLE, rows),), _verdicts(rows, shown), table)


def _verdicts(rows: Columns, asset: str) -> dict[str, Cell]:
    verdicts = rows["verdict"][rows["asset"] == asset].tolist()
    return {f"rows: {verdict}": verdicts.count(verdict) for verdict in sorted(set(verdicts))}


STAGE = Stage("sanity_table", inputs, make, present_of(PARTS, on_tape=True))
