"""microtape_frames[day]: decoded events of the day (and two hours before, to warm the state) to 200 ms frames.

Streaming state is born blank at 22:00 UTC of the day before and used from 00:00 to 24:00. Frames of the warm-up belong
to the day whose state they warm, so they are kept in a table of their own (`microtape_warmup`), which experts and
detectors read to warm theirs. Quotes are what probes take later.
Vetoes at once that stand in the tape are written beside (`lotus_store.tape.listed_vetoes`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lotus.curation.at_once import veto_lists
from lotus.manifest import Asset
from lotus.microtape.completeness import Framed, Prints, framed_prints
from lotus.microtape.frames.batch import FrameBatch, frames_from_columns
from lotus.microtape.frames.spec import C_MID, C_SPREAD, I_ASSET, I_RECV, MICROTAPE_FRAMES, MICROTAPE_QUOTES, TAPE_GAPS
from lotus.timebase import NS_PER_MS, day_start_ms
from lotus_assets.stages.blocks.block import (
    SymbolBlock,
    block_table,
    day_table,
    joined_checks,
    joined_notes,
    made_parts,
    tables_of,
    tidy,
)
from lotus_assets.stages.context import CheckOutcome, Made, Plot, Stage, StageContext, TextTable, thinned
from lotus_assets.stages.lake_tables import LakeTable, TablePart, joint_hash, parts_hash, present_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.tape.tape_input import read_day, tape_hash
from lotus_resources.recent_values import RecentKind
from lotus_store.columns import concatenated
from lotus_store.tape.listed_vetoes import write_veto_lists

MICROTAPE_WARMUP = replace(MICROTAPE_FRAMES, name="microtape_warmup")
KEPT_BYTES = 600_000_000  # frames of a day that are kept for the next stages: those of about four coins
JOINT = (TAPE_GAPS, MICROTAPE_WARMUP)
_HEADER = ("asset", "frames", "gaps", "median spread, bps")
_FRAMES = RecentKind("frames of days", 2)


def parts(ctx: StageContext) -> list[TablePart]:
    """Return the parts of a day: frames and quotes per symbol, gaps and warm-up frames of all."""
    symbols = [asset.name for asset in ctx.manifest.universe]
    return [*_of_symbols(symbols), *(TablePart(spec) for spec in JOINT)]


def block_parts(ctx: StageContext, block: SymbolBlock) -> list[TablePart]:
    """Return the parts that a block of symbols writes."""
    return [*_of_symbols(block.symbols(ctx.manifest.universe)), *(block.part(spec) for spec in JOINT)]


def _of_symbols(symbols: Sequence[str]) -> list[TablePart]:
    return [TablePart(spec, symbol) for spec in (MICROTAPE_FRAMES, MICROTAPE_QUOTES) for symbol in symbols]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The tape of the day and of the warm-up before it."""
    return {"tape": tape_hash(ctx, day)}


def make(ctx: StageContext, day: str) -> Made:
    """Decode, build frames, write the parts, check them."""
    decoded = read_day(ctx, day, keep=False)
    write_veto_lists(ctx.lake, ctx.tape_branch, day, veto_lists(decoded.controls))
    made = write_frames(ctx, day, decoded.frames, decoded.prints, decoded.no_look_ahead, parts(ctx))
    return replace(made, notes={"events": decoded.n_events, **made.notes})


def write_frames(
    ctx: StageContext, day: str, whole: FrameBatch, prints: Prints, look: CheckOutcome, into: Sequence[TablePart]
) -> Made:
    """Write frames of a day and its warm-up, of all symbols or of a block, into these parts, and check them.

    `prints` of the events that they were made of, and `look`: whether they looked ahead.
    """
    start_ms = day_start_ms(day)
    frames, warming = whole.of_day(start_ms), ~whole.in_day(start_ms)
    warmup = replace(whole, ints=whole.ints[warming], floats=whole.floats[warming])
    hashes: list[str] = []
    fits: list[CheckOutcome] = []
    for part, table in _tables(ctx.manifest.universe, frames, warmup, into):
        hashes.append(ctx.lake.write(part.spec, ctx.tape_branch, day, table, part.symbol).content_hash)
        fits.append(schema_check(part.spec, table))
    checks = (
        together("schema", *fits),
        gaps_check(frames, ctx.manifest.kernel.gap_ms, framed_prints(prints, whole)),
        look,
    )
    notes = {
        "gaps": len(frames.gaps), "quotes": len(frames.quotes), "warmup": len(warmup),
        "ended_before_midnight": int((warmup.ints[:, I_RECV] >= start_ms * NS_PER_MS).sum()),
    }  # fmt: skip
    joined = joint_hash(into, hashes)
    _keep(ctx, joined, replace(whole, quotes=whole.quotes[:0].copy(), gaps=whole.gaps[:0].copy()))
    return Made(
        rows=len(frames),
        content_hash=joined,
        checks=checks,
        notes=notes,
        table=_per_asset(frames, {part.symbol for part in into}),
        plot=_mid_plot(day, frames),
    )


