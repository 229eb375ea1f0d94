"""Event-time arithmetic: days, blocks, trading sessions, frames and windows. All times are UTC, in the unit named."""

from datetime import UTC, date, datetime, timedelta
from enum import IntEnum

NS_PER_MS = 1_000_000
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
BLOCK_MS = 6 * HOUR_MS
BLOCKS_PER_DAY = 4
WARMUP_MS = 2 * HOUR_MS  # the streaming state of a day is born blank this long before it


class Session(IntEnum):
    """Trading session of a moment, ordered for interval literals."""

    ASIA = 0
    EU = 1
    US = 2
    WEEKEND = 3


def day_of(time_ms: int) -> str:
    """Return the UTC day of a time as YYYY-MM-DD.

    >>> day_of(0)
    '1970-01-01'
    """
    return datetime.fromtimestamp(time_ms // 1000, UTC).date().isoformat()


def day_start_ms(day: str) -> int:
    """Return the first millisecond of a UTC day.

    >>> day_start_ms("1970-01-02")
    86400000
    """
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


def birth_ns(day: str) -> int:
    """Return the receive stamp from which on the streaming state of a day is fed: 22:00 UTC of the day before.

    >>> birth_ns("1970-01-02") // 3_600_000_000_000
    22
    """
    return (day_start_ms(day) - WARMUP_MS) * NS_PER_MS


def next_day(day: str, step: int = 1) -> str:
    """Return the day `step` days later (earlier when negative)."""
    return (date.fromisoformat(day) + timedelta(days=step)).isoformat()


def days_between(first: str, last: str) -> list[str]:
    """Return every day from `first` to `last`, both included."""
    count = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    return [next_day(first, i) for i in range(count)]


def block_of(time_ms: int) -> int:
    """Return the 6-hour block (0-3) of a time inside its UTC day."""
    return (time_ms % DAY_MS) // BLOCK_MS


def session_of(time_ms: int) -> Session:
    """Return the session: weekend by UTC day, else ASIA 22-07, EU 07-13, US 13-22 UTC."""
    weekday = (time_ms // DAY_MS + 3) % 7
    if weekday >= 5:
        return Session.WEEKEND
    hour = (time_ms % DAY_MS) // HOUR_MS
    if 7 <= hour < 13:
        return Session.EU
    if 13 <= hour < 22:
        return Session.US
    return Session.ASIA
