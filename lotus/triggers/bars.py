"""Bars made from frames, and the levels of the last whole ones: highest, lowest, deviation and volume-weighted price.

A frame belongs to the bar of its end: bar k of b ms holds the frames that end in (k b, (k + 1) b]. A bar is whole when
a later bar has begun and its first frame was seen; one in which no mid was known breaks the chain. Memory is the
longest lookback asked for. Nothing that happens is decided here. Literature: time bars, rolling extremes.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.triggers.conditions import LevelKind, TriggerLevel


class Bar(NamedTuple):
    """One whole bar in USD; `coins` is the size that `usd` bought at the mids of its frames."""

    high: float
    low: float
    close: float
    usd: float
    coins: float


@dataclass(frozen=True, slots=True)
class Facts:
    """The levels that one lookback gives while a bar is open; all of its whole bars are known."""

    high: float
    low: float
    sigma: float
    usd: float
    coins: float


def facts_of(bars: Iterable[Bar]) -> Facts:
    """Return the facts of whole bars, oldest first; sigma is the sample deviation of closes' changes, in USD."""
    listed = list(bars)
    changes = [b.close - a.close for a, b in pairwise(listed)]
    mean = math.fsum(changes) / len(changes)
    variance = math.fsum((x - mean) ** 2 for x in changes) / (len(changes) - 1)
    return Facts(
        max(b.high for b in listed), min(b.low for b in listed), math.sqrt(variance),
        math.fsum(b.usd for b in listed), math.fsum(b.coins for b in listed),
    )  # fmt: skip


class Bars:
    """The bars of one length: whole ones in a chain, and the open one."""

    def __init__(self, bar_ms: int, cadence_ms: int, longest: int) -> None:
        if bar_ms % cadence_ms:
            raise ConfigError(f"bars of {bar_ms} ms", f"a multiple of the frame of {cadence_ms} ms")
        self._bar_ms, self._cadence_ms = bar_ms, cadence_ms
        self._chain: deque[Bar] = deque(maxlen=longest)
        self._facts: dict[int, Facts | None] = {}
        self._index, self._whole = -1, False
        self._high, self._low, self._last = -math.inf, math.inf, 0.0
        self._usd = self._coins = 0.0

    def forget(self) -> None:
        """Begin a new life: nothing was seen."""
        self._chain.clear()
        self._facts.clear()
        self._open(-1, False)

    def take(self, end_ms: int, mid: float | None, usd: float) -> None:
        """Add one frame of a life without missing frames."""
        if (end_ms - 1) // self._bar_ms != self._index:
            self._close()
            self._begin(end_ms)
        if mid is not None:
            self._high, self._low = max(self._high, mid), min(self._low, mid)
            self._last = mid
            self._usd += usd
            self._coins += usd / mid

    def fill(self, ends_ms: NDArray[np.int64], mids: NDArray[np.float64], usd: NDArray[np.float64]) -> None:
        """Add frames of one life at once, arrays [n] with NaN for a mid that is not known: the same as one by one."""
        index = (ends_ms - 1) // self._bar_ms
        cuts = [0, *(np.flatnonzero(np.diff(index)) + 1).tolist(), len(index)]
        for first, last in pairwise(cuts):
            if index[first] != self._index:
                self._close()
                self._begin(int(ends_ms[first]))
            known = np.flatnonzero(~np.isnan(mids[first:last])) + first
            if len(known):
                mid = mids[known]
                self._high, self._low = max(self._high, float(mid.max())), min(self._low, float(mid.min()))
                self._last = float(mid[-1])
                self._usd = float(np.cumsum(np.append(self._usd, usd[known]))[-1])
                self._coins = float(np.cumsum(np.append(self._coins, usd[known] / mid))[-1])

    def facts(self, lookback: int) -> Facts | None:
        """Return the facts of the last `lookback` whole bars, None until there are so many in a row."""
        if lookback not in self._facts:
            enough = len(self._chain) >= lookback
            self._facts[lookback] = facts_of(list(self._chain)[-lookback:]) if enough else None
        return self._facts[lookback]

    def value(self, level: TriggerLevel) -> float | None:
        """Return a level made of bars; None when it is not known."""
        facts = self.facts(level.lookback)
        if facts is None:
            return None
        if level.kind is LevelKind.PREV_HIGH:
            return facts.high
        if level.kind is LevelKind.PREV_LOW:
            return facts.low
        coins = facts.coins + self._coins
        return (facts.usd + self._usd) / coins if coins > 0.0 else None

    def full_after_ms(self, first_ms: int, lookback: int) -> int:
        """Return the end up to which a life that began with the frame of `first_ms` has too few whole bars."""
        index = (first_ms - 1) // self._bar_ms
        is_whole = first_ms - self._cadence_ms == index * self._bar_ms
        return (index + lookback + (0 if is_whole else 1)) * self._bar_ms

    def _begin(self, end_ms: int) -> None:
        index = (end_ms - 1) // self._bar_ms
        self._open(index, end_ms - self._cadence_ms == index * self._bar_ms)

    def _open(self, index: int, whole: bool) -> None:
        self._index, self._whole = index, whole
        self._high, self._low, self._last = -math.inf, math.inf, 0.0
        self._usd = self._coins = 0.0

    def _close(self) -> None:
        self._facts.clear()
        if self._whole and self._last > 0.0:
            self._chain.append(Bar(self._high, self._low, self._last, self._usd, self._coins))
        else:
            self._chain.clear()
