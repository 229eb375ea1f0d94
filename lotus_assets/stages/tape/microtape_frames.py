"""microtape_frames[day]: decoded events of the day (and two hours before, to warm the state) to 200 ms frames.

Streaming state is born blank at 22:00 UTC of the day before and used from 00:00 to 24:00. Frames of the warm-up belong
to the day whose state they warm, so they are kept in a table of their own (`microtape_warmup`), which experts and
detectors read to warm theirs. Quotes are what probes take later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lotus.manifest import Asset
from lotus.microtape.completeness import Framed, framed_prints
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.batch import FrameBatch, frames_from_columns
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.spec import I_RECV, MICROTAPE_FRAMES, MICROTAPE_QUOTES, TAPE_GAPS
from lotus.timebase import NS_PER_MS, day_start_ms
from lotus_assets.stages.context import CheckOutcome, Made, Plot, Stage, StageContext, TextTable
from lotus_assets.stages.lake_tables import LakeTable, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.tape.look_ahead import look_ahead_check
from lotus_assets.stages.tape.tape_input import read_day, tape_hash

MICROTAPE_WARMUP = replace(MICROTAPE_FRAMES, name="microtape_warmup")


def parts(ctx: StageContext) -> list[TablePart]:
    """Return the parts of a day: frames and quotes per symbol, gaps and warm-up frames of all."""
    symbols = [asset.name for asset in ctx.manifest.universe]
    split = [TablePart(spec, symbol) for spec in (MICROTAPE_FRAMES, MICROTAPE_QUOTES) for symbol in symbols]
    return [*split, TablePart(TAPE_GAPS), TablePart(MICROTAPE_WARMUP)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The tape of the day and of the warm-up before it."""
    return {"tape": tape_hash(ctx, day)}


def make(ctx: StageContext, day: str) -> Made:
    """Decode, build frames, write the parts, check them."""
    batch, _ = read_day(ctx, day, warmup=True)
    whole, start_ms = build_frames(batch, ctx.manifest, ctx.manifest.universe), day_start_ms(day)
    frames, warming = whole.of_day(start_ms), ~whole.in_day(start_ms)
    warmup = replace(whole, ints=whole.ints[warming], floats=whole.floats[warming])
    tables = _tables(ctx.manifest.universe, frames, warmup)
    hashes = [
        ctx.lake.write(part.spec, ctx.tape_branch, day, table, part.symbol).content_hash for part, table in tables
    ]
    checks = (
        together("schema", *(schema_check(part.spec, table) for part, table in tables)),
        gaps_check(frames, ctx.manifest.kernel.gap_ms, framed_prints(batch, whole)),
        _look_ahead(ctx, day, batch, whole),
    )
    notes = {
        "events": len(batch), "gaps": len(frames.gaps), "quotes": len(frames.quotes), "warmup": len(warmup),
        "ended_before_midnight": int((warmup.ints[:, I_RECV] >= start_ms * NS_PER_MS).sum()),
    }  # fmt: skip
    joined = joint_hash([part for part, _ in tables], hashes)
    return Made(
        rows=len(frames),
        content_hash=joined,
        checks=checks,
        notes=notes,
        table=_per_asset(frames),
        plot=_mid_plot(day, frames),
    )


def read_frames(ctx: StageContext, day: str, warmup: bool = False) -> FrameBatch:
    """Return the day's frames from the lake in arrival order, after the warm-up's when asked for."""
    symbols = [asset.name for asset in ctx.manifest.universe]
    tables = [ctx.lake.read(MICROTAPE_FRAMES.name, ctx.tape_branch, day, symbol) for symbol in symbols]
    if warmup:
        tables.append(ctx.lake.read(MICROTAPE_WARMUP.name, ctx.tape_branch, day))
    return frames_from_columns(tables, ctx.manifest.universe, ctx.manifest.kernel.cadence_ms)


def gaps_check(frames: FrameBatch, gap_ms: int, prints: Sequence[Framed]) -> CheckOutcome:
    """Every hole between frames of an asset is a gap row, no frame ends inside a gap, no print is lost beside one.

    `prints`: of the frames and of those that warmed them, by asset.
    """
    cadence, holes, inside = frames.cadence_ms, 0, 0
    for index in range(len(frames.universe)):
        ends = np.sort(frames.ints[frames.ints[:, 0] == index, 2])
        gaps = frames.gaps[frames.gaps[:, 0] == index]
        for before, after in zip(ends[:-1][np.diff(ends) > cadence], ends[1:][np.diff(ends) > cadence], strict=True):
            covered = (gaps[:, 1] < after) & (gaps[:, 2] > before)
            holes += not covered.any()
        for start, end in gaps[:, 1:3]:
            inside += int(np.count_nonzero((ends > start + cadence) & (ends <= end)))
    unframed, silent = sum(x.unframed for x in prints), sum(x.unexplained for x in prints)
    numbers = {"gaps": len(frames.gaps), "unexplained_holes": holes, "frames_inside_gaps": inside, "gap_ms": gap_ms}
    numbers |= {"prints": sum(x.prints for x in prints), "prints_unframed": unframed, "prints_unexplained": silent}
    passed = holes == 0 and inside == 0 and silent == 0
    text = (
        f"{len(frames.gaps)} gaps, {holes} holes without one, {inside} frames inside one; {unframed} of "
        f"{numbers['prints']} prints in no frame, {silent} of them beside every gap"
    )
    return CheckOutcome("gaps_accounted", passed, text, numbers)


def _tables(universe: Sequence[Asset], frames: FrameBatch, warmup: FrameBatch) -> list[tuple[TablePart, LakeTable]]:
    out = [(TablePart(MICROTAPE_FRAMES, a.name), frames.columns(i)) for i, a in enumerate(universe)]
    out += [(TablePart(MICROTAPE_QUOTES, a.name), frames.quote_columns(i)) for i, a in enumerate(universe)]
    return [*out, (TablePart(TAPE_GAPS), frames.gap_columns()), (TablePart(MICROTAPE_WARMUP), warmup.columns())]


def _look_ahead(ctx: StageContext, day: str, batch: EventBatch, whole: FrameBatch) -> CheckOutcome:
    def recompute(rows: int) -> LakeTable:
        return build_frames(batch.slice(0, rows), ctx.manifest, ctx.manifest.universe).columns()

    seed = ctx.manifest.score.seed
    return look_ahead_check(STAGE.name, day, seed, len(batch), whole.columns(), recompute)


def _per_asset(frames: FrameBatch) -> TextTable:
    rows = []
    for index, asset in enumerate(frames.universe):
        own_rows = frames.ints[:, 0] == index
        spread = frames.floats[own_rows][:, 3]
        typical = float(np.nanmedian(spread)) if np.isfinite(spread).any() else float("nan")
        rows.append((asset.name, int(own_rows.sum()), int((frames.gaps[:, 0] == index).sum()), typical))
    return TextTable(("asset", "frames", "gaps", "median spread, bps"), rows)


def _mid_plot(day: str, frames: FrameBatch) -> Plot:
    series = {a.name: frames.floats[frames.ints[:, 0] == i][:, 0].tolist() for i, a in enumerate(frames.universe)}
    return Plot(f"mid price in price units, {day}", series)


STAGE = Stage("microtape_frames", inputs, make, present_of(parts, on_tape=True))
