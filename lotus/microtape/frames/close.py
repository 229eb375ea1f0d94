"""Closing one frame: the row is written and the rolling state moves on (formulas: `spec`).

Kernels only; when a frame closes is decided in `step`.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.microtape.frames import spec as f
from lotus.microtape.frames.book import USD
from lotus.microtape.frames.hist import RESCALE, add_to, bin_of, quantile_of, rank_of, rescale
from lotus.microtape.frames.state import (
    EMPTY_HIGH,
    EMPTY_LOW,
    NO_TIME_YET,
    RANGE_LOW,
    STALE_BOOK_MS,
    STALE_CTX_MS,
    VOLUME_LOW,
)

MIN_TRADED_FRAMES: Final[int] = 32
MIN_RANGES: Final[int] = 300

Row = NDArray[np.float64]
Ring = NDArray[np.int64]


@kernel
def close_frame(s: Any, p: Any, asset: int, recv_ns: int, seq: int, ints: NDArray[np.int64], row: Row) -> None:
    """Write the open frame's row and open the next one."""
    end_ms = (s.frame + 1) * p.cadence_ms
    mid2 = s.bid_px + s.ask_px if s.two_sided else 0
    row[:] = math.nan
    write_quote(s, mid2, row)
    write_books(s, end_ms, row)
    write_trades(s, row)
    write_rolling(s, p, row)
    write_bar(s, p, mid2, row)
    quality = s.flags
    if not row[f.C_BOOK_AGE] <= STALE_BOOK_MS:
        quality |= f.STALE_BOOK
    if not row[f.C_CTX_AGE] <= STALE_CTX_MS:
        quality |= f.STALE_CTX
    if mid2 == 0:
        quality |= f.NO_QUOTE
    if s.gap_before:
        quality |= f.GAP_BEFORE
    if s.frames < p.bar_n:
        quality |= f.WARMUP
    row[f.C_GAP] = s.gap_before
    ints[f.I_ASSET], ints[f.I_FRAME], ints[f.I_END] = asset, s.frame + 1, end_ms
    ints[f.I_RECV], ints[f.I_SEQ], ints[f.I_QUALITY], ints[f.I_MID2] = recv_ns, seq, quality, mid2
    open_next(s, p, mid2)


@kernel
def open_next(s: Any, p: Any, mid2: int) -> None:
    """Move to the next frame: accumulators empty, carried state kept."""
    s.frame += 1
    s.frames += 1
    s.gap_before = 0
    s.flags = f.CROSSED if s.crossed > 0 else 0
    s.mid2_prev = mid2
    s.oi_prev = s.oi
    s.high2 = mid2 if mid2 > 0 else EMPTY_HIGH
    s.low2 = mid2 if mid2 > 0 else EMPTY_LOW
    s.removed = 0.0
    s.shown = float(s.bid_sz + s.ask_sz)
    s.trade_n = 0
    s.lots, s.usd, s.signed_usd, s.swept = 0.0, 0.0, 0.0, 0.0
    s.hist_weight *= p.hist_growth
    if rescale(s.volume_mass, s.volume_below, s.hist_weight):
        rescale(s.burst_mass, s.burst_below, s.hist_weight)
        rescale(s.range_mass, s.range_below, s.hist_weight)
        s.hist_weight /= RESCALE


@kernel
def write_quote(s: Any, mid2: int, row: Row) -> None:
    """Write the columns of the top of book."""
    if mid2 > 0:
        mid = 0.5 * mid2
        size = float(s.bid_sz + s.ask_sz)
        row[f.C_MID] = mid
        row[f.C_SPREAD] = 1e4 * (s.ask_px - s.bid_px) / mid
        if size > 0.0:
            micro = (float(s.ask_px) * float(s.bid_sz) + float(s.bid_px) * float(s.ask_sz)) / size
            row[f.C_MICRO] = 1e4 * (micro - mid) / mid
            row[f.C_IMB_1] = (s.bid_sz - s.ask_sz) / size
        if s.mid2_prev > 0:
            row[f.C_RET] = 1e4 * (mid2 - s.mid2_prev) / s.mid2_prev
    row[f.C_CANCEL] = min(max(s.removed - s.lots, 0.0) / s.shown, 1.0) if s.shown > 0.0 else math.nan


