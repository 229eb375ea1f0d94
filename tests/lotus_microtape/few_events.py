"""Frames of a few events written by hand."""

from lotus.manifest import Asset, Manifest
from lotus.microtape.events import EventInput, EventKind, build_batch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames

T = 1_700_000_000_000
BBO, BOOK, FAST, TRADES, CTX = EventKind.BBO, EventKind.BOOK, EventKind.FAST, EventKind.TRADES, EventKind.CTX
Row = tuple[int, EventKind, tuple[int, ...]]


def frames_of(*rows: Row) -> FrameBatch:
    """Frames of one asset (2 size decimals); a row is (ms after T, kind, values)."""
    events = [
        EventInput((T + i) * 1_000_000 + i, -1 if kind is CTX else T + at, i, kind, 0, values)
        for i, (at, kind, values) in enumerate(rows)
    ]
    return build_frames(build_batch(events), Manifest(), (Asset("SOL", 2),))
