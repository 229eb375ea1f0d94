"""What one message does to the open frame: top of book, both book forms, trades and context (formulas: `spec`).

Kernels only; nothing here opens, closes or counts frames. The order-book terms are the field's: queue imbalance,
book slope (Naes and Skjeltorp 2006), aggressor run, sweep.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.jit import kernel
from lotus.microtape.events import BOOK_HEADER, LEVEL_WIDTH, NULL, TRADE_WIDTH
from lotus.microtape.frames.hist import add_to, bin_of, quantile_of
from lotus.microtape.frames.spec import LATE
from lotus.microtape.frames.state import BURST_LOW

Pool = NDArray[np.int64]

SWEEP_LEVELS: Final[int] = 3
SWEEP_QUANTILE: Final[float] = 0.99
SWEEP_MIN_BURSTS: Final[int] = 100
USD: Final[float] = 1e-6  # one price unit times one lot, for every asset


@kernel
def set_top(s: Any, time_ms: int, bid_px: int, bid_sz: int, ask_px: int, ask_sz: int) -> bool:
    """Make a quote the top of book when it is not older than the present one; return whether it is two-sided.

    A null side is 0, 0.
    """
    two_sided = bid_px > 0 and ask_px > 0
    if time_ms < s.top_ms:
        return False
    count_side(s, s.bid_px, s.bid_sz, bid_px, bid_sz, bid_px < s.bid_px)
    count_side(s, s.ask_px, s.ask_sz, ask_px, ask_sz, ask_px > s.ask_px or ask_px == 0)
    s.top_ms = time_ms
    s.bid_px, s.bid_sz, s.ask_px, s.ask_sz = bid_px, bid_sz, ask_px, ask_sz
    s.two_sided = 1 if two_sided else 0
    if two_sided:
        s.high2 = max(s.high2, bid_px + ask_px)
        s.low2 = min(s.low2, bid_px + ask_px)
    return two_sided


@kernel
def count_side(s: Any, px0: int, sz0: int, px1: int, sz1: int, receded: bool) -> None:
    """Add one side's change to the lots removed from and shown at the best level."""
    if px1 == px0:
        if sz1 < sz0:
            s.removed += sz0 - sz1
        else:
            s.shown += sz1 - sz0
        return
    if receded:
        s.removed += sz0
    s.shown += sz1


@kernel
def apply_book(s: Any, time_ms: int, deep: bool, pool: Pool, at: int) -> bool:
    """Take a full book; return whether its best levels became a two-sided top."""
    n_bids, n_asks = pool[at], pool[at + 1]
    bids = at + BOOK_HEADER
    asks = bids + LEVEL_WIDTH * n_bids
    if time_ms >= max(s.deep_ms, s.fast_ms):
        s.imb_5 = imbalance(pool, bids, n_bids, asks, n_asks, 5)
    if not deep:
        s.fast_ms = max(s.fast_ms, time_ms)
    if deep and time_ms >= s.deep_ms:
        s.deep_ms = time_ms
        s.imb_10 = imbalance(pool, bids, n_bids, asks, n_asks, 10)
        s.depth_bid = side_usd(pool, bids, n_bids)
        s.depth_ask = side_usd(pool, asks, n_asks)
        s.slope = depth_slope(s.levels, pool, bids, n_bids, asks, n_asks)
    bid_px, bid_sz, ask_px, ask_sz = 0, 0, 0, 0
    if n_bids > 0:
        bid_px, bid_sz = pool[bids], pool[bids + 1]
    if n_asks > 0:
        ask_px, ask_sz = pool[asks], pool[asks + 1]
    return set_top(s, time_ms, bid_px, bid_sz, ask_px, ask_sz)


@kernel
def imbalance(pool: Pool, bids: int, n_bids: int, asks: int, n_asks: int, levels: int) -> float:
    """Return (B - A) / (B + A) over the first levels of both sides; NaN when a side is empty or no size stands."""
    if n_bids == 0 or n_asks == 0:
        return math.nan
    bid, ask = 0.0, 0.0
    for k in range(min(n_bids, levels)):
        bid += pool[bids + LEVEL_WIDTH * k + 1]
    for k in range(min(n_asks, levels)):
        ask += pool[asks + LEVEL_WIDTH * k + 1]
    return (bid - ask) / (bid + ask) if bid + ask > 0.0 else math.nan


