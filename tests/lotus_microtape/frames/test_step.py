"""Columns of the prints: trades, sweeps, what left without trading, late messages."""

import math

import numpy as np
import pytest
from few_events import BBO, TRADES, T, frames_of

from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import LATE


def bbo(bid: int, bid_sz: int, ask: int, ask_sz: int) -> tuple[int, ...]:
    return (bid, bid_sz, 1, ask, ask_sz, 1)


def prints(*rows: tuple[int, int, int, int]) -> tuple[int, ...]:
    return tuple(v for k, (px, sz, side, at) in enumerate(rows) for v in (px, sz, side, T + at, k))


def value(frames: FrameBatch, name: str, row: int) -> float:
    return float(frames.columns()[name][row])


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
