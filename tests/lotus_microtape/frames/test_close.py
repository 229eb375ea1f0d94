"""Columns of a closed frame by hand: context, the rolling bar, silence and outages."""

import math

import numpy as np
import pytest
from few_events import BBO, CTX, TRADES, Row, T, frames_of

from lotus.microtape.events import NULL
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import GAP_BEFORE, WARMUP


def bbo(bid: int, bid_sz: int, ask: int, ask_sz: int) -> tuple[int, ...]:
    return (bid, bid_sz, 1, ask, ask_sz, 1)


def prints(*rows: tuple[int, int, int, int]) -> tuple[int, ...]:
    return tuple(v for k, (px, sz, side, at) in enumerate(rows) for v in (px, sz, side, T + at, k))


def value(frames: FrameBatch, name: str, row: int) -> float:
    return float(frames.columns()[name][row])


def test_context_columns_and_its_stamp() -> None:
    ctx = (12_500_000, 1_000, 9_980, 9_981, 19_960, 0, NULL, NULL)
    more = (12_500_000, 1_010, 10_000, 9_981, 19_960, 0, NULL, NULL)
    quote = bbo(9_990, 1, 10_010, 1)
    frames = frames_of(
        (0, CTX, more), (100, BBO, quote), (0, CTX, ctx), (200, BBO, quote), (0, CTX, more), (400, BBO, quote)
    )
    assert value(frames, "oi", 0) == 10.0
    assert value(frames, "oi_delta", 1) == pytest.approx(100.0)
    assert math.isnan(value(frames, "oi_delta", 0))
    assert value(frames, "funding_bps_h", 0) == pytest.approx(0.125)
    assert value(frames, "basis_bps", 0) == pytest.approx(1e4 * 20 / 9_980)
    assert value(frames, "basis_bps", 1) == 0.0
    assert frames.columns()["ctx_age_ms"].tolist() == [100, 200]


def test_the_rolling_bar() -> None:
    mids = [10_000] * 5 + [10_050] + [9_900] + [10_020] * 400
    rows: list[Row] = [(k * 200, BBO, bbo(m - 10, 5, m + 10, 5)) for k, m in enumerate(mids)]
    rows.insert(3, (2 * 200 + 100, BBO, bbo(10_090, 5, 10_110, 5)))  # inside frame 2, back before its end
    rows.insert(4, (2 * 200 + 150, BBO, bbo(9_990, 5, 10_010, 5)))
    columns = frames_of(*rows).columns()
    assert np.all(np.isnan(columns["body_bps"][:300]))
    scale = 1e4 / 10_020
    assert columns["body_bps"][300] == pytest.approx(20 * scale)
    assert columns["wick_up_bps"][300] == pytest.approx((10_100 - 10_020) * scale)
    assert columns["wick_dn_bps"][300] == pytest.approx((10_000 - 9_900) * scale)
    assert columns["close_loc"][300] == pytest.approx(120 / 200)
    assert columns["wick_up_bps"][303] == pytest.approx((10_050 - 10_020) * scale)  # the spike has left the bar
    assert columns["body_bps"][-1] == 0.0
    assert columns["close_loc"][-1] == 0.5
    assert np.array_equal((columns["quality"] & WARMUP) > 0, np.arange(len(columns["mid"])) < 300)


def test_silence_carries_and_an_outage_is_a_gap() -> None:
    quote = bbo(1_000, 5, 1_002, 5)
    old = prints((1_002, 5, 1, 9_500), (1_002, 6, 1, 30_010))
    frames = frames_of(
        (0, BBO, quote),
        (10_000, BBO, quote),  # exactly the limit: 50 frames at once
        (10_050, TRADES, prints((1_002, 5, 1, 10_050))),
        (30_000, BBO, quote),  # beyond: the open frame is dropped
        (30_020, TRADES, old),  # the print from before the birth belongs to the gap
        (30_200, BBO, quote),
        (60_000, TRADES, prints((1_002, 5, 1, 60_000))),  # a replayed print does not end the silence
        (30_450, BBO, quote),
    )
    assert frames.gaps.tolist() == [[0, T + 10_050, T + 30_000, 3]]
    assert len(frames) == 50 + 2
    columns = frames.columns()
    assert columns["mid"][:50].tolist() == [1_001] * 50
    assert columns["frame_idx"][50] == (T + 30_200) // 200
    assert columns["quality"][50] & GAP_BEFORE
    assert columns["trade_n"].tolist()[50:] == [1, 1]
    assert math.isnan(columns["ret_bps"][50])
    assert columns["gap_flag"].tolist() == [0] * 50 + [1, 0]
