"""The events of a day by blocks of symbols: written once by the pass that decodes it, read by whoever makes a block.

Decoding looks at all symbols together (a line's receive stamp is judged by the lines before it), so it is done once and
in one place; what follows needs a symbol's own events only. The parts are taken away when the day is committed.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.hashing import natural_id
from lotus.microtape.events import EventBatch, concat_batches
from lotus.microtape.frames.batch import FrameBatch, frames_from_columns
from lotus.microtape.frames.spec import MICROTAPE_FRAMES
from lotus_assets.stages.blocks.block import SymbolBlock
from lotus_assets.stages.context import CheckOutcome, StageContext
from lotus_store.ledger.part_commits import PartCommit

BLOCK_EVENTS = TableSpec(
    "block_events",
    ("seq",),
    (
        Column("recv_ns", "i8", "ns UTC", "receive stamp"),
        Column("time_ms", "i8", "ms UTC", "venue time, -1 = none"),
        Column("seq", "i8", "line", "line number in the day's tape; negative: of the evening before"),
        Column("kind", "u1", "", "number of `EventKind`", low=1),
        Column("asset", "i2", "index", "position in the universe", low=0),
        Column("width", "i4", "", "how many of `block_values` it has", low=0),
    ),
)
BLOCK_VALUES = TableSpec(
    "block_values", ("value",), (Column("value", "i8", "", "values of the events, one after the other (`events`)"),)
)
EVENTS = "raw_tape"  # the stage whose parts the events of blocks are
SPLIT = (BLOCK_EVENTS.name, BLOCK_VALUES.name)


class Splitting:
    """Takes the events of a pass and writes those of every block, piece by piece of the tape."""

    def __init__(self, ctx: StageContext, day: str, blocks: Sequence[SymbolBlock]) -> None:
        """Nothing is written yet."""
        self._ctx, self._day, self._blocks = ctx, day, blocks
        self._of = np.concatenate([np.full(len(block.assets), block.number) for block in blocks])
        self._piece: list[list[EventBatch]] = [[] for _ in blocks]
        self.hashes: list[list[str]] = [[] for _ in blocks]  # of the pieces of every block
        self.events = [0 for _ in blocks]

    def take(self, batch: EventBatch) -> None:
        """Take the next events."""
        block_of = self._of[batch.asset]
        for block in self._blocks:
            own = batch if len(self._blocks) == 1 else chosen(batch, block_of == block.number)
            self._piece[block.number].append(concat_batches([own]))  # a copy: the batch is gone with the next one

    def ends_piece(self) -> None:
        """Write what came of a piece of the tape."""
        for block in self._blocks:
            events = concat_batches(self._piece[block.number])
            self._piece[block.number] = []
            if len(events):
                self._write(block, events)

    def _write(self, block: SymbolBlock, events: EventBatch) -> None:
        names = [column.name for column in BLOCK_EVENTS.columns if column.name != "width"]
        table = {name: getattr(events, name) for name in names} | {"width": np.diff(events.off).astype(np.int32)}
        place = self._ctx.tape_branch, self._day
        symbol = piece_name(block, len(self.hashes[block.number]))
        hashes = [
            self._ctx.lake.write(spec, *place, columns, symbol).content_hash
            for spec, columns in ((BLOCK_EVENTS, table), (BLOCK_VALUES, {"value": events.pool}))
        ]
        self.hashes[block.number].append(natural_id(*hashes))
        self.events[block.number] += len(events)

    def frames(self) -> FrameBatch:
        """Return no frames: blocks make them."""
        none = {name: np.zeros(0, MICROTAPE_FRAMES.numpy_dtype(name)) for name in MICROTAPE_FRAMES.names}
        return frames_from_columns([none], self._ctx.manifest.universe, self._ctx.manifest.kernel.cadence_ms)

    def outcome(self) -> CheckOutcome:
        """Say that blocks look."""
        return CheckOutcome("no_look_ahead", True, "looked at where blocks are made", unseen=True)


def chosen(batch: EventBatch, wanted: NDArray[np.bool_]) -> EventBatch:
    """Return some events of a batch, their values with them."""
    widths = np.diff(batch.off)
    return EventBatch(
        recv_ns=batch.recv_ns[wanted],
        time_ms=batch.time_ms[wanted],
        seq=batch.seq[wanted],
        kind=batch.kind[wanted],
        asset=batch.asset[wanted],
        off=np.concatenate([[0], np.cumsum(widths[wanted])]),
        pool=batch.pool[: batch.off[-1]][np.repeat(wanted, widths)],
    )


def piece_name(block: SymbolBlock, piece: int) -> str:
    """Return the symbol under which a piece of a block stands."""
    return f"{block.name}-{piece:05}"


def events_of(ctx: StageContext, day: str, block: SymbolBlock, split: PartCommit) -> Iterator[EventBatch]:
    """Yield the events of a block, piece by piece; raises `LakeError` where one is missing or not what was written."""
    for piece in range(int(split.notes["pieces"])):
        symbol = piece_name(block, piece)
        table = ctx.lake.read(BLOCK_EVENTS.name, ctx.tape_branch, day, symbol, spec=BLOCK_EVENTS)
        values = ctx.lake.read(BLOCK_VALUES.name, ctx.tape_branch, day, symbol, spec=BLOCK_VALUES)
        off = np.concatenate([[0], np.cumsum(table.pop("width"), dtype=np.int64)])
        yield EventBatch(**table, off=off, pool=values["value"])