@kernel
def side_usd(pool: Pool, at: int, n: int) -> float:
    """Return the notional of one side in USD."""
    total = 0.0
    for k in range(n):
        total += float(pool[at + LEVEL_WIDTH * k]) * float(pool[at + LEVEL_WIDTH * k + 1])
    return total * USD


@kernel
def depth_slope(work: Any, pool: Pool, bids: int, n_bids: int, asks: int, n_asks: int) -> float:
    """Return the pooled least-squares slope of ln(cumulative lots) on bps from mid; NaN when it is undefined.

    `work` is room for one point a level; points are made apart from their sums so that they can be made side by side.
    """
    if n_bids == 0 or n_asks == 0:
        return math.nan
    mid = 0.5 * (pool[bids] + pool[asks])
    points = side_points(work, 0, mid, pool, bids, n_bids)
    points = side_points(work, points, mid, pool, asks, n_asks)
    for k in range(points):
        work.y[k] = mathx.log_of_parts(work.mantissa[k], work.exponent[k])
    sx, sy, sxx, sxy = 0.0, 0.0, 0.0, 0.0
    for k in range(points):
        x, y = work.x[k], work.y[k]
        sx += x
        sy += y
        sxx += x * x
        sxy += x * y
    n = float(points)
    spread = n * sxx - sx * sx
    if n < 3.0 or not spread > 1e-9 * n * sxx:
        return math.nan
    return (n * sxy - sx * sy) / spread


@kernel
def side_points(work: Any, points: int, mid: float, pool: Pool, at: int, n: int) -> int:
    """Append distance in bps and the parts of the cumulative lots, levels before the first size left out."""
    total = 0.0
    for k in range(n):
        total += pool[at + LEVEL_WIDTH * k + 1]
        if total > 0.0:
            work.x[points] = abs(pool[at + LEVEL_WIDTH * k] - mid) / mid * 1e4
            work.mantissa[points], work.exponent[points] = math.frexp(total)
            points += 1
    return points


@kernel
def apply_trades(s: Any, open_ms: int, born_ms: int, pool: Pool, at: int, end: int) -> None:
    """Count the prints of one message in the open frame; prints from before the state's birth are part of the gap."""
    burst_side, burst_ms, levels, last_px = 0, 0, 0, 0
    usd, lots = 0.0, 0.0
    for k in range(at, end, TRADE_WIDTH):
        px, sz, side, time_ms = pool[k], pool[k + 1], pool[k + 2], pool[k + 3]
        if time_ms < born_ms:
            continue
        if time_ms < open_ms:
            s.flags |= LATE
        if side != burst_side or time_ms != burst_ms:
            end_burst(s, burst_side, levels, usd, lots)
            burst_side, burst_ms, levels, last_px, usd, lots = side, time_ms, 0, 0, 0.0, 0.0
        if px != last_px:
            levels += 1
            last_px = px
        notional = float(px) * float(sz) * USD
        usd += notional
        lots += sz
        s.trade_n += 1
        s.lots += sz
        s.usd += notional
        s.signed_usd += side * notional
        s.runlen = s.runlen + side if s.runlen * side > 0 else side
    end_burst(s, burst_side, levels, usd, lots)


@kernel
def end_burst(s: Any, side: int, levels: int, usd: float, lots: float) -> None:
    """Judge one finished burst against the trailing sizes, then add it to them."""
    if levels == 0:
        return
    sweeping = levels >= SWEEP_LEVELS
    if not sweeping and s.bursts >= SWEEP_MIN_BURSTS:
        sweeping = usd >= quantile_of(s.burst_mass, s.burst_below, SWEEP_QUANTILE, BURST_LOW)
    if sweeping:
        s.swept += side * lots
    add_to(s.burst_mass, s.burst_below, bin_of(usd, BURST_LOW), s.hist_weight)
    s.bursts += 1


@kernel
def apply_ctx(s: Any, pool: Pool, at: int) -> None:
    """Take a context, stamped with the largest venue time seen so far."""
    s.ctx_ms = s.last_ms
    s.funding = pool[at] * 1e-8 if pool[at] != NULL else math.nan
    s.oi = pool[at + 1] * s.lot if pool[at + 1] != NULL else math.nan
    s.oracle = float(pool[at + 2]) if pool[at + 2] != NULL and pool[at + 2] > 0 else math.nan
