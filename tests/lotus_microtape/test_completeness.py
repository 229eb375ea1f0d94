"""Completeness of a day: covered seconds, stale channels, prints that no frame counts."""

import numpy as np
import pytest
from quote_tapes import BBO, BOOK, CTX, DAY, TRADES, _tape
from tape_cases import UNIVERSE, recording

from lotus.manifest import Manifest
from lotus.microtape.completeness import (
    TAPE_COMPLETENESS,
    Framed,
    completeness,
    find_stale,
    framed_prints,
    prints_of,
)
from lotus.microtape.events import EventBatch, empty_batch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.spec import C_TRADE_N
from lotus.microtape.gaps import Gap, find_gaps, parse_session, read_clocks
from lotus.microtape.wire.decode import decode_lines
from lotus.timebase import HOUR_MS

GAP = 10_000


def _spans(gaps: list[Gap]) -> list[tuple[int, int, int]]:
    start = DAY + 8 * HOUR_MS
    return [(gap.asset, gap.start_ms - start, gap.end_ms - start) for gap in gaps]


def test_a_stale_channel_is_found_unless_its_asset_was_in_a_gap() -> None:
    steps = [(BOOK, offset) for offset in range(0, 20_000, 500)]
    tape = _tape((BBO, 0), *steps, (BBO, 20_000), (BOOK, 20_001), (BOOK, 50_000), (BBO, 50_001))
    gaps = find_gaps(tape, 1, GAP)
    stale = find_stale(tape, 1, gaps)
    assert [(one.channel, one.end_ms - one.start_ms) for one in stale] == [("bbo", 20_000)]


def test_a_channel_that_never_comes_back_is_stale_to_the_tapes_end() -> None:
    steps = [(BOOK, offset) for offset in range(0, 90_001, 500)]
    tape = _tape((BBO, 0), (CTX, 0), *steps)
    stale = find_stale(tape, 1, find_gaps(tape, 1, GAP))
    assert [(one.channel, one.end_ms - one.start_ms) for one in stale] == [("bbo", 90_000), ("ctx", 90_000)]
    quiet = _tape((BBO, 0), *steps[:3], *[(BOOK, offset, 1) for offset in range(0, 90_001, 500)])
    assert find_stale(quiet, 2, find_gaps(quiet, 2, GAP)) == [], "the asset itself was silent: that is its gap"


def test_a_coin_that_trades_before_its_first_quote_is_one_gap_and_no_presence() -> None:
    early = [(TRADES, offset, 1) for offset in (0, 4_000, 30_000, 34_000, 90_000)]
    quotes = [(BBO, offset, 1) for offset in range(120_000, 180_001, 1_000)]
    tape = _tape(
        *sorted([*early, *quotes, *[(BBO, offset) for offset in range(0, 180_001, 1_000)]], key=lambda x: x[1])
    )
    gaps = find_gaps(tape, 2, GAP)
    assert _spans(gaps) == [(1, 0, 120_000)]
    columns = completeness(tape, 2, GAP)
    mine = columns["asset"] == 1
    assert float((columns["expected_s"] - columns["covered_s"])[mine].sum()) == 120.0
    assert columns["trades"][mine].sum() == 5, "its prints are counted all the same"


def test_completeness_counts_messages_and_covered_seconds() -> None:
    steps = [(BBO, offset) for offset in range(0, 90_001, 1_000)]
    tape = _tape(*steps, (TRADES, 90_000), (CTX, 90_000), (BBO, 150_000), (BOOK, 155_000))
    columns = completeness(tape, 2, GAP)
    assert tuple(columns) == TAPE_COMPLETENESS.names
    assert columns["asset"].tolist() == [0, 0, 0]
    assert columns["messages"].tolist() == [60, 33, 2]
    assert columns["bbos"].tolist() == [60, 31, 1]
    assert (columns["trades"].tolist(), columns["ctxs"].tolist()) == ([0, 1, 0], [0, 1, 0])
    assert columns["covered_s"].tolist() == [60.0, 30.0, 5.0]
    assert columns["expected_s"].tolist() == [60.0, 60.0, 35.0]
    assert columns["share"].tolist() == [1.0, 0.5, 5.0 / 35.0]


