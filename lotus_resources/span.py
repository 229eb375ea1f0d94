"""The days that Dagster's pages show: from the first stored day of the tape to its last, or on while one is recorded.

`lotus up` works them out and hands them to its children by environment; anything else that loads the definitions (a
backfill of any days, tests) has no bounds but an early first day. (In Dagster: the range of a partitions definition.)
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lotus.errors import ConfigError
from lotus.timebase import day_start_ms, next_day

FIRST_ENV, LAST_ENV = "LOTUS_FIRST_DAY", "LOTUS_LAST_DAY"
EARLIEST: Final = "2023-01-01"


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days (UTC) from `first` to `last`, both included; `last` is empty while the tape grows."""

    first: str = EARLIEST
    last: str = ""

    def __contains__(self, day: str) -> bool:
        return self.first <= day and (not self.last or day <= self.last)

    def __str__(self) -> str:
        return f"{self.first} to {self.last}" if self.last else f"from {self.first} on"

    @property
    def environment(self) -> dict[str, str]:
        """What tells it to a child process."""
        return {FIRST_ENV: self.first, LAST_ENV: self.last}


def span_of_environment(environment: Mapping[str, str] = os.environ) -> DaySpan:
    """Return the span that the parent process told."""
    return DaySpan(environment.get(FIRST_ENV) or EARLIEST, environment.get(LAST_ENV, ""))


def span_of(days: Sequence[str], today: str, first_day: str = "", grows: bool = False) -> DaySpan:
    """Return the span of a tape with `days` (in order); `first_day` is the settings' own.

    A tape grows when `grows` says so, when it has no day yet, and when its last day is yesterday or today. Raises
    `ConfigError` for a first day that is none.
    """
    try:
        day_start_ms(first_day or today)
    except ValueError as problem:
        raise ConfigError(f"dagster.first_day is {first_day!r}", "YYYY-MM-DD, or nothing") from problem
    last = days[-1] if days else ""
    closed = bool(last) and not grows and next_day(last) < today
    return DaySpan(first_day or (days[0] if days else today), last if closed else "")
