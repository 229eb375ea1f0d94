"""dsi_annotations[day]: what the shipped experts say about the day, from a state warmed before.

Every frame has the fusion and the bits of the patterns that stand (table `dsi_annotations`); z and confidence of every
expert stand at the frames that close a window (`dsi_windows`). Warm-up frames have tables of their own. All
branches share these tables; a branch on which learning put another set in force has its own: see `expert_set`.
"""

from collections.abc import Iterator, Mapping
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
from lotus.experts.fusion import ExpertSet
from lotus.experts.machine import AnnotationBatch, AnnotationStream, WindowNotes
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import GAP_BEFORE, I_ASSET, I_FRAME, I_QUALITY
from lotus.timebase import day_start_ms
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Plot, Stage, StageContext, TextTable, thinned
from lotus_assets.stages.lake_tables import LakeTable, TablePart, joint_hash, parts_hash, present_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.tape.made_again import MadeAgain, around_gaps, pieces_of, state_column
from lotus_assets.stages.tape.microtape_frames import read_frames
from lotus_resources.recent_values import RecentKind
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.experts import write_experts
from lotus_store.tape.annotations import DSI_WARMUP, day_and_warmup, keys_of, read_day_annotations

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ANNOTATIONS = RecentKind("annotations of days", 2)
DSI_WARMUP_WINDOWS = replace(DSI_WINDOWS, name="dsi_warmup_windows")


def parts(ctx: StageContext) -> list[TablePart]:
    """Return the parts of a day: frames and windows per symbol, and those of the warm-up."""
    symbols = [asset.name for asset in ctx.manifest.universe]
    of_day = [TablePart(spec, symbol) for spec in (DSI_ANNOTATIONS, DSI_WINDOWS) for symbol in symbols]
    return [*of_day, TablePart(DSI_WARMUP), TablePart(DSI_WARMUP_WINDOWS)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's frames."""
    return {"microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames")}


def make(ctx: StageContext, day: str) -> Made:
    """Annotate warm-up and day in one go, write the parts, check them."""
    frames = read_frames(ctx, day, warmup=True)
    whole, no_look_ahead = _annotated(ctx, day, frames)
    start_ms = day_start_ms(day)
    warm = ~frames.in_day(start_ms)
    ours, before = whole.of_rows(frames.rows_of_day(start_ms)), whole.of_rows(warm)
    joined, schema = write_annotations(ctx, ctx.tape_branch, day, ours, before)
    checks = (schema, no_look_ahead)
    ctx.recent.put(_ANNOTATIONS, (joined,), whole)
    notes: dict[str, Cell] = {"warmup": int(warm.sum()), "windows": len(ours.windows), "experts": len(EXPERTS)}

    def ledger(connection: Connection) -> None:
        write_experts(connection, whole.windows.experts)

    return Made(
        rows=len(ours),
        content_hash=joined,
        checks=checks,
        notes=notes,
        table=_per_expert(ours),
        plot=_plot(ctx, day, ours),
        ledger=ledger,
    )


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
    ctx: StageContext, branch: str, day: str, ours: AnnotationBatch, before: AnnotationBatch
) -> tuple[str, CheckOutcome]:
    """Write a day (`before`: its warm-up) to a branch of the lake; return the joint hash and the schema check."""
    n = range(len(ctx.manifest.universe))
    columns = [*map(ours.columns, n), *map(ours.windows.columns, n), before.columns(), before.windows.columns()]
    tables = list(zip(parts(ctx), columns, strict=True))
    hashes = [ctx.lake.write(p.spec, branch, day, table, p.symbol).content_hash for p, table in tables]
    check = together("schema", *(schema_check(part.spec, table) for part, table in tables))
    return joint_hash([part for part, _ in tables], hashes), check


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
    return TextTable(("expert", "frames with pattern", "null windows", "windows that say up"), rows)


def _plot(ctx: StageContext, day: str, batch: AnnotationBatch) -> Plot:
    values, asset = batch.values[:, A_EVIDENCE], batch.ints[:, 0]
    series = {a.name: thinned(values[asset == i]) for i, a in enumerate(ctx.manifest.universe)}
    return Plot(f"fused evidence that the next short move is up, {day}", series)


STAGE = Stage("dsi_annotations", inputs, make, present_of(parts, on_tape=True))