def test_a_channel_that_dies_is_seen_in_its_own_seconds() -> None:
    quoted = [(BBO, offset) for offset in range(0, 30_001, 1_000)]
    alone = [(TRADES, offset) for offset in range(31_000, 120_001, 1_000)]
    columns = completeness(_tape(*quoted, (CTX, 30_000), (CTX, 30_000), *alone), 1, GAP)
    assert columns["covered_s"].tolist() == [60.0, 60.0]
    assert columns["quoted_s"].tolist() == [30.0, 0.0]
    assert columns["ctx_s"].tolist() == [0.0, 0.0]


def _frames(tape: EventBatch) -> FrameBatch:
    return build_frames(tape, Manifest(), UNIVERSE[:1])


def test_prints_that_no_frame_counts_are_told_with_and_without_a_reason() -> None:
    quotes = [(BBO, offset) for offset in range(0, 20_001, 500)]
    late = _tape(*quotes, (TRADES, 20_000), (TRADES, 12_000))
    waiting = framed_prints(prints_of(late), _frames(late))
    assert waiting == [Framed(2, 2, 0)], "both wait in the frame that is still open"
    broken = _tape(*quotes, (TRADES, 20_000), (BBO, 60_000), *[(BBO, offset) for offset in range(60_500, 70_000, 500)])
    assert framed_prints(prints_of(broken), _frames(broken)) == [Framed(1, 1, 0)], "a gap leaves its frame open"
    whole = _tape(*quotes, (TRADES, 20_100), (BBO, 20_600), (BBO, 21_000), (BBO, 21_500))
    frames = _frames(whole)
    assert framed_prints(prints_of(whole), frames) == [Framed(1, 0, 0)]
    frames.floats[:, C_TRADE_N] = 0.0
    assert framed_prints(prints_of(whole), frames) == [Framed(1, 1, 1)], "nothing explains this one"


def test_completeness_knows_sessions() -> None:
    tape = _tape(*[(BBO, offset) for offset in range(0, 60_001, 1_000)])
    columns = completeness(tape, 2, GAP, [parse_session("08:00", "08:02")])
    assert columns["asset"].tolist() == [0, 0, 1, 1]
    assert columns["share"].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_empty_tape() -> None:
    assert find_gaps(empty_batch(), 2, GAP) == []
    assert all(len(column) == 0 for column in completeness(empty_batch(), 2, GAP).values())
    assert read_clocks(empty_batch(), 2, GAP).span == (-1, -1)


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("hyperliquid-2025-09-03-outages/frames.jsonl.gz", {"BTC": (249, 50), "WLFI": (249, 50)}),
        ("hyperliquid-2025-09-04/frames.jsonl.gz", {"BTC": (17,), "ETH": (17,), "SOL": (17,), "WLFI": (17,)}),
        ("hyperliquid-2025-01-26-raw/btcusd_20250126.gz", {"BTC": ()}),
    ],
)
def test_outages_of_the_recordings(name: str, seconds: dict[str, tuple[int, ...]]) -> None:
    batch, _ = decode_lines(recording(name), UNIVERSE)
    gaps = find_gaps(batch, len(UNIVERSE), GAP)
    for coin, expected in seconds.items():
        row = [asset.name for asset in UNIVERSE].index(coin)
        assert tuple(int(gap.seconds) for gap in gaps if gap.asset == row) == expected
    columns = completeness(batch, len(UNIVERSE), GAP)
    for row in set(columns["asset"].tolist()):
        mine = columns["asset"] == row
        lost = columns["expected_s"][mine].sum() - columns["covered_s"][mine].sum()
        np.testing.assert_allclose(lost, sum(gap.seconds for gap in gaps if gap.asset == row), atol=11.0)
