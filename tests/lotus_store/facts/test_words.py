"""Times and days as people read them."""

from hypothesis import given
from hypothesis import strategies as st

from lotus.timebase import day_of, next_day
from lotus_store.facts.words import NEVER_MS, clock, day_ranges


def test_a_time_beyond_the_year_3000_is_never() -> None:
    assert clock(NEVER_MS) == "never"
    assert clock(0) == "1970-01-01T00:00:00.000+00:00"


@given(st.sets(st.integers(0, 40)))
def test_ranges_hold_every_day_once(offsets: set[int]) -> None:
    days = [day_of(20_000 * 86_400_000 + k * 86_400_000) for k in offsets]
    held: list[str] = []
    for part in day_ranges(days).split(", "):
        first, _, last = part.partition(" to ")
        last = last or first
        while days and first <= last:
            held.append(first)
            first = next_day(first)
    assert held == sorted(days)
