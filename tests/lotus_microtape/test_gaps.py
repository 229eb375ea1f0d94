"""Gaps and sessions on hand-made events."""

import pytest
from quote_tapes import BBO, BOOK, CTX, DAY, TRADES, _tape

from lotus.errors import TapeError
from lotus.microtape.gaps import Gap, find_gaps, parse_session, read_clocks, session_pieces
from lotus.timebase import HOUR_MS

GAP = 10_000


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
