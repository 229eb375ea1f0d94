"""The known effect on the real recording of 4 September 2025: the best sizes of BTC lean towards its next second.

The known figure is a correlation of 0.40 between top-of-book imbalance and the next 1 s move of the mid. It comes out
when every message that set the top of book counts once; over frames of 200 ms, where quiet times count as much as busy
ones, it is a little less.
"""

import gzip
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines
from lotus.outcomes.sanity import BELOW_COST, HORIZONS_S, Columns, frame_series, sanity_table

from .plain_relation import pearson

RECORDING = Path(__file__).resolve().parents[3] / "shared" / "data" / "hyperliquid-2025-09-04" / "frames.jsonl.gz"
KNOWN, WITHIN = 0.40, 0.05
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not RECORDING.exists(), reason=f"the real recording {RECORDING} is not beside the checkout"),
]


@cache
def frames() -> FrameBatch:
    universe = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2))
    return build_frames(decode_lines(gzip.decompress(RECORDING.read_bytes()), universe)[0], Manifest(), universe)


@cache
def table() -> Columns:
    return sanity_table(frames(), frame_series(frames()), Manifest().outcomes.taker_fee_bps)


def value(series: str, asset: str, horizon_s: int, column: str) -> float:
    t = table()
    (k,) = np.flatnonzero((t["series"] == series) & (t["asset"] == asset) & (t["horizon_s"] == horizon_s))
    found: float = t[column][k]
    return found


def test_the_imbalance_of_btc_goes_with_its_next_second_as_known() -> None:
    assert value("imb_1", "BTC", 1, "pearson") == pytest.approx(KNOWN, abs=WITHIN)
    assert value("imb_1", "BTC", 1, "pearson_low") <= KNOWN <= value("imb_1", "BTC", 1, "pearson_high")
    for asset in ("BTC", "ETH", "SOL", "all"):
        assert value("imb_1", asset, 1, "pearson_low") > 0.1, asset


def test_at_every_change_of_the_top_it_is_the_known_number() -> None:
    """A second way to the number, from quotes instead of frames: each quote against the last one a second later."""
    quotes = frames().quote_columns(0)
    bid, ask, t = (quotes[name].astype(np.float64) for name in ("bid_px", "ask_px", "time_ms"))
    b, a = quotes["bid_sz"].astype(np.float64), quotes["ask_sz"].astype(np.float64)
    mid, lean = (bid + ask) / 2, (b - a) / (b + a)
    later = np.searchsorted(t, t + 1_000, side="right") - 1
    gaps = frames().gap_columns(0)
    whole = (t + 1_000 <= t[-1]) & (t[later] > t)
    for start, end in zip(gaps["start_ms"], gaps["end_ms"], strict=True):
        whole &= (t + 1_000 <= start) | (t >= end)
    found = pearson(lean[whole], (1e4 * (mid[later] / mid - 1))[whole], t[whole] // 60_000)
    assert whole.sum() > 10_000
    assert found.value == pytest.approx(KNOWN, abs=0.02)
    assert found.low < KNOWN < found.high


def test_the_known_effect_does_not_pay_a_taker() -> None:
    """Right about the direction at 1, 5 and 30 s, and nowhere near spread and fees; at 300 s nothing can be said."""
    for horizon_s in HORIZONS_S[:3]:
        assert value("imb_1", "BTC", horizon_s, "verdict") == BELOW_COST
        assert value("imb_1", "BTC", horizon_s, "net_bps") < -8.0
    assert np.isnan(value("imb_1", "BTC", 300, "mean_low_bps"))
