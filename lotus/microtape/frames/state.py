"""The state of one asset's frame machine and the constants it runs on, as numpy records.

One record per asset, blank at birth; kernels read and write it in place, so the live daemon and the batch share it.
No formula belongs here: columns are defined in `spec`.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import ConfigError
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.hist import BINS
from lotus.microtape.parser.quotes import MAX_LEVELS

BAR_MS: Final[int] = 60_000  # the rolling bar of the candle columns
BAR_CAPACITY: Final[int] = 1_200  # frames of a bar at the fastest cadence, 50 ms
WARMUP_MS: Final[int] = 60_000
STALE_BOOK_MS: Final[int] = 12_000  # the slow book comes every 5 s
STALE_CTX_MS: Final[int] = 5_000  # the context comes every second
HIST_HALF_LIFE_MS: Final[int] = 1_200_000  # five half-lives stay below 2 h
RV_HALF_LIFE_MS: Final[int] = 30_000
NO_TIME_YET: Final[int] = -(2**62)
EMPTY_HIGH: Final[int] = -(2**62)  # a frame without a mid, in the ring of bar highs
EMPTY_LOW: Final[int] = 2**62

VOLUME_LOW: Final[int] = 0  # histogram of frame volumes: 1 USD to 65 kUSD and beyond
BURST_LOW: Final[int] = 3  # histogram of burst sizes: 8 USD to 524 kUSD
RANGE_LOW: Final[int] = -4  # histogram of bar ranges: 1/16 bps to 4096 bps

PARAMS_DTYPE: Final = np.dtype(
    [
        ("cadence_ms", "i8"),
        ("gap_ms", "i8"),
        ("bar_n", "i8"),
        ("per_minute", "f8"),
        ("hist_growth", "f8"),
        ("rv_decay", "f8"),
    ]
)

QUEUE_DTYPE: Final = np.dtype([("head", "i8"), ("size", "i8"), ("slots", "i8", (BAR_CAPACITY,))])

LEVELS_DTYPE: Final = np.dtype([(name, "f8", (2 * MAX_LEVELS,)) for name in ("x", "y", "mantissa", "exponent")])

STATE_DTYPE: Final = np.dtype(
    [
        ("lot", "f8"),  # base units of one lot; survives rebirth
        ("alive", "i8"),
        ("has_quotes", "i8"),  # a BOOK, FAST or BBO event came before
        ("gap_before", "i8"),
        ("frame", "i8"),  # index of the open frame
        ("born_frame", "i8"),
        ("frames", "i8"),  # frames closed since birth
        ("last_ms", "i8"),  # venue clock (gaps_clock)
        ("waiting_ms", "i8"),  # a fresh print beyond the gap that waits for another
        ("flags", "i8"),  # LATE and CROSSED of the open frame
        ("crossed", "i8"),  # 1 + the frame in which a crossed quote came, until the next that is none (0: none)
        # top of book
        ("top_ms", "i8"),
        ("two_sided", "i8"),
        ("bid_px", "i8"),
        ("bid_sz", "i8"),
        ("ask_px", "i8"),
        ("ask_sz", "i8"),
        ("high2", "i8"),  # largest and smallest mid2 of the open frame
        ("low2", "i8"),
        ("removed", "f8"),  # lots that left the best levels in the open frame
        ("shown", "f8"),  # lots that stood or appeared there
        # books
        ("deep_ms", "i8"),  # venue time of the newest 20-level and of the newest 5-level book
        ("fast_ms", "i8"),
        ("imb_5", "f8"),
        ("imb_10", "f8"),
        ("depth_bid", "f8"),
        ("depth_ask", "f8"),
        ("slope", "f8"),
        ("levels", LEVELS_DTYPE),  # room for the regression of `slope`, nothing is kept in it
        # trades
        ("trade_n", "i8"),
        ("lots", "f8"),
        ("usd", "f8"),
        ("signed_usd", "f8"),
        ("swept", "f8"),
        ("runlen", "i8"),
        ("bursts", "i8"),  # bursts and traded frames since birth
        ("traded_frames", "i8"),
        # context
        ("ctx_ms", "i8"),
        ("oi", "f8"),
        ("funding", "f8"),
        ("oracle", "f8"),
        ("oi_prev", "f8"),
        # rolling
        ("mid2_prev", "i8"),
        ("rv_sum", "f8"),
        ("rv_weight", "f8"),
        ("hist_weight", "f8"),
        ("ranges", "i8"),
        ("bar_at", "i8"),
        ("ring_mid2", "i8", (BAR_CAPACITY,)),
        ("ring_high", "i8", (BAR_CAPACITY,)),
        ("ring_fall", "i8", (BAR_CAPACITY,)),  # lows, negated
        ("high_queue", QUEUE_DTYPE),
        ("fall_queue", QUEUE_DTYPE),
        ("volume_mass", "f8", (BINS,)),
        ("volume_below", "f8", (BINS + 1,)),
        ("burst_mass", "f8", (BINS,)),
        ("burst_below", "f8", (BINS + 1,)),
        ("range_mass", "f8", (BINS,)),
        ("range_below", "f8", (BINS + 1,)),
    ]
)


def new_params(manifest: Manifest) -> NDArray[np.void]:
    """Return the one-element parameter record; raises `ConfigError` for a cadence outside 50-1000 ms or uneven."""
    cadence, gap = manifest.kernel.cadence_ms, manifest.kernel.gap_ms
    if not 50 <= cadence <= 1_000 or manifest.kernel.window_ms % cadence or BAR_MS % cadence:
        expected = "50 to 1000 ms, dividing the window and one minute"
        raise ConfigError(f"cadence_ms = {cadence}", expected, "a typing error in lotus.toml")
    if gap < cadence:
        raise ConfigError(f"gap_ms = {gap}", f"at least one frame ({cadence} ms)", "a typing error in lotus.toml")
    params = np.zeros(1, PARAMS_DTYPE)
    params["cadence_ms"], params["gap_ms"], params["bar_n"] = cadence, gap, BAR_MS // cadence
    params["per_minute"] = 60_000.0 / cadence
    params["hist_growth"] = mathx.exp(_LN2 * cadence / HIST_HALF_LIFE_MS)
    params["rv_decay"] = mathx.exp(-_LN2 * cadence / RV_HALF_LIFE_MS)
    return params


def new_state(universe: Sequence[Asset]) -> NDArray[np.void]:
    """Return one blank record per asset; a rebirth copies the blank record back."""
    state = np.zeros(len(universe), STATE_DTYPE)
    state["lot"] = [1.0 / 10**asset.sz_decimals for asset in universe]
    for name in ("top_ms", "deep_ms", "fast_ms", "ctx_ms"):
        state[name] = NO_TIME_YET
    for name in ("imb_5", "imb_10", "depth_bid", "depth_ask", "slope", "oi", "funding", "oracle", "oi_prev"):
        state[name] = np.nan
    state["high2"], state["low2"] = EMPTY_HIGH, EMPTY_LOW
    state["hist_weight"] = 1.0
    return state


def max_rows(params: NDArray[np.void]) -> int:
    """Return the largest number of frames that one message can close: those of a silence of exactly `gap_ms`."""
    return int(params["gap_ms"][0] // params["cadence_ms"][0]) + 2


_LN2: Final[float] = 0.6931471805599453
