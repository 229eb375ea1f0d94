"""Silence on a tape: gaps per asset over all channels, session hours, and channels that went stale on their own.

Pure functions of an `EventBatch`. The rule of what moves an asset's clock is `gaps_clock`; the frame machine applies
the same rule event by event, so its gaps are the inner ones found here. Nothing is interpolated or repaired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import TapeError
from lotus.jit import allocating_kernel
from lotus.microtape.events import EventBatch, EventKind
from lotus.microtape.gaps_clock import clock_progress, ends_gap
from lotus.timebase import DAY_MS

_TRADES: Final = int(EventKind.TRADES)
_CROSSED: Final = int(EventKind.CROSSED)
_CTX: Final = int(EventKind.CTX)
NONE: Final = -1


@dataclass(frozen=True, slots=True)
class TapeHours:
    """Hours of the UTC day in which a tape is expected, as ms since midnight: [start_ms, end_ms)."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Silence of one asset inside session hours: venue times, the line that ended it (-1: none), and whether it lies
    at an edge of the tape or session rather than between two messages."""

    asset: int
    start_ms: int
    end_ms: int
    seq: int
    edge: bool

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end_ms - self.start_ms) / 1000


@dataclass(frozen=True, slots=True)
class Clocks:
    """Venue clock of the event's asset after every event (ms, -1 = none yet) and first and last clock per asset."""

    after: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    gaps: tuple[Gap, ...]

    @property
    def span(self) -> tuple[int, int]:
        """First and last venue time of the tape over all assets; (-1, -1) without any."""
        seen = self.last >= 0
        return (int(self.first[seen].min()), int(self.last[seen].max())) if seen.any() else (NONE, NONE)


def parse_session(start: str, end: str) -> TapeHours:
    """Return the session from "HH:MM" to "HH:MM" (24:00 allowed); raises `TapeError` for hours that are none.

    >>> parse_session("08:00", "09:30")
    TapeHours(start_ms=28800000, end_ms=34200000)
    """
    edges = []
    for text in (start, end):
        hours, _, minutes = text.partition(":")
        if not (hours.isdigit() and minutes.isdigit() and len(minutes) == 2 and int(minutes) < 60):
            raise TapeError(f"session hour {text!r}", "HH:MM in UTC")
        edges.append((int(hours) * 60 + int(minutes)) * 60_000)
    if not 0 <= edges[0] < edges[1] <= DAY_MS:
        raise TapeError(f"session {start}-{end}", "a start before an end, both within one UTC day")
    return TapeHours(*edges)


def session_pieces(start_ms: int, end_ms: int, sessions: Sequence[TapeHours]) -> list[tuple[int, int]]:
    """Return the parts of [start_ms, end_ms) that lie in session hours, in order (all of it without sessions)."""
    if not sessions:
        return [(start_ms, end_ms)] if end_ms > start_ms else []
    pieces = []
    for day in range(start_ms // DAY_MS, end_ms // DAY_MS + 1):
        for session in sorted(sessions, key=lambda one: one.start_ms):
            low = max(start_ms, day * DAY_MS + session.start_ms)
            high = min(end_ms, day * DAY_MS + session.end_ms)
            if high > low:
                pieces.append((low, high))
    return pieces


def read_clocks(batch: EventBatch, n_assets: int, gap_ms: int) -> Clocks:
    """Return every asset's clock along a tape that starts blank, and the silences between its messages.

    Gaps are those of `gaps_clock`, before session hours are considered, ordered by the line that ended them.
    """
    after = np.empty(len(batch), dtype=np.int64)
    first, last = np.full(n_assets, NONE, np.int64), np.full(n_assets, NONE, np.int64)
    rows = np.empty((len(batch), 4), dtype=np.int64)
    n = _walk(batch.kind, batch.asset, batch.time_ms, batch.recv_ns, batch.seq, gap_ms, after, first, last, rows)
    gaps = tuple(Gap(int(a), int(start), int(end), int(seq), False) for a, start, end, seq in rows[:n])
    return Clocks(after, first, last, gaps)


def find_gaps(batch: EventBatch, n_assets: int, gap_ms: int, sessions: Sequence[TapeHours] = ()) -> list[Gap]:
    """Return every gap longer than `gap_ms` inside session hours, by (asset, start).

    With sessions, all of every session on the UTC days that the tape touches is expected of every asset. Without
    them an asset is expected from the tape's first to its last message, if it appears at all. Before an asset's first
    quote its prints are no presence: all of it is one gap at the edge.
    """
    clocks = read_clocks(batch, n_assets, gap_ms)
    inner = [gap for gap in clocks.gaps if gap.start_ms >= clocks.first[gap.asset]]  # else: prints before any quote
    silences = [*inner, *_edges(clocks, n_assets, bool(sessions))]
    gaps = []
    for gap in silences:
        for low, high in session_pieces(gap.start_ms, gap.end_ms, sessions):
            if high - low > gap_ms:
                edge = gap.edge or low != gap.start_ms or high != gap.end_ms
                gaps.append(Gap(gap.asset, low, high, gap.seq, edge))
    return sorted(gaps, key=lambda gap: (gap.asset, gap.start_ms))


def _edges(clocks: Clocks, n_assets: int, whole_days: bool) -> list[Gap]:
    start, end = clocks.span
    if end < 0:
        return []
    if whole_days:
        start, end = start - start % DAY_MS, end - end % DAY_MS + DAY_MS
    edges = []
    for asset in range(n_assets):
        first, last = int(clocks.first[asset]), int(clocks.last[asset])
        if last >= 0:
            edges += [Gap(asset, start, first, NONE, True), Gap(asset, last, end, NONE, True)]
        elif whole_days:
            edges.append(Gap(asset, start, end, NONE, True))
    return edges


@allocating_kernel
def _walk(
    kind: NDArray[np.uint8],
    asset: NDArray[np.int16],
    time_ms: NDArray[np.int64],
    recv_ns: NDArray[np.int64],
    seq: NDArray[np.int64],
    gap_ms: int,
    after: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> int:
    n = 0
    has_quotes, waiting = np.zeros(last.size, dtype=np.bool_), np.zeros(last.size, dtype=np.int64)
    for i in range(kind.size):
        a, what = asset[i], int(kind[i])
        before, quoted = last[a], has_quotes[a]
        now, held = clock_progress(what, time_ms[i], recv_ns[i], before, waiting[a], quoted, gap_ms)
        waiting[a] = held
        is_quote = what not in (_TRADES, _CTX, _CROSSED)
        if ends_gap(what, quoted, before, now, gap_ms):
            rows[n, 0] = a
            rows[n, 1] = before
            rows[n, 2] = now
            rows[n, 3] = seq[i]
            n += 1
        if first[a] < 0 or (is_quote and not quoted):
            first[a] = now
        if is_quote:
            has_quotes[a] = True
        last[a] = now
        after[i] = now
    return n
