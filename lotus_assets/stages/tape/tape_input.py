"""How stages read the tape: the hash of what a day depends on, and one pass from its packed segments to frames.

raw_tape, microtape_prints and microtape_frames of one day need the same lines, so what one pass over them gives is kept
until the last has taken it: stamps and kinds of the day's events, its prints, and the frames of day and warm-up. Events
with their prices live no longer than their segment. Decoding is `lotus.microtape`, files are `lotus_store.tape`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import natural_id
from lotus.microtape.completeness import Prints, join_prints, prints_of
from lotus.microtape.events import EventBatch, concat_batches, empty_batch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import FrameStream
from lotus.microtape.frames.spec import G_SEQ, GAP_BEFORE, I_ASSET, I_QUALITY, I_SEQ
from lotus.microtape.prints import prints_in
from lotus.microtape.wire.decode import Decoder
from lotus.microtape.wire.reasons import ControlRecord, DecodeReport
from lotus.timebase import NS_PER_MS
from lotus_assets.stages.context import CheckOutcome, StageContext
from lotus_assets.stages.tape.look_ahead import same_bits
from lotus_assets.stages.tape.made_again import AFTER_GAP, MadeAgain, around_gaps, state_column
from lotus_resources.recent_values import RecentKind
from lotus_store.tape.header import split_universe
from lotus_store.tape.store import TapeLines

_DECODED = RecentKind("decoded days", 2)
_TABLES = ("ints", "floats", "quotes", "gaps")
_TAIL = 8 * AFTER_GAP  # frames of every asset before a piece in which one that ends a gap is looked for


@dataclass(frozen=True, slots=True, eq=False)
class DayTape:
    """What one pass over a day and its warm-up gives.

    `events` of the day without their values, and its `report`, as if the decoder had been born at midnight; `trades` of
    the day (`microtape.prints`); `frames` of both, `n_events` and `prints` they were made of, and whether they looked
    ahead; `controls`: records of the daemon in both.
    """

    events: EventBatch
    report: DecodeReport
    frames: FrameBatch
    n_events: int
    prints: Prints
    no_look_ahead: CheckOutcome
    trades: NDArray[np.int64]
    controls: tuple[ControlRecord, ...]


def tape_hash(ctx: StageContext, day: str, warmup: bool = True) -> str:
    """Return the hash of header, universe and of every segment that `day` (with its warm-up) reads."""
    header = ctx.tape.header()
    before = ctx.tape.warmup_segments(day) if warmup else []
    segments = [*before, *ctx.tape.segments(day)]
    units = [word for asset in ctx.manifest.universe for word in (asset.name, asset.sz_decimals)]
    hours = [hour for session in header.sessions for hour in session]
    return natural_id(*units, *hours, *(word for s in segments for word in (s.day, s.first_seq, s.content_sha256)))


class Sink(Protocol):
    """What takes the events of a pass over day and warm-up, batch by batch; a batch is valid until the next one."""

    def take(self, batch: EventBatch) -> None:
        """Take the next events."""

    def ends_piece(self) -> None:
        """Hear that a piece of the tape, of whole segments, is over."""

    def frames(self) -> FrameBatch:
        """Return the frames of all events."""

    def outcome(self) -> CheckOutcome:
        """Return whether they looked ahead."""


class Framing:
    """The frames of events of some assets of a universe (of all of it by default), and whether they looked ahead."""

    def __init__(self, ctx: StageContext, day: str, assets: int = 0) -> None:
        """Start blank."""
        self._stream = FrameStream(ctx.manifest, ctx.manifest.universe, _room(ctx, day, assets))
        self._blank = FrameStream(ctx.manifest, ctx.manifest.universe)
        self._check = MadeAgain("microtape_frames", day, ctx.manifest.score.seed)
        self._opening: FrameBatch | None = None

    def take(self, batch: EventBatch) -> None:
        """Take the next events."""
        again = _feed(self._stream, self._blank, batch, self._check)
        self._opening = again if self._check.piece == 0 else self._opening

    def ends_piece(self) -> None:
        """Nothing has to be done between pieces."""

    def frames(self) -> FrameBatch:
        """Return the frames of all events."""
        frames = self._stream.frames()
        if self._opening is not None:
            _compare(self._check, 0, self._opening, _head(frames, self._opening), 0)
            self._opening = None
        return frames

    def outcome(self) -> CheckOutcome:
        """Return whether they looked ahead."""
        return self._check.outcome()


def read_day(ctx: StageContext, day: str, keep: bool) -> DayTape:
    """Return a day decoded and framed, made now unless a stage read it and said `keep`.

    Raises `TapeError` when a segment is missing or damaged.
    """
    get = ctx.recent.get if keep else ctx.recent.take
    return get(_DECODED, _key(ctx, day), lambda: one_pass(ctx, day, Framing(ctx, day)))


@contextmanager
def kept_day(ctx: StageContext, day: str, tape: DayTape) -> Iterator[None]:
    """Let stages find what a pass over a day gave, as long as the body runs: it may have no frames."""
    ctx.recent.put(_DECODED, _key(ctx, day), tape)
    try:
        yield
    finally:
        ctx.recent.take(_DECODED, _key(ctx, day), lambda: tape)


def _key(ctx: StageContext, day: str) -> tuple[str]:
    return (natural_id(str(ctx.tape.folder), tape_hash(ctx, day), ctx.manifest.version),)


def one_pass(ctx: StageContext, day: str, sink: Sink) -> DayTape:
    """Decode a day and its warm-up once, and give the events to a sink; raises as `read_day`."""
    split = split_universe(ctx.tape.header(), ctx.manifest.universe)
    decoder = Decoder(split.universe, split.ignored)
    own = Decoder(split.universe, split.ignored) if ctx.tape.warmup_segments(day) else decoder
    born = decoder
    prints, events, trades, n_events = [], [], [prints_in(empty_batch())], 0
    for piece in _read_ahead(ctx.tape.read_day_buffers(day, warmup=True)):
        lines, of_day = bytearray(piece.lines) if isinstance(piece.lines, bytes) else piece.lines, piece.first_seq >= 0
        for batch in decoder.decode_pieces(lines, piece.first_seq):
            prints.append(prints_of(batch))
            n_events += len(batch)
            sink.take(batch)
            if of_day and own is decoder:
                events.append(_without_values(batch))
                trades.append(prints_in(batch))
        sink.ends_piece()
        if of_day and own is not decoder:
            for batch in own.decode_pieces(lines, piece.first_seq):
                events.append(_without_values(batch))
                trades.append(prints_in(batch))
            if own.decides_as(decoder):
                decoder = own  # from here on one pass gives what both would
    return DayTape(
        events=concat_batches(events),
        report=own.report(),
        frames=sink.frames(),
        n_events=n_events,
        prints=join_prints(prints),
        no_look_ahead=sink.outcome(),
        trades=np.concatenate(trades),
        controls=(*(c for c in born.report().controls if c.seq < 0), *own.report().controls)
        if own is not born
        else born.report().controls,
    )


def _feed(stream: FrameStream, blank: FrameStream, batch: EventBatch, check: MadeAgain) -> FrameBatch | None:
    """Give a piece to the stream; where the check wants it, return what a blank one gives that goes on from its state.

    That one is given the piece in bites, and its rows are taken as they are after each bite.
    """
    before = blank.going_on(stream, check.newborn(np.unique(batch.asset).tolist()))
    made = stream.feed(batch)
    if not check.wants(len(made), bool(len(made.gaps))):
        return None
    bites = check.bites(len(batch), _around_gaps(batch, made, stream.frames()))
    taken = [_tables(before.frames()), *(_tables(before.feed(batch.slice(first, stop))) for first, stop in bites)]
    tables: dict[str, Any] = {name: np.concatenate([rows[name] for rows in taken]) for name in _TABLES}
    again = replace(made, **tables)
    check.compare(check.piece, 0, (state_column(before.state_bytes()), state_column(stream.state_bytes())))
    _compare(check, check.piece, again, made, len(made))
    return again


def _tables(rows: FrameBatch) -> dict[str, Any]:
    """Return copies of the arrays of a batch."""
    return {name: getattr(rows, name).copy() for name in _TABLES}


def _head(frames: FrameBatch, like: FrameBatch) -> FrameBatch:
    """Return as many of the first rows as another batch has."""
    return replace(frames, **{name: getattr(frames, name)[: len(getattr(like, name))] for name in _TABLES})


def _compare(check: MadeAgain, piece: int, again: FrameBatch, made: FrameBatch, rows: int) -> None:
    """Compare a piece made again with what was made; columns are only made of rows that are not the same bits."""
    alike = all(same_bits(getattr(again, name), getattr(made, name)) for name in _TABLES)
    tables = () if alike else (
        (again.columns(), made.columns()),
        (again.quote_columns(), made.quote_columns()),
        (again.gap_columns(), made.gap_columns()),
    )  # fmt: skip
    check.compare(piece, rows, *tables)


def _around_gaps(batch: EventBatch, made: FrameBatch, whole: FrameBatch) -> list[int]:
    """Return the events of a piece that end a gap or close one of the frames after it, that which ends it included."""
    latest = whole.ints[-len(made) - _TAIL * len(made.universe) :]
    seqs = [made.gaps[:, G_SEQ]]
    for asset in range(len(made.universe)):
        own_rows = latest[latest[:, I_ASSET] == asset]
        seqs.append(own_rows[around_gaps(own_rows[:, I_QUALITY] & GAP_BEFORE != 0), I_SEQ])
    return np.flatnonzero(np.isin(batch.seq, np.concatenate(seqs))).tolist()


def _without_values(batch: EventBatch) -> EventBatch:
    return replace(batch, off=np.zeros(len(batch) + 1, np.int64), pool=batch.pool[:0])


def _room(ctx: StageContext, day: str, assets: int) -> int:
    """Return how many frames so many assets (0: all) have at most in day and warm-up, the venue's clock being ours."""
    segments = [*ctx.tape.warmup_segments(day), *ctx.tape.segments(day)]
    span_ms = (segments[-1].last_recv_ns - segments[0].first_recv_ns) // NS_PER_MS if segments else 0
    return (assets or len(ctx.manifest.universe)) * (span_ms // ctx.manifest.kernel.cadence_ms + 10)


def _read_ahead(pieces: Iterator[TapeLines]) -> Iterator[TapeLines]:
    """Yield the same, the next piece being read and unpacked by a thread of its own meanwhile."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = reader.submit(next, pieces, None)
            yield piece
