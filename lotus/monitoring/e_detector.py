"""Tests of one more day against the days before it: randomised ranks, bets on them, and sums of bets over time.

p = (days that were further away + U (1 + days equally far)) / (n + 1) is uniform where the day is exchangeable with the
n before it; U in (0, 1] by Philox. e = mean of k p^(k-1) over k in {.1, .3, .5} has mean 1 then, and R <- (R + 1) e is
a Shiryaev-Roberts sum: a family's alarm at mean R >= 365 comes, on exchangeable days, no more often than once in
365 tested days, however the series of the family depend on each other.

V. Vovk, I. Nouretdinov, A. Gammerman, ICML 2003 (ranks); J. Shin, A. Ramdas, A. Rinaldo, New England J. Stat. Data
Sci. 2 (2024) (e-detectors).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import natural_id

Floats = NDArray[np.float64]

MEMORY: Final = 90  # tested days of a series that a new one is ranked among
FEWEST_DAYS: Final = 20
BETS: Final = (0.1, 0.3, 0.5)
ALARM: Final = 365.0  # tested days to a false alarm on average, at least
CEILING: Final = 1e9


def tie_breaks(names: Sequence[tuple[str, ...]], seed: int, day_ms: int) -> Floats:
    """Return one draw in (0, 1] per name, by Philox: the name is the key and the day the counter, never a position."""
    out = np.empty(len(names))
    for row, name in enumerate(names):
        key = int(natural_id("rank", seed, *name), 16)
        out[row] = 1.0 - np.random.Generator(np.random.Philox(key=key, counter=day_ms)).random()
    return out


def ranks(x: Floats, before: Floats, ties: Floats) -> Floats:
    """Return p of `x` f8 [S] among the newest 90 values of each row of `before` f8 [S, T], oldest first, NaN untested.

    NaN for a day that was not tested, and where fewer than 20 days were.
    """
    tested = np.isfinite(before)
    newest = tested & (np.cumsum(tested[:, ::-1], axis=1)[:, ::-1] <= MEMORY)
    count = newest.sum(axis=1)
    further = (newest & (before > x[:, None])).sum(axis=1)
    equal = (newest & (before == x[:, None])).sum(axis=1)
    p = (further + ties * (1.0 + equal)) / (count + 1.0)
    return np.asarray(np.where(np.isfinite(x) & (count >= FEWEST_DAYS), p, np.nan))


def bets(p: Floats) -> Floats:
    """Return e of each p; NaN stays."""
    return np.asarray(np.mean([k * p ** (k - 1.0) for k in BETS], axis=0))


def summed(r: Floats, e: Floats) -> Floats:
    """Return R after a day; a series that was not tested (e NaN) keeps its R."""
    return np.asarray(np.where(np.isfinite(e), np.minimum((r + 1.0) * e, CEILING), r))


def family_mean(r: Floats) -> float:
    """Return the mean R of the series of a family that were tested since its last alarm; 0 without one."""
    begun = r > 0.0
    return float(r[begun].mean()) if begun.any() else 0.0
