"""Columns of the books: top, values and ages, one-sided and crossed quotes."""

import math

import numpy as np
import pytest
from few_events import BBO, BOOK, FAST, T, frames_of

from lotus.microtape.events import EventKind, book_values
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import CROSSED, NO_QUOTE, STALE_BOOK, STALE_CTX, WARMUP


def bbo(bid: int, bid_sz: int, ask: int, ask_sz: int) -> tuple[int, ...]:
    return (bid, bid_sz, 1, ask, ask_sz, 1)


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