def join(ctx: StageContext, day: str) -> Made | None:
    """Put together what blocks wrote of all symbols, in the order of the whole day; None where some are not made."""
    blocks = made_parts(ctx, STAGE.name, day, block_parts)
    if blocks is None:
        return None
    branch, cadence_ms = ctx.tape_branch, ctx.manifest.kernel.cadence_ms
    warming = tables_of(ctx, MICROTAPE_WARMUP, day, blocks)
    warmup = frames_from_columns(warming, ctx.manifest.universe, cadence_ms).columns()
    gaps = concatenated(tables_of(ctx, TAPE_GAPS, day, blocks))
    order = np.argsort(gaps["seq"], kind="stable")
    ctx.lake.write(TAPE_GAPS, branch, day, {name: values[order] for name, values in gaps.items()})
    ctx.lake.write(MICROTAPE_WARMUP, branch, day, warmup)
    rows = [row for block in blocks for row in block.notes["table"]]
    return Made(
        rows=sum(block.rows for block in blocks),
        content_hash=parts_hash(ctx, branch, day, parts(ctx)),
        checks=joined_checks(blocks),
        notes=joined_notes(blocks),
        table=TextTable(_HEADER, rows),
    )


def finish(ctx: StageContext, day: str) -> None:
    """Remove what blocks left."""
    tidy(ctx, STAGE.name, day, [block_table(spec) for spec in JOINT])


def read_frames(ctx: StageContext, day: str, warmup: bool = False) -> FrameBatch:
    """Return the day's frames in arrival order, after the warm-up's when asked for; nobody may write to them.

    They are read from the lake, or are those that were made or read last.
    """
    content = parts_hash(ctx, ctx.tape_branch, day, parts(ctx))
    whole = ctx.recent.find(_FRAMES, (content,)) or _keep(ctx, content, _from_lake(ctx, day))
    if warmup:
        return whole
    rows = whole.rows_of_day(day_start_ms(day))
    return replace(whole, ints=whole.ints[rows], floats=whole.floats[rows])


def _from_lake(ctx: StageContext, day: str) -> FrameBatch:
    tables = [ctx.lake.read(MICROTAPE_FRAMES.name, ctx.tape_branch, day, asset.name) for asset in ctx.manifest.universe]
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


def _keep(ctx: StageContext, content: str, whole: FrameBatch) -> FrameBatch:
    """Keep the frames of a day for the stages that read them next, unless they are very many; return them."""
    if whole.ints.nbytes + whole.floats.nbytes <= KEPT_BYTES:
        ctx.recent.put(_FRAMES, (content,), whole)
    return whole


def _tables(
    universe: Sequence[Asset], frames: FrameBatch, warmup: FrameBatch, into: Sequence[TablePart]
) -> Iterator[tuple[TablePart, LakeTable]]:
    """Yield the parts of a day one by one, so that one of them at a time is in memory a second time."""
    places = {asset.name: index for index, asset in enumerate(universe)}
    for part in into:
        match day_table(part):
            case MICROTAPE_FRAMES.name:
                yield part, frames.columns(places[str(part.symbol)])
            case MICROTAPE_QUOTES.name:
                yield part, frames.quote_columns(places[str(part.symbol)])
            case TAPE_GAPS.name:
                yield part, frames.gap_columns()
            case _:
                yield part, warmup.columns()


def _per_asset(frames: FrameBatch, symbols: Collection[str | None]) -> TextTable:
    rows = []
    for index, asset in enumerate(frames.universe):
        if asset.name in symbols:
            spread = frames.floats[frames.ints[:, I_ASSET] == index, C_SPREAD]
            quoted = spread[~np.isnan(spread)]
            typical = float(np.median(quoted)) if len(quoted) else float("nan")
            rows.append((asset.name, len(spread), int((frames.gaps[:, 0] == index).sum()), typical))
    return TextTable(_HEADER, rows)


def _mid_plot(day: str, frames: FrameBatch) -> Plot:
    series = {
        a.name: thinned(frames.floats[frames.ints[:, I_ASSET] == i, C_MID]) for i, a in enumerate(frames.universe)
    }
    return Plot(f"mid price in price units, {day}", series)


STAGE = Stage("microtape_frames", inputs, make, present_of(parts, on_tape=True), finish, join)
