"""What every benchmark shares: sizes, the two ways of timing, and the form of a figure.

Throughput is CPU time of this process (`time.process_time`), because the machine may be shared; the subject and its
named reference are measured in turn, so that both meet the same neighbours, and medians are kept. No benchmark and no
printing belongs here. (Literature: paired measurement; Georges, Buytaert and Eeckhout 2007.)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much work each benchmark does; the command line sets them, tests make them tiny."""

    minutes: int = 90  # length of the simulated session
    repeats: int = 7
    books: int = 2_000  # 20-level book messages parsed in one go
    frames: int = 5_000  # websocket frames timed one by one
    pause_us: int = 500  # between two of them
    messages: int = 60_000  # websocket frames sent as fast as they are taken
    days: int = 12  # learning days of the night
    day_minutes: int = 90  # length of each of a learning day's two sessions
    starts: int = 5  # processes started
    coins: int = 200  # of the universe that one core takes live
    universe_s: int = 140  # for so long, in real time; the first ten seconds do not count
    feed_minutes: int = 1_439  # of the day whose memory is watched; the last one is the venue's


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `reference` names the baseline of the same run and `reference_value` is its number.

    `worst` is the slowest repetition, in the same unit: how noisy the machine was.
    """

    key: str
    value: float
    unit: str
    reference: str = ""
    reference_value: float = 0.0
    worst: float = 0.0
    note: str = ""

    @property
    def ratio(self) -> float:
        """Value over reference, 0 without one."""
        return self.value / self.reference_value if self.reference_value else 0.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of repeated calls."""

    seconds: tuple[float, ...]

    @property
    def typical(self) -> float:
        """Return the median."""
        return median(self.seconds)

    @property
    def worst(self) -> float:
        """Return the longest."""
        return max(self.seconds)


def in_turn(
    repeats: int, *calls: Callable[[], Any], clock: Callable[[], float] = time.process_time
) -> tuple[Timing, ...]:
    """Call each once to warm up, then `repeats` times in turn; return a timing per call, in seconds of `clock`."""
    for call in calls:
        call()
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, taken in zip(calls, seconds, strict=True):
            began = clock()
            call()
            taken.append(max(clock() - began, 1e-9))
    return tuple(Timing(tuple(taken)) for taken in seconds)


def rate(key: str, unit: str, count: int, took: Timing, reference: str, baseline: Timing, note: str = "") -> Figure:
    """Return `count` per CPU second beside the same count in the reference's time."""
    return Figure(key, count / took.typical, unit, reference, count / baseline.typical, count / took.worst, note)
