"""Every column against a value worked out by hand on a few events."""

import math

import numpy as np
import pytest

from lotus.manifest import Asset, Manifest
from lotus.microtape.events import NULL, EventInput, EventKind, book_values, build_batch
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_spec import CROSSED, GAP_BEFORE, LATE, NO_QUOTE, STALE_BOOK, STALE_CTX, WARMUP

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


def bbo(bid: int, bid_sz: int, ask: int, ask_sz: int) -> tuple[int, ...]:
    return (bid, bid_sz, 1, ask, ask_sz, 1)


def prints(*rows: tuple[int, int, int, int]) -> tuple[int, ...]:
    return tuple(v for k, (px, sz, side, at) in enumerate(rows) for v in (px, sz, side, T + at, k))


def value(frames: FrameBatch, name: str, row: int) -> float:
    return float(frames.columns()[name][row])


def test_top_of_book_columns() -> None:
    frames = frames_of(
        (0, BBO, bbo(9_990, 30, 10_010, 10)), (250, BBO, bbo(9_995, 10, 10_015, 10)), (400, BBO, bbo(1, 1, 2, 1))
    )
    assert frames.ints[:, 6].tolist() == [20_000, 20_010]
    assert value(frames, "mid", 0) == 10_000
    assert value(frames, "spread_bps", 0) == pytest.approx(20.0)
    assert value(frames, "imb_1", 0) == 0.5
    assert value(frames, "micro_drift_bps", 0) == pytest.approx(
        1e4 * ((10_010 * 30 + 9_990 * 10) / 40 - 10_000) / 10_000
    )
    assert math.isnan(value(frames, "ret_bps", 0))
    assert value(frames, "ret_bps", 1) == pytest.approx(5.0)
    assert value(frames, "rv_bps", 1) == pytest.approx(math.sqrt(300) * 5.0)
    assert frames.ints[:, 4].tolist() == [1, 2]
    assert frames.ints[:, 3].tolist() == [(T + 1) * 1_000_000 + 1, (T + 2) * 1_000_000 + 2]


def test_books_keep_their_value_and_age() -> None:
    deep = book_values(
        [(1_000, 10, 1), (999, 20, 1), (998, 30, 1), (997, 0, 1), (996, 40, 1), (995, 100, 1)],
        [(1_002, 10, 1), (1_003, 10, 1), (1_004, 10, 1), (1_005, 10, 1), (1_006, 10, 1), (1_007, 50, 1)],
    )
    fast = book_values([(1_000, 10, 1)], [(1_002, 30, 1)])
    frames = frames_of((0, BOOK, deep), (300, FAST, fast), (601, BBO, bbo(1_000, 1, 1_002, 1)))
    assert [value(frames, "imb_5", k) for k in range(3)] == [50 / 150, -0.5, -0.5]
    assert [value(frames, "imb_10", k) for k in range(3)] == [100 / 300] * 3
    usd = (1_000 * 10 + 999 * 20 + 998 * 30 + 996 * 40 + 995 * 100) * 1e-6
    assert value(frames, "depth_bid_usd", 2) == pytest.approx(usd)
    assert [value(frames, "book_age_ms", k) for k in range(3)] == [200, 400, 600]
    x, y = [], []
    for side in (deep[2:20], deep[20:]):
        for px, cumulated in zip(side[0::3], np.cumsum(side[1::3]), strict=True):
            x.append(abs(px - 1_001) / 1_001 * 1e4)
            y.append(math.log(cumulated))
    assert value(frames, "depth_slope", 0) == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-9)
    assert frames.ints[:, 5].tolist() == [STALE_CTX | WARMUP] * 3


def test_trades_of_a_frame() -> None:
    frames = frames_of(
        (0, BBO, bbo(1_000, 100, 1_001, 100)),
        (50, TRADES, prints((1_001, 30, 1, 50), (1_001, 10, 1, 50), (1_000, 20, -1, 50))),
        (210, TRADES, prints((1_000, 5, -1, 210))),
        (400, BBO, bbo(1_000, 100, 1_001, 100)),
    )
    usd = (1_001 * 40 + 1_000 * 20) * 1e-6
    assert value(frames, "volume_usd", 0) == pytest.approx(usd)
    assert value(frames, "aggr_imb", 0) == pytest.approx((1_001 * 40 - 1_000 * 20) * 1e-6 / usd)
    assert frames.columns()["trade_n"].tolist() == [3, 1]
    assert frames.columns()["runlen_aggr"].tolist() == [-1, -2]
    assert frames.columns()["sweep"].tolist() == [0, 0]
    assert math.isnan(value(frames, "vol_rel", 0))


