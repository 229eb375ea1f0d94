"""Gaps, sessions, staleness and completeness on hand-made events and on the recordings."""

import numpy as np
import pytest
from tape_cases import UNIVERSE, recording

from lotus.errors import TapeError
from lotus.manifest import Manifest
from lotus.microtape.completeness import (
    TAPE_COMPLETENESS,
    Framed,
    completeness,
    find_stale,
    framed_prints,
    stale_columns,
)
from lotus.microtape.decode import decode_lines
from lotus.microtape.events import NO_TIME, EventBatch, EventInput, EventKind, build_batch, empty_batch
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_spec import C_TRADE_N
from lotus.microtape.gaps import Gap, find_gaps, parse_session, read_clocks, session_pieces
from lotus.timebase import HOUR_MS, day_start_ms

GAP = 10_000
DAY = day_start_ms("2025-09-04")
BBO, TRADES, CTX, BOOK = EventKind.BBO, EventKind.TRADES, EventKind.CTX, EventKind.BOOK


def _tape(*events: tuple[EventKind, int] | tuple[EventKind, int, int]) -> EventBatch:
    """Build events (kind, ms after 08:00[, asset]); the receive stamp is 400 ms behind the latest venue time."""
    start, latest, rows = DAY + 8 * HOUR_MS, 0, []
    for seq, (kind, offset, *asset) in enumerate(events):
        latest = max(latest, offset)
        time_ms = NO_TIME if kind == CTX else start + offset
        recv_ns = (start + latest + 400) * 1_000_000
        values = {BBO: (1, 1, 1, 2, 1, 1), BOOK: (0, 0), CTX: (0,) * 8}.get(kind, (5, 1, 1, time_ms, seq))
        rows.append(EventInput(recv_ns, time_ms, seq, kind, asset[0] if asset else 0, values))
    return build_batch(rows)


def _spans(gaps: list[Gap]) -> list[tuple[int, int, int]]:
    start = DAY + 8 * HOUR_MS
    return [(gap.asset, gap.start_ms - start, gap.end_ms - start) for gap in gaps]


def test_silence_beyond_the_limit_is_a_gap() -> None:
    tape = _tape((BBO, 0), (BBO, 10_000), (BBO, 20_001), (BBO, 20_002))
    (gap,) = find_gaps(tape, 1, GAP)
    assert _spans([gap]) == [(0, 10_000, 20_001)]
    assert (gap.seq, gap.edge, gap.seconds) == (2, False, 10.001)


def test_any_channel_keeps_an_asset_alive_but_contexts_have_no_time() -> None:
    alive = _tape((BBO, 0), (TRADES, 9_000), (BOOK, 18_000), (TRADES, 27_000), (BBO, 36_000))
    assert find_gaps(alive, 1, GAP) == []
    only_contexts = _tape((BBO, 0), (CTX, 0), (CTX, 0), (BBO, 12_000))
    assert _spans(find_gaps(only_contexts, 1, GAP)) == [(0, 0, 12_000)]


def test_replayed_prints_are_no_progress() -> None:
    late = _tape((BBO, 0), (TRADES, -40_000), (BBO, 9_000))
    assert find_gaps(late, 1, GAP) == []
    replay = _tape((BBO, 0), (TRADES, 45_000), (BOOK, 50_000), (TRADES, 46_000), (BBO, 51_000))
    assert _spans(find_gaps(replay, 1, GAP)) == [(0, 0, 50_000)]


def test_fresh_prints_end_the_silence_of_dead_quotes() -> None:
    trading = [(TRADES, offset) for offset in range(1_000, 60_001, 1_000)]
    tape = _tape((BBO, 0), *trading)
    assert find_gaps(tape, 1, GAP) == [], "prints that follow each other are no silence"
    paused = _tape((BBO, 0), (TRADES, 30_000), (TRADES, 30_400), *[(TRADES, k) for k in range(31_000, 60_001, 500)])
    assert _spans(find_gaps(paused, 1, GAP)) == [(0, 0, 31_000)], "a second print, a second after the first"
    assert read_clocks(paused, 1, GAP).last[0] == DAY + 8 * HOUR_MS + 60_000


