"""Days, blocks and sessions of event time: each follows the other, and every moment is in one of them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lotus.timebase import (
    BLOCK_MS,
    DAY_MS,
    HOUR_MS,
    NS_PER_MS,
    Session,
    birth_ns,
    block_of,
    day_of,
    day_start_ms,
    days_between,
    next_day,
    session_of,
)

MOMENTS = st.integers(0, 4_102_444_800_000)  # until 2100


@given(MOMENTS)
def test_a_moment_is_inside_its_day_and_its_block(time_ms: int) -> None:
    begin = day_start_ms(day_of(time_ms))
    assert begin <= time_ms < begin + DAY_MS
    assert begin + block_of(time_ms) * BLOCK_MS <= time_ms < begin + (block_of(time_ms) + 1) * BLOCK_MS
    assert birth_ns(day_of(time_ms)) == (begin - 2 * HOUR_MS) * NS_PER_MS


@given(MOMENTS, st.integers(-800, 800))
def test_steps_of_days_are_those_of_the_calendar(time_ms: int, step: int) -> None:
    day = day_of(time_ms)
    assert day_start_ms(next_day(day, step)) == day_start_ms(day) + step * DAY_MS
    assert len(days_between(*sorted((day, next_day(day, step))))) == abs(step) + 1


@given(MOMENTS)
def test_the_session_follows_weekday_and_hour(time_ms: int) -> None:
    at = datetime.fromtimestamp(time_ms / 1000, UTC)
    by_hour = {range(7, 13): Session.EU, range(13, 22): Session.US}
    wanted = next((session for hours, session in by_hour.items() if at.hour in hours), Session.ASIA)
    assert session_of(time_ms) == (Session.WEEKEND if at.weekday() >= 5 else wanted)
