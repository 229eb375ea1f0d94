"""Bars of frames against plain lists: extremes, deviation and weighted price of whole bars in a row."""

import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import ConfigError
from lotus.triggers.bars import Bars

FRAME_MS, BAR_MS = 200, 1_000
MIDS = st.lists(st.floats(90.0, 110.0), min_size=21, max_size=40)


def fed(mids: list[float | None], start_ms: int = 0) -> Bars:
    """Return bars that took one frame each 200 ms, each with 100 USD traded."""
    bars = Bars(BAR_MS, FRAME_MS, 3)
    for k, mid in enumerate(mids, 1):
        bars.take(start_ms + k * FRAME_MS, mid, 100.0)
    return bars


@given(MIDS)
def test_levels_are_those_of_the_last_whole_bars(mids: list[float]) -> None:
    whole = [mids[k : k + 5] for k in range(0, (len(mids) - 1) // 5 * 5, 5)][-3:]
    facts = fed(list(mids)).facts(3)
    assert facts is not None
    assert (facts.high, facts.low) == (max(map(max, whole)), min(map(min, whole)))
    changes = [b[-1] - a[-1] for a, b in pairwise(whole)]
    assert facts.sigma == pytest.approx(statistics.stdev(changes), abs=1e-9)
    assert facts.usd == pytest.approx(1_500.0)
    assert facts.coins == pytest.approx(sum(100.0 / mid for bar in whole for mid in bar))


@given(MIDS)
def test_a_bar_without_any_mid_breaks_the_row(mids: list[float]) -> None:
    assert fed([*mids[:10], *[None] * 5, *mids[:10], mids[0]]).facts(3) is None
    assert fed([*mids[:10], *[None] * 5, *mids[:15], mids[0]]).facts(3) == fed([*mids[:15], mids[0]]).facts(3)


def test_a_bar_that_was_not_seen_from_its_first_frame_is_not_whole() -> None:
    mids: list[float | None] = [100.0 + k % 3 for k in range(16)]
    assert fed(mids).facts(3) is not None
    assert fed(mids, FRAME_MS).facts(3) is None


def test_bars_that_frames_do_not_fill_are_refused() -> None:
    with pytest.raises(ConfigError, match="a multiple of the frame of 300 ms"):
        Bars(BAR_MS, 300, 1)
