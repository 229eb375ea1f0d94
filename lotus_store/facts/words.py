"""Times and days as people read them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from lotus.timebase import next_day

NEVER_MS = 32_503_680_000_000  # the year 3000


def clock(time_ms: int) -> str:
    """Return a time (ms UTC) as text, "never" beyond the year 3000."""
    if time_ms >= NEVER_MS:
        return "never"
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def day_ranges(days: Iterable[str]) -> str:
    """Return days as text, those in a row as a range; a dash for none.

    >>> day_ranges(["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-09"])
    '2026-01-05 to 2026-01-07, 2026-01-09'
    """
    runs: list[list[str]] = []
    for day in sorted(days):
        if runs and next_day(runs[-1][-1]) == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs) or "-"