def test_prints_before_the_first_quote_are_no_silence_but_count_on_a_tape_of_trades() -> None:
    assert find_gaps(_tape((TRADES, -40_000), (BOOK, 0), (BBO, 500)), 1, GAP) == []
    trades = _tape((TRADES, 0), (TRADES, 5_000), (TRADES, 30_000))
    assert _spans(find_gaps(trades, 1, GAP)) == [(0, 5_000, 30_000)]


def test_edges_of_a_tape_without_sessions_are_those_of_its_other_assets() -> None:
    tape = _tape((BBO, 0), (BBO, 8_000), (BBO, 15_000, 1), (BBO, 16_000), (BBO, 24_000), (BBO, 30_000))
    assert _spans(find_gaps(tape, 3, GAP)) == [(1, 0, 15_000), (1, 15_000, 30_000)]
    assert all(gap.edge for gap in find_gaps(tape, 3, GAP))


def test_sessions_expect_every_asset_and_nothing_outside() -> None:
    steps = [(BBO, offset) for offset in range(0, 30 * 60_000, 5_000)]
    sessions = [parse_session("08:00", "08:30"), parse_session("15:00", "15:10")]
    later = [(BBO, offset + 7 * HOUR_MS) for offset in range(15_000, 10 * 60_000, 5_000)]
    gaps = find_gaps(_tape(*steps, *later), 2, GAP, sessions)
    whole = [(1, 0, 30 * 60_000), (1, 7 * HOUR_MS, 7 * HOUR_MS + 600_000)]
    assert _spans(gaps) == [(0, 7 * HOUR_MS, 7 * HOUR_MS + 15_000), *whole]
    assert all(gap.edge for gap in gaps)


def test_session_pieces_cross_days() -> None:
    sessions = [parse_session("22:00", "24:00"), parse_session("01:00", "02:00")]
    start = DAY + 23 * HOUR_MS
    assert session_pieces(start, start + 4 * HOUR_MS, sessions) == [
        (start, start + HOUR_MS),
        (start + 2 * HOUR_MS, start + 3 * HOUR_MS),
    ]


@pytest.mark.parametrize(("start", "end"), [("8", "9:00"), ("09:00", "08:00"), ("00:00", "24:01"), ("aa:00", "10:00")])
def test_hours_that_are_none(start: str, end: str) -> None:
    with pytest.raises(TapeError, match=r"session"):
        parse_session(start, end)


def test_a_stale_channel_is_found_unless_its_asset_was_in_a_gap() -> None:
    steps = [(BOOK, offset) for offset in range(0, 20_000, 500)]
    tape = _tape((BBO, 0), *steps, (BBO, 20_000), (BOOK, 20_001), (BOOK, 50_000), (BBO, 50_001))
    gaps = find_gaps(tape, 1, GAP)
    stale = find_stale(tape, 1, gaps)
    assert [(one.channel, one.end_ms - one.start_ms) for one in stale] == [("bbo", 20_000)]
    assert stale_columns(stale)["channel"].tolist() == ["bbo"]


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
    assert framed_prints(late, _frames(late)) == [Framed(2, 2, 0)], "both wait in the frame that is still open"
    broken = _tape(*quotes, (TRADES, 20_000), (BBO, 60_000), *[(BBO, offset) for offset in range(60_500, 70_000, 500)])
    assert framed_prints(broken, _frames(broken)) == [Framed(1, 1, 0)], "a gap leaves its frame open"
    whole = _tape(*quotes, (TRADES, 20_100), (BBO, 20_600), (BBO, 21_000), (BBO, 21_500))
    frames = _frames(whole)
    assert framed_prints(whole, frames) == [Framed(1, 0, 0)]
    frames.floats[:, C_TRADE_N] = 0.0
    assert framed_prints(whole, frames) == [Framed(1, 1, 1)], "nothing explains this one"


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
