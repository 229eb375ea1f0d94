"""dsi_annotations[day]: what the shipped experts say about the day, from a state warmed before.

Every frame has the fusion and the bits of the patterns that stand (table `dsi_annotations`); z and confidence of every
expert stand at the frames that close a window (`dsi_windows`). Warm-up frames have tables of their own. All
branches share these tables; a branch on which learning put another set in force has its own: see `expert_set`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.experts.annotation_spec import (
    A_EVIDENCE,
    A_FIRED,
    A_Z,
    DSI_ANNOTATIONS,
    DSI_WINDOWS,
    EXPERTS,
    VALUE_NAMES,
)
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.experts.machine import AnnotationBatch, AnnotationStream, WindowNotes
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import GAP_BEFORE, I_ASSET, I_FRAME, I_QUALITY
from lotus.timebase import day_start_ms
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
from lotus_assets.stages.blocks.split import EVENTS, SPLIT
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Plot, Stage, StageContext, TextTable, thinned
from lotus_assets.stages.lake_tables import LakeTable, TablePart, joint_hash, parts_hash, present_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.tape.made_again import MadeAgain, around_gaps, pieces_of, state_column
from lotus_assets.stages.tape.microtape_frames import MICROTAPE_WARMUP, read_frames
from lotus_resources.recent_values import RecentKind
from lotus_store.columns import concatenated
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.experts import write_experts
from lotus_store.tape.annotations import DSI_WARMUP, day_and_warmup, keys_of, packed, read_day_annotations, rows_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ANNOTATIONS = RecentKind("annotations of days", 2)
DSI_WARMUP_WINDOWS = replace(DSI_WINDOWS, name="dsi_warmup_windows")
JOINT = (DSI_WARMUP, DSI_WARMUP_WINDOWS)
_HEADER = ("expert", "frames with pattern", "null windows", "windows that say up")


def parts(ctx: StageContext) -> list[TablePart]:
    """Return the parts of a day: frames and windows per symbol, and those of the warm-up."""
    return [*_of_symbols([asset.name for asset in ctx.manifest.universe]), *(TablePart(spec) for spec in JOINT)]


def block_parts(ctx: StageContext, block: SymbolBlock) -> list[TablePart]:
    """Return the parts that a block of symbols writes."""
    return [*_of_symbols(block.symbols(ctx.manifest.universe)), *(block.part(spec) for spec in JOINT)]


def _of_symbols(symbols: Sequence[str]) -> list[TablePart]:
    return [TablePart(spec, symbol) for spec in (DSI_ANNOTATIONS, DSI_WINDOWS) for symbol in symbols]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's frames."""
    return {"microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames")}


def make(ctx: StageContext, day: str) -> Made:
    """Annotate warm-up and day in one go, write the parts, check them."""
    made, whole = annotate_into(ctx, day, read_frames(ctx, day, warmup=True), parts(ctx))
    ctx.recent.put(_ANNOTATIONS, (made.content_hash,), whole)
    return replace(made, ledger=_put_experts)


def annotate_into(
    ctx: StageContext, day: str, frames: FrameBatch, into: Sequence[TablePart]
) -> tuple[Made, AnnotationBatch]:
    """Annotate frames of all symbols or of a block, write them into these parts; return that and the annotations."""
    whole, no_look_ahead = _annotated(ctx, day, frames)
    start_ms = day_start_ms(day)
    warm = ~frames.in_day(start_ms)
    ours, before = whole.of_rows(frames.rows_of_day(start_ms)), whole.of_rows(warm)
    joined, schema = write_annotations(ctx, ctx.tape_branch, day, ours, before, into)
    notes: dict[str, Cell] = {"warmup": int(warm.sum()), "windows": len(ours.windows)}
    made = Made(
        rows=len(ours),
        content_hash=joined,
        checks=(schema, no_look_ahead),
        notes=notes | {"experts": len(EXPERTS)},
        table=_per_expert(ours),
        plot=_plot(ctx, day, ours),
    )
    return made, whole


def _put_experts(connection: Connection) -> None:
    write_experts(connection, default_experts())


def join(ctx: StageContext, day: str) -> Made | None:
    """Put together what blocks wrote of the warm-up, in the order of its frames; None where some are not made."""
    blocks = made_parts(ctx, STAGE.name, day, block_parts)
    if blocks is None:
        return None
    branch = ctx.tape_branch
    frames = ctx.lake.read(MICROTAPE_WARMUP.name, branch, day, columns=["asset", "frame_idx"])
    places = packed(keys_of(frames))
    for spec in JOINT:
        table = concatenated(tables_of(ctx, spec, day, blocks))
        rows = rows_of(packed(keys_of(table)), places)
        ctx.lake.write(spec, branch, day, {name: values[rows[rows >= 0]] for name, values in table.items()})
    tables = zip(*(block.notes["table"] for block in blocks), strict=True)
    counts = [(rows[0][0], *map(sum, list(zip(*rows, strict=True))[1:])) for rows in tables]
    return Made(
        rows=sum(block.rows for block in blocks),
        content_hash=parts_hash(ctx, branch, day, parts(ctx)),
        checks=joined_checks(blocks),
        notes=joined_notes(blocks) | {"experts": len(EXPERTS)},
        table=TextTable(_HEADER, counts),
        ledger=_put_experts,
    )


def finish(ctx: StageContext, day: str) -> None:
    """Remove what blocks left, and the events that they were made of."""
    tidy(ctx, STAGE.name, day, [block_table(spec) for spec in JOINT])
    tidy(ctx, EVENTS, day, SPLIT)


