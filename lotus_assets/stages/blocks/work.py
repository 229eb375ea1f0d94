"""The two units of work of a day in blocks: split its events, and make frames and annotations of one block.

Both may be asked for anywhere and any number of times: what is finished is not done again. The day's own stages join
the blocks (`microtape_frames`, `dsi_annotations`), and only they commit the day.
"""

from collections.abc import Mapping
from dataclasses import replace

from lotus.curation.at_once import veto_lists
from lotus.errors import BeliefError, LedgerError
from lotus.hashing import natural_id
from lotus.microtape.completeness import join_prints, prints_of
from lotus.microtape.events import empty_batch
from lotus_assets.stages.blocks.block import (
    SymbolBlock,
    begin_blocks,
    blocks_of,
    finished_part,
    notes_of,
    part_inputs,
    part_of,
)
from lotus_assets.stages.blocks.split import EVENTS, Splitting, events_of
from lotus_assets.stages.context import Made, StageContext, StageResult
from lotus_assets.stages.runner import run_stage, stands
from lotus_assets.stages.tape import dsi_annotations, microtape_frames, microtape_prints, raw_tape
from lotus_assets.stages.tape.made_again import pieces_of
from lotus_assets.stages.tape.tape_input import Framing, kept_day, one_pass
from lotus_store.ledger.part_commits import PartCommit, put_part
from lotus_store.tape.listed_vetoes import write_veto_lists

MADE = (microtape_frames, dsi_annotations)


def is_split(ctx: StageContext, day: str) -> bool:
    """Tell whether nothing of the day's decoding is left to do: its blocks, or the day itself, have their events."""
    whole = stands(ctx, raw_tape.STAGE, day) and stands(ctx, microtape_prints.STAGE, day)
    return whole and (is_made(ctx, day) or all(part_of(ctx, EVENTS, day, block) for block in blocks_of(ctx)))


def is_made(ctx: StageContext, day: str) -> bool:
    """Tell whether frames and annotations of the day are committed as a whole."""
    try:
        return all(stands(ctx, module.STAGE, day) for module in MADE)
    except BeliefError:  # annotations of frames that are not committed
        return False


def is_block_made(ctx: StageContext, day: str, block: SymbolBlock) -> bool:
    """Tell whether nothing of a block is left to do: it is finished, or the day is joined."""
    finished = (finished_part(ctx, module.STAGE.name, day, block, module.block_parts) for module in MADE)
    return stands(ctx, microtape_frames.STAGE, day) or all(finished)


def split_day(ctx: StageContext, day: str) -> list[StageResult]:
    """Decode a day once: commit raw_tape and microtape_prints, and write the events of its blocks.

    A check that does not pass stops it; its result is the last one.
    """
    begin_blocks()
    if not is_split(ctx, day):
        blocks = blocks_of(ctx)
        sink = Splitting(ctx, day, blocks)
        tape = one_pass(ctx, day, sink)
        write_veto_lists(ctx.lake, ctx.tape_branch, day, veto_lists(tape.controls))
        for block in blocks:
            hashes, rows = sink.hashes[block.number], sink.events[block.number]
            notes = {"pieces": len(hashes)}
            _put(ctx, EVENTS, day, block, natural_id(block.name, *hashes), rows, notes)
        with kept_day(ctx, day, tape):
            return _commit_whole(ctx, day)
    return _commit_whole(ctx, day)


def _commit_whole(ctx: StageContext, day: str) -> list[StageResult]:
    results: list[StageResult] = []
    for stage in (raw_tape.STAGE, microtape_prints.STAGE):
        results.append(run_stage(ctx, stage, day))
        if results[-1].failed_checks:
            break
    return results


def make_block(ctx: StageContext, day: str, block: SymbolBlock) -> None:
    """Make frames and annotations of a block; raises `LedgerError` where the events of the day are not split."""
    begin_blocks()
    if is_block_made(ctx, day, block):
        return
    split = part_of(ctx, EVENTS, day, block)
    if split is None:
        raise LedgerError(f"{block.name} of {day} has no events", "the day split first", "it was asked for too early")
    framing, prints, n_events = Framing(ctx, day, len(block.assets)), [prints_of(empty_batch())], 0
    for events in events_of(ctx, day, block, split):
        for first, stop in pieces_of(len(events)):
            framing.take(events.slice(first, stop))
        prints.append(prints_of(events))
        n_events += len(events)
    frames, into = framing.frames(), microtape_frames.block_parts(ctx, block)
    made = microtape_frames.write_frames(ctx, day, frames, join_prints(prints), framing.outcome(), into)
    _commit(ctx, microtape_frames.STAGE.name, day, block, replace(made, notes={**made.notes, "events": n_events}))
    annotated, _ = dsi_annotations.annotate_into(ctx, day, frames, dsi_annotations.block_parts(ctx, block))
    _commit(ctx, dsi_annotations.STAGE.name, day, block, annotated)


def _commit(ctx: StageContext, stage: str, day: str, block: SymbolBlock, made: Made) -> None:
    _put(ctx, stage, day, block, made.content_hash, made.rows, notes_of(made))


def _put(
    ctx: StageContext, stage: str, day: str, block: SymbolBlock, content: str, rows: int, notes: Mapping[str, object]
) -> None:
    inputs = part_inputs(ctx, stage, day, block)
    put_part(ctx.sig, PartCommit(ctx.tape_branch, day, stage, block.name, inputs, content, rows, notes))