@kernel
def write_books(s: Any, end_ms: int, row: Row) -> None:
    """Write the columns of the books and of the context with their ages."""
    row[f.C_IMB_5], row[f.C_IMB_10] = s.imb_5, s.imb_10
    row[f.C_DEPTH_BID], row[f.C_DEPTH_ASK], row[f.C_SLOPE] = s.depth_bid, s.depth_ask, s.slope
    row[f.C_BOOK_AGE] = float(end_ms - s.deep_ms) if s.deep_ms != NO_TIME_YET else math.nan
    row[f.C_FAST_AGE] = float(end_ms - s.fast_ms) if s.fast_ms != NO_TIME_YET else math.nan
    row[f.C_OI], row[f.C_FUNDING] = s.oi, s.funding
    row[f.C_OI_DELTA] = 1e4 * (s.oi - s.oi_prev) / s.oi_prev if s.oi_prev > 0.0 else math.nan
    row[f.C_BASIS] = 1e4 * (row[f.C_MID] - s.oracle) / s.oracle
    row[f.C_CTX_AGE] = float(end_ms - s.ctx_ms) if s.ctx_ms != NO_TIME_YET else math.nan


@kernel
def write_trades(s: Any, row: Row) -> None:
    """Write the columns of the trades; the trailing volume moves on."""
    row[f.C_TRADE_N], row[f.C_VOLUME], row[f.C_RUNLEN] = s.trade_n, s.usd, s.runlen
    row[f.C_VOLUME_BASE] = s.lots * s.lot
    if s.usd > 0.0:
        row[f.C_VWAP] = 1e4 * (s.usd / (s.lots * USD) - row[f.C_MID]) / row[f.C_MID]
    row[f.C_SWEEP] = 1.0 if s.swept > 0.0 else (-1.0 if s.swept < 0.0 else 0.0)
    if not s.usd > 0.0:
        row[f.C_VOL_REL] = 0.0
    else:
        row[f.C_AGGR] = s.signed_usd / s.usd
        if s.traded_frames >= MIN_TRADED_FRAMES:
            row[f.C_VOL_REL] = s.usd / quantile_of(s.volume_mass, s.volume_below, 0.5, VOLUME_LOW)
        add_to(s.volume_mass, s.volume_below, bin_of(s.usd, VOLUME_LOW), s.hist_weight)
        s.traded_frames += 1


@kernel
def write_rolling(s: Any, p: Any, row: Row) -> None:
    """Write the realised volatility after this frame's return."""
    s.rv_sum *= p.rv_decay
    s.rv_weight *= p.rv_decay
    ret = row[f.C_RET]
    if ret == ret:
        s.rv_sum += ret * ret
        s.rv_weight += 1.0
    row[f.C_RV] = math.sqrt(p.per_minute * (s.rv_sum / s.rv_weight)) if s.rv_weight > 0.0 else math.nan


@kernel
def write_bar(s: Any, p: Any, mid2: int, row: Row) -> None:
    """Write the candle columns of the rolling bar; the ring takes this frame in the place of the one that leaves."""
    at = s.bar_at
    first2 = s.ring_mid2[at]
    s.ring_mid2[at] = mid2
    high2 = slide_largest(s.high_queue, s.ring_high, at, p.bar_n, s.high2)
    low2 = -slide_largest(s.fall_queue, s.ring_fall, at, p.bar_n, -s.low2)
    s.bar_at = at + 1 if at + 1 < p.bar_n else 0
    if s.frames < p.bar_n or first2 == 0 or mid2 == 0:
        return
    scale = 1e4 / mid2
    row[f.C_WICK_UP] = scale * (high2 - max(first2, mid2))
    row[f.C_WICK_DN] = scale * (min(first2, mid2) - low2)
    row[f.C_BODY] = scale * (mid2 - first2)
    span = scale * (high2 - low2)
    row[f.C_CLOSE_LOC] = (mid2 - low2) / (high2 - low2) if high2 > low2 else 0.5
    if s.ranges >= MIN_RANGES:
        row[f.C_RANGE_PCTL] = rank_of(s.range_mass, s.range_below, span, RANGE_LOW)
    add_to(s.range_mass, s.range_below, bin_of(span, RANGE_LOW), s.hist_weight)
    s.ranges += 1


@kernel
def slide_largest(q: Any, ring: Ring, at: int, n: int, value: int) -> int:
    """Put `value` in slot `at` of the ring in place of the oldest; return the largest of the last `n` values.

    The queue keeps the slots of the values that can still become the largest, falling from its head: every slot
    enters and leaves it once, so the cost per frame is constant on average whatever the prices do (monotonic queue).
    """
    if q.size > 0 and q.slots[q.head] == at:
        q.head = q.head + 1 if q.head + 1 < n else 0
        q.size -= 1
    ring[at] = value
    tail = q.head + q.size
    tail = tail if tail < n else tail - n
    while q.size > 0:
        last = tail - 1 if tail > 0 else n - 1
        if ring[q.slots[last]] > value:
            break
        tail = last
        q.size -= 1
    q.slots[tail] = at
    q.size += 1
    return int(ring[q.slots[q.head]])