def _annotated(ctx: StageContext, day: str, frames: FrameBatch) -> tuple[AnnotationBatch, CheckOutcome]:
    """Return the annotations of frames, and whether those of the pieces that are made again are the same at the end."""
    check, window_ms = MadeAgain(STAGE.name, day, ctx.manifest.score.seed), ctx.manifest.kernel.window_ms
    stream = AnnotationStream(frames, window_ms=window_ms)
    none = replace(frames, ints=frames.ints[:0].copy(), floats=frames.floats[:0].copy())
    blank, pieces = AnnotationStream(none, window_ms=window_ms).machine, list[_Piece]()
    for asset in range(len(frames.universe)):
        own_rows = np.flatnonzero(frames.ints[:, I_ASSET] == asset)
        ends_gap = frames.ints[own_rows, I_QUALITY] & GAP_BEFORE != 0
        around = around_gaps(ends_gap)
        for first, stop in pieces_of(len(own_rows)):
            rows, newborn = own_rows[first:stop], check.newborn([asset])
            wanted = check.wants(len(rows), bool(ends_gap[first:stop].any()))
            before = blank.going_on(stream.machine, newborn) if wanted else None
            stream.feed(asset, rows)
            if before is not None:
                bites = [rows[a:b] for a, b in check.bites(len(rows), np.flatnonzero(around[first:stop]).tolist())]
                again = np.concatenate([before.feed_frames(asset, frames.ints[b], frames.floats[b]) for b in bites])
                states = state_column(before.state_bytes(asset)), state_column(stream.machine.state_bytes(asset))
                check.compare(check.piece, len(rows), states)
                z = again[stream.place[rows] >= 0, A_Z:] + 0.0
                pieces.append(_Piece(check.piece, rows, again[:, :A_Z].copy(), z))
    whole = stream.batch()
    for piece in pieces:
        check.compare(piece.number, 0, *_compared(piece, whole, stream.place[piece.rows]))
    return whole, check.outcome()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece made again: the rows of its frames i8[n], values f8[n, N_VALUES], z f8[windows closed, experts]."""

    number: int
    rows: Ints
    values: Floats
    z: Floats


def _compared(again: _Piece, whole: AnnotationBatch, place: Ints) -> Iterator[tuple[LakeTable, LakeTable]]:
    """Yield the tables of frames and of closed windows, made again and made; `place` as in `AnnotationStream`."""
    names = [f"z_{name}" for name in whole.windows.experts.names]
    for columns, values, made in (
        (VALUE_NAMES, again.values, whole.values[again.rows]),
        (names, again.z, whole.windows.z[place[place >= 0]]),
    ):
        yield dict(zip(columns, values.T, strict=True)), dict(zip(columns, made.T, strict=True))


def write_annotations(
    ctx: StageContext,
    branch: str,
    day: str,
    ours: AnnotationBatch,
    before: AnnotationBatch,
    into: Sequence[TablePart] | None = None,
) -> tuple[str, CheckOutcome]:
    """Write a day (`before`: its warm-up) to a branch of the lake; return the joint hash and the schema check."""
    places = {asset.name: index for index, asset in enumerate(ctx.manifest.universe)}
    into = parts(ctx) if into is None else into
    hashes, fits = [], []
    for part in into:
        name = day_table(part)
        batch = before if name in (DSI_WARMUP.name, DSI_WARMUP_WINDOWS.name) else ours
        asset = places.get(str(part.symbol)) if batch is ours else None
        is_windows = name in (DSI_WINDOWS.name, DSI_WARMUP_WINDOWS.name)
        table = batch.windows.columns(asset) if is_windows else batch.columns(asset)
        hashes.append(ctx.lake.write(part.spec, branch, day, table, part.symbol).content_hash)
        fits.append(schema_check(part.spec, table))
    return joint_hash(into, hashes), together("schema", *fits)


def read_annotations(
    ctx: StageContext, branch: str, day: str, frames: FrameBatch, experts: ExpertSet
) -> AnnotationBatch:
    """Return what `experts` wrote to a lake branch about `frames` (day and warm-up), in the row order of the frames.

    Raises `LakeError` when a frame has no annotation.
    """
    kept: AnnotationBatch | None = ctx.recent.find(_ANNOTATIONS, (parts_hash(ctx, branch, day, parts(ctx)),))
    if kept is not None and np.array_equal(kept.ints, frames.ints[:, [I_ASSET, I_FRAME]]):
        return replace(kept, windows=replace(kept.windows, experts=experts))
    read = read_day_annotations(ctx.lake, branch, day, frames)
    spoken = day_and_warmup(ctx.lake, branch, day, frames, DSI_WINDOWS.name, DSI_WARMUP_WINDOWS.name)
    z = np.column_stack([spoken[f"z_{name}"].astype(np.float64) for name in EXPERTS]).reshape(-1, len(EXPERTS))
    return replace(read, windows=WindowNotes(experts, keys_of(spoken), z))


def _per_expert(batch: AnnotationBatch) -> TextTable:
    fired, z = batch.values[:, A_FIRED].astype(np.int64), batch.windows.z
    rows = [
        (name, int(((fired >> k) & 1).sum()), int(np.isnan(z[:, k]).sum()), int((z[:, k] > 0).sum()))
        for k, name in enumerate(batch.windows.experts.names)
    ]
    return TextTable(_HEADER, rows)


def _plot(ctx: StageContext, day: str, batch: AnnotationBatch) -> Plot:
    values, asset = batch.values[:, A_EVIDENCE], batch.ints[:, 0]
    series = {a.name: thinned(values[asset == i]) for i, a in enumerate(ctx.manifest.universe)}
    return Plot(f"fused evidence that the next short move is up, {day}", series)


STAGE = Stage("dsi_annotations", inputs, make, present_of(parts, on_tape=True), finish, join)
