"""The days of the pages: those of the tape, and on while it grows."""

import pytest

from lotus.errors import ConfigError
from lotus_resources.span import EARLIEST, DaySpan, span_of, span_of_environment

DAYS = ["2026-01-05", "2026-01-06", "2026-01-18"]


@pytest.mark.parametrize(
    ("days", "today", "asked", "expected"),
    [
        (DAYS, "2026-11-24", {}, DaySpan("2026-01-05", "2026-01-18")),
        (DAYS, "2026-01-20", {}, DaySpan("2026-01-05", "2026-01-18")),
        (DAYS, "2026-01-19", {}, DaySpan("2026-01-05")),
        (DAYS, "2026-01-18", {}, DaySpan("2026-01-05")),
        (DAYS, "2026-11-24", {"grows": True}, DaySpan("2026-01-05")),
        (DAYS, "2026-11-24", {"first_day": "2025-06-01"}, DaySpan("2025-06-01", "2026-01-18")),
        ([], "2026-11-24", {}, DaySpan("2026-11-24")),
    ],
)
def test_days_begin_with_the_tape_and_end_with_one_that_grows_no_more(days, today, asked, expected):
    span = span_of(days, today, **asked)
    assert span == expected
    assert all(day in span for day in days if day >= span.first)
    assert span_of_environment(span.environment) == span


def test_without_a_word_all_days_are_shown():
    assert span_of_environment({}) == DaySpan(EARLIEST)
    assert "2022-12-31" not in DaySpan()
    assert "2199-01-01" in DaySpan()
    assert "2026-01-19" not in DaySpan("2026-01-05", "2026-01-18")


def test_a_first_day_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"dagster\.first_day is 'soon'; expected: YYYY-MM-DD"):
        span_of(DAYS, "2026-11-24", "soon")
