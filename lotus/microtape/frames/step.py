"""The frame machine's step: when frames open and close, in event time only (docs/concepts/windows.md).

`step` takes one event; the live daemon calls it once per message and `run` loops over it, so both give the same
bits. A message whose venue time passes the open frame's end closes every due frame before it is counted; an older one
counts in the open frame; silence beyond `gap_ms` (rule: `gaps_clock`) drops the open frame and starts from a blank
state. No timers.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.microtape.frames.book import Pool, apply_book, apply_ctx, apply_trades, set_top
from lotus.microtape.frames.close import close_frame
from lotus.microtape.frames.spec import CROSSED, LATE
from lotus.microtape.gaps_clock import clock_progress, ends_gap

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_BOOK: Final[int] = 1  # EventKind as plain integers, which kernels compile to constants
_BBO: Final[int] = 3
_TRADES: Final[int] = 4
_CTX: Final[int] = 5
_CROSSED: Final[int] = 6

FRAMES, QUOTES, GAPS = 0, 1, 2  # positions in `counts`


@kernel
def step(
    state: Any, blank: Any, params: Any,
    recv_ns: int, time_ms: int, seq: int, kind: int, asset: int, pool: Pool, at: int, end: int,
    ints: Ints, floats: Floats, quotes: Ints, gaps: Ints, counts: Ints,
) -> None:  # fmt: skip
    """Take one event: rows of closed frames, the quote and the gap go to the outputs behind `counts`, which grow.

    state, blank: records [assets]; params: one record; ints i8[*, N_INTS], floats f8[*, N_FLOATS] need room for
    `max_rows` more frames, quotes i8[*, 8] and gaps i8[*, 4] for one more row; counts i8[3].
    """
    s, p = state[asset], params[0]
    if kind == _CTX:
        if s.alive:
            apply_ctx(s, pool, at)
        return
    if kind == _CROSSED:
        if s.alive:
            s.flags |= CROSSED
            s.crossed = s.frame + 1
        return
    before = s.last_ms if s.alive else -1
    has_quotes = s.has_quotes
    now, waiting = clock_progress(kind, time_ms, recv_ns, before, s.waiting_ms, has_quotes > 0, p.gap_ms)
    s.waiting_ms = waiting
    if now < 0:
        return
    if before < 0:
        born(state, blank, asset, now, p.cadence_ms, 0)
    elif now - before > p.gap_ms:
        after_gap = 0
        if ends_gap(kind, has_quotes > 0, before, now, p.gap_ms):
            after_gap, row = 1, counts[GAPS]
            gaps[row, 0], gaps[row, 1], gaps[row, 2], gaps[row, 3] = asset, before, now, seq
            counts[GAPS] = row + 1
        born(state, blank, asset, now, p.cadence_ms, after_gap)
    while (s.frame + 1) * p.cadence_ms <= now:
        row = counts[FRAMES]
        close_frame(s, p, asset, recv_ns, seq, ints[row], floats[row])
        counts[FRAMES] = row + 1
    s.last_ms = now
    s.has_quotes = has_quotes if kind == _TRADES else 1
    open_ms = s.frame * p.cadence_ms
    if time_ms < open_ms:
        s.flags |= LATE
    if kind == _TRADES:
        apply_trades(s, open_ms, s.born_frame * p.cadence_ms, pool, at, end)
        return
    if s.crossed > 0:
        s.flags &= ~CROSSED if s.crossed <= s.frame else ~0
        s.crossed = 0
    if kind == _BBO:
        quoted = set_top(s, time_ms, pool[at], pool[at + 1], pool[at + 3], pool[at + 4])
    else:
        quoted = apply_book(s, time_ms, kind == _BOOK, pool, at)
    if quoted:
        row = counts[QUOTES]
        quotes[row, 0], quotes[row, 1], quotes[row, 2], quotes[row, 3] = asset, seq, recv_ns, time_ms
        quotes[row, 4], quotes[row, 5], quotes[row, 6], quotes[row, 7] = s.bid_px, s.bid_sz, s.ask_px, s.ask_sz
        counts[QUOTES] = row + 1


@kernel
def born(state: Any, blank: Any, asset: int, time_ms: int, cadence_ms: int, after_gap: int) -> None:
    """Start an asset's state blank in the frame that holds `time_ms`."""
    state[asset] = blank[asset]
    s = state[asset]
    s.alive = 1
    s.gap_before = after_gap
    s.frame = time_ms // cadence_ms
    s.born_frame = s.frame
    s.last_ms = time_ms


@kernel
def run(
    state: Any, blank: Any, params: Any,
    recv_ns: Ints, time_ms: Ints, seq: Ints, kind: NDArray[np.uint8], asset: NDArray[np.int16], off: Ints, pool: Pool,
    ints: Ints, floats: Floats, quotes: Ints, gaps: Ints, counts: Ints,
) -> None:  # fmt: skip
    """Step through every event; the outputs have the room that `count_rows` found."""
    for i in range(len(seq)):
        step(
            state, blank, params,
            recv_ns[i], time_ms[i], seq[i], int(kind[i]), int(asset[i]), pool, off[i], off[i + 1],
            ints, floats, quotes, gaps, counts,
        )  # fmt: skip


@kernel
def count_rows(
    time_ms: Ints,
    recv_ns: Ints,
    kind: NDArray[np.uint8],
    asset: NDArray[np.int16],
    last: Ints,
    has_quotes: NDArray[np.bool_],
    waiting: Ints,
    cadence_ms: int,
    gap_ms: int,
) -> tuple[int, int, int]:
    """Return how many frames, quotes (at most) and gaps the events give: the clock of `step` without its content.

    last i8, has_quotes bool, waiting i8 [assets]: every asset's clock before (-1: none yet), and after.
    """
    frames, quotes, gaps = 0, 0, 0
    for i in range(len(time_ms)):
        what, mine = int(kind[i]), int(asset[i])
        if what in (_CTX, _CROSSED):
            continue
        before = last[mine]
        now, held = clock_progress(what, time_ms[i], recv_ns[i], before, waiting[mine], has_quotes[mine], gap_ms)
        waiting[mine] = held
        if now < 0:
            continue
        if ends_gap(what, has_quotes[mine], before, now, gap_ms):
            gaps += 1
        elif before >= 0 and now - before <= gap_ms:
            frames += now // cadence_ms - before // cadence_ms
        if what != _TRADES:
            quotes += 1
            has_quotes[mine] = True
        last[mine] = now
    return frames, quotes, gaps
