"""How complete a tape is: messages and seconds covered per asset and minute, and channels that went stale.

Pure functions of an `EventBatch`. A second is covered when it lies between two messages of its asset that are not
further apart than the gap limit; quotes and contexts are also looked at alone, for a channel may die while others go
on. Reports are printed elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.microtape.events import TRADE_WIDTH, EventBatch, EventKind
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_TRADE_N, G_ASSET, G_END, G_SEQ, G_START, I_ASSET, I_END, I_SEQ
from lotus.microtape.gaps import Gap, TapeHours, read_clocks, session_pieces
from lotus.timebase import DAY_MS, NS_PER_MS

MINUTE_MS: Final = 60_000
TRADE_TIME: Final = 3  # column of a print's venue time

TAPE_COMPLETENESS: Final = TableSpec(
    "tape_completeness",
    ("asset", "minute_ms"),
    (
        Column("asset", "i2", "index", "position in the universe", low=0),
        Column("minute_ms", "i8", "ms UTC", "start of the minute"),
        Column("messages", "i8", "", "events of all channels", low=0),
        Column("books", "i8", "", "20-level and fast books", low=0),
        Column("bbos", "i8", "", "best bid and offer changes", low=0),
        Column("trades", "i8", "", "trade messages with a new print", low=0),
        Column("ctxs", "i8", "", "context messages", low=0),
        Column("covered_s", "f8", "s", "seconds between messages within the gap limit", low=0, high=60),
        Column("quoted_s", "f8", "s", "the same of books, bests bid and offer alone", low=0, high=60),
        Column("ctx_s", "f8", "s", "the same of contexts alone, by receive time", low=0, high=60),
        Column("expected_s", "f8", "s", "seconds inside session hours (or the tape span)", low=0, high=60),
        Column("share", "f8", "", "covered / expected", low=0, high=1),
    ),
)

RAW_TAPE: Final = TableSpec(
    "raw_tape",
    ("tape", "day", "number"),
    (
        Column("tape", "text", "", "name of the tape"),
        Column("day", "text", "", "UTC day of the receive stamps"),
        Column("number", "i8", "", "running number of the segment in its day", low=0),
        Column("name", "text", "", "file name"),
        Column("first_seq", "i8", "line", "line number of the first line in the day", low=0),
        Column("lines", "i8", "", "lines", low=1),
        Column("first_recv_ns", "i8", "ns", "first receive stamp", low=0),
        Column("last_recv_ns", "i8", "ns", "last receive stamp", low=0),
        Column("raw_bytes", "i8", "B", "uncompressed size", low=1),
        Column("stored_bytes", "i8", "B", "stored size", low=1),
        Column("content_sha256", "text", "", "hash of the uncompressed lines"),
        Column("silences", "i8", "", "receive silences of the whole stream beyond 10 s", low=0),
    ),
)


@dataclass(frozen=True, slots=True)
class StaleLimits:
    """Ages beyond which a channel counts as stale, ms (the venue's cadence with slack; trades may be silent)."""

    book: int = 12_000
    fast: int = 2_000
    bbo: int = 5_000
    ctx: int = 5_000


@dataclass(frozen=True, slots=True)
class Stale:
    """A channel of an asset that was silent while the asset itself was not in a gap."""

    asset: int
    channel: str
    start_ms: int
    end_ms: int


def completeness(
    batch: EventBatch, n_assets: int, gap_ms: int, sessions: Sequence[TapeHours] = ()
) -> dict[str, NDArray[np.generic]]:
    """Return the columns of `TAPE_COMPLETENESS`: every expected minute of every asset, also those without messages."""
    clocks = read_clocks(batch, n_assets, gap_ms)
    start, end = clocks.span
    if end < 0:
        return _columns([])
    if sessions:
        start, end = start - start % DAY_MS, end - end % DAY_MS + DAY_MS
    first_minute = start // MINUTE_MS
    n_minutes = -(-end // MINUTE_MS) - first_minute
    expected = _coverage(session_pieces(start, end, sessions), first_minute, n_minutes)
    minute = np.where(clocks.after >= 0, clocks.after, batch.recv_ns // NS_PER_MS) // MINUTE_MS - first_minute
    parts = []
    for asset in range(n_assets):
        own_events = (batch.asset == asset) & (minute >= 0) & (minute < n_minutes)
        if not sessions and clocks.last[asset] < 0:
            continue
        since = clocks.after[(batch.asset == asset) & (clocks.after >= clocks.first[asset])]
        seconds = [
            np.minimum(_coverage(_covered_spans(times, gap_ms), first_minute, n_minutes), expected)
            for times in (since, *_by_channel(batch, asset))
        ]
        kinds, cells = max(EventKind) + 1, batch.kind[own_events].astype(np.int64) * n_minutes + minute[own_events]
        by_kind = np.bincount(cells, minlength=kinds * n_minutes).reshape(kinds, n_minutes)
        parts.append(_asset_rows(asset, first_minute, by_kind, seconds, expected))
    return _columns(parts)


def find_stale(batch: EventBatch, n_assets: int, gaps: Sequence[Gap], limits: StaleLimits | None = None) -> list[Stale]:
    """Return every silence of one channel beyond its limit that is not explained by a gap of its asset.

    A channel that never comes back is silent to the tape's end; one without any message was not asked for.
    """
    limits = limits or StaleLimits()
    ends = (int(batch.time_ms.max(initial=0)), int(batch.recv_ns.max(initial=0)) // NS_PER_MS)
    by_kind = {
        EventKind.BOOK: ("book", limits.book),
        EventKind.FAST: ("fast", limits.fast),
        EventKind.BBO: ("bbo", limits.bbo),
        EventKind.CTX: ("ctx", limits.ctx),
    }
    silences = []
    for asset in range(n_assets):
        own_gaps = [gap for gap in gaps if gap.asset == asset]
        for kind, (channel, limit) in by_kind.items():
            chosen = (batch.asset == asset) & (batch.kind == kind)
            times = (batch.recv_ns // NS_PER_MS if kind == EventKind.CTX else batch.time_ms)[chosen]
            if not len(times):
                continue
            times = np.append(np.maximum.accumulate(times), max(int(times.max()), ends[kind == EventKind.CTX]))
            for place in np.flatnonzero(np.diff(times) > limit):
                low, high = int(times[place]), int(times[place + 1])
                silent = sum(max(0, min(high, gap.end_ms) - max(low, gap.start_ms)) for gap in own_gaps)
                if high - low - silent > limit:
                    silences.append(Stale(asset, channel, low, high))
    return silences


@dataclass(frozen=True, slots=True)
class Framed:
    """How many prints of an asset there were, how many no frame counts, and how many of those nothing explains.

    Explained are prints in a gap or in the frame that it left open, before the first frame, and in the one still open.
    """

    prints: int
    unframed: int
    unexplained: int


@dataclass(frozen=True, slots=True)
class Prints:
    """Prints of a stretch of tape in arrival order: asset i2 [n], venue time_ms i8 [n] and line number seq i8 [n]."""

    asset: NDArray[np.int16]
    time_ms: NDArray[np.int64]
    seq: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of prints."""
        return len(self.seq)


def prints_of(batch: EventBatch) -> Prints:
    """Return the prints of a batch of events."""
    trades = np.flatnonzero(batch.kind == EventKind.TRADES)
    first, widths = batch.off[trades], batch.off[trades + 1] - batch.off[trades]
    counts = widths // TRADE_WIDTH
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    times = batch.pool[np.repeat(first, counts) + within * TRADE_WIDTH + TRADE_TIME]
    return Prints(np.repeat(batch.asset[trades], counts), times, np.repeat(batch.seq[trades], counts))


def join_prints(parts: Sequence[Prints]) -> Prints:
    """Return prints one after the other (at least one part)."""
    return Prints(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("asset", "time_ms", "seq")))


def framed_prints(prints: Prints, frames: FrameBatch) -> list[Framed]:
    """Return, of every asset, what became of the prints of some events in the `frames` made of these."""
    cadence, out = frames.cadence_ms, []
    for asset in range(len(frames.universe)):
        own = prints.asset == asset
        time_ms, seq = prints.time_ms[own], prints.seq[own]
        own_rows = frames.ints[:, I_ASSET] == asset
        ends, closers = frames.ints[own_rows, I_END], frames.ints[own_rows, I_SEQ]
        unframed = len(time_ms) - int(frames.floats[own_rows, C_TRADE_N].sum())
        silent = (
            (time_ms < ends.min() - cadence) | (seq >= closers.max()) if len(ends) else np.ones(len(time_ms), np.bool_)
        )
        for start, end, number in frames.gaps[frames.gaps[:, G_ASSET] == asset][:, (G_START, G_END, G_SEQ)].tolist():
            opened = int(closers[closers <= number].max(initial=0))  # the line that opened the frame left open
            silent |= ((time_ms >= start - start % cadence) & (time_ms <= end)) | ((seq >= opened) & (seq < number))
        out.append(Framed(len(time_ms), unframed, max(0, unframed - int(silent.sum()))))
    return out


def _by_channel(batch: EventBatch, asset: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the venue times of an asset's quotes and the receive times of its contexts, ms."""
    own_events = batch.asset == asset
    quotes = own_events & np.isin(batch.kind, (EventKind.BOOK, EventKind.FAST, EventKind.BBO))
    return batch.time_ms[quotes], batch.recv_ns[own_events & (batch.kind == EventKind.CTX)] // NS_PER_MS


def _covered_spans(clocks: NDArray[np.int64], gap_ms: int) -> list[tuple[int, int]]:
    """Join consecutive clocks no further apart than the gap limit."""
    times = np.sort(clocks[clocks >= 0])
    if not len(times):
        return []
    cuts = np.flatnonzero(np.diff(times) > gap_ms)
    starts, ends = np.concatenate([[0], cuts + 1]), np.concatenate([cuts, [len(times) - 1]])
    return [(int(times[low]), int(times[high])) for low, high in zip(starts, ends, strict=True)]


def _coverage(spans: Sequence[tuple[int, int]], first_minute: int, n_minutes: int) -> NDArray[np.float64]:
    """Return ms of each minute that the spans cover."""
    covered = np.zeros(n_minutes, dtype=np.float64)
    for low, high in spans:
        edges = np.arange(low // MINUTE_MS, -(-high // MINUTE_MS) + 1, dtype=np.int64) * MINUTE_MS
        edges = np.clip(edges, low, high)
        minutes = np.arange(low // MINUTE_MS, low // MINUTE_MS + len(edges) - 1) - first_minute
        inside = (minutes >= 0) & (minutes < n_minutes)
        covered[minutes[inside]] += np.diff(edges)[inside]
    return covered


def _asset_rows(
    asset: int,
    first_minute: int,
    by_kind: NDArray[np.int64],
    seconds: Sequence[NDArray[np.float64]],
    expected: NDArray[np.float64],
) -> dict[str, NDArray[np.generic]]:
    wanted = np.flatnonzero((expected > 0) | (by_kind.sum(axis=0) > 0))
    covered, quoted, contexts = seconds
    share = np.divide(covered, expected, out=np.zeros_like(covered), where=expected > 0)
    rows: dict[str, NDArray[np.generic]] = {
        "asset": np.full(len(wanted), asset, dtype=np.int16),
        "minute_ms": (wanted + first_minute) * MINUTE_MS,
        "messages": by_kind.sum(axis=0)[wanted],
        "books": (by_kind[EventKind.BOOK] + by_kind[EventKind.FAST])[wanted],
        "bbos": by_kind[EventKind.BBO][wanted],
        "trades": by_kind[EventKind.TRADES][wanted],
        "ctxs": by_kind[EventKind.CTX][wanted],
        "covered_s": covered[wanted] / 1000,
        "quoted_s": quoted[wanted] / 1000,
        "ctx_s": contexts[wanted] / 1000,
        "expected_s": expected[wanted] / 1000,
        "share": share[wanted],
    }
    return rows


def _columns(parts: Sequence[Mapping[str, NDArray[np.generic]]]) -> dict[str, NDArray[np.generic]]:
    return {
        name: np.concatenate([part[name] for part in parts])
        if parts
        else np.zeros(0, dtype=TAPE_COMPLETENESS.numpy_dtype(name))
        for name in TAPE_COMPLETENESS.names
    }