def test_a_burst_over_three_levels_is_a_sweep() -> None:
    up = prints((1_001, 1, 1, 10), (1_002, 1, 1, 10), (1_003, 1, 1, 10))
    two = prints((1_000, 50, -1, 210), (999, 50, -1, 210))
    split = prints((1_000, 1, -1, 410), (999, 1, -1, 410), (998, 1, -1, 411))
    quote = bbo(1_000, 9, 1_001, 9)
    frames = frames_of((0, BBO, quote), (10, TRADES, up), (210, TRADES, two), (411, TRADES, split), (600, BBO, quote))
    assert frames.columns()["sweep"].tolist() == [1, 0, 0]


def test_a_burst_of_q99_size_is_a_sweep() -> None:
    quote = bbo(1_000, 9, 1_001, 9)
    small = [(k * 200, TRADES, prints((1_001, 10_000 + k, 1, k * 200))) for k in range(120)]
    big = (120 * 200, TRADES, prints((1_000, 80_000, -1, 120 * 200)))
    frames = frames_of((0, BBO, quote), *small, big, (121 * 200, BBO, quote))
    sweep = frames.columns()["sweep"]
    assert sweep[-1] == -1
    assert np.mean(sweep[:100]) == 0
    volume = frames.columns()["vol_rel"]
    assert np.all(np.isnan(volume[:32]))
    assert volume[-1] == pytest.approx(8.0, rel=0.15)


def test_cancel_rate_counts_what_left_without_trading() -> None:
    frames = frames_of(
        (0, BBO, bbo(1_000, 100, 1_002, 50)),  # shown 150
        (10, BBO, bbo(1_000, 60, 1_002, 50)),  # removed 40
        (20, TRADES, prints((1_000, 15, -1, 20))),  # traded 15
        (30, BBO, bbo(999, 200, 1_002, 70)),  # removed 60, shown 200 + 20
        (200, BBO, bbo(999, 200, 1_001, 10)),  # next frame: shown 270 + 10
        (400, BBO, bbo(999, 1, 1_001, 1)),
    )
    assert value(frames, "cancel_rate", 0) == pytest.approx((40 + 60 - 15) / (150 + 220))
    assert value(frames, "cancel_rate", 1) == 0.0


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


def test_one_sided_null_and_crossed_quotes() -> None:
    quote = bbo(1_000, 5, 1_002, 5)
    frames = frames_of(
        (0, BBO, quote),
        (200, BBO, (0, 0, 0, 1_002, 5, 1)),
        (400, BBO, (0, 0, 0, 0, 0, 0)),
        (600, BBO, quote),
        (610, EventKind.CROSSED, ()),
        (800, FAST, book_values([], [(1_002, 5, 1)])),
        (1_000, BBO, quote),
    )
    quality, mid2 = frames.ints[:, 5], frames.ints[:, 6]
    assert ((quality & NO_QUOTE) > 0).tolist() == [False, True, True, False, True]
    assert ((quality & CROSSED) > 0).tolist() == [False, False, False, True, False]
    assert mid2.tolist() == [2_002, 0, 0, 2_002, 0]
    assert np.isnan(frames.columns()["imb_5"]).all()
    assert np.isnan(frames.columns()["ret_bps"]).all()
    assert np.all(quality & STALE_BOOK)
    assert len(frames.quotes) == 3


def test_older_messages_count_in_the_open_frame() -> None:
    quote = bbo(1_000, 5, 1_002, 5)
    frames = frames_of(
        (0, BBO, quote),
        (250, TRADES, prints((1_002, 5, 1, 100), (1_002, 7, 1, 250))),  # one print is older than the frame
        (450, BBO, bbo(1_001, 5, 1_003, 5)),
        (300, BBO, quote),  # an older quote is no news
        (150, TRADES, prints((1_002, 9, 1, 150))),
        (600, BBO, quote),
    )
    assert ((frames.ints[:, 5] & LATE) > 0).tolist() == [False, True, True]
    assert frames.columns()["trade_n"].tolist() == [0, 2, 1]
    assert frames.ints[:, 6].tolist() == [2_002, 2_002, 2_004]
    assert len(frames.quotes) == 3


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
