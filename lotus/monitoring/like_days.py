"""Which earlier days a day is compared with: of its class (working day or weekend), the nearest in volatility.

A market is not the same on every day; a day is unusual where it differs from days like it. Matching on volatility and
class takes away what would otherwise be told as drift every week. In the literature: matching, nearest neighbours.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOOK_BACK: Final = 180  # learning days
TOO_NEW: Final = 7  # newest days that are left out: a slow change must not become its own reference
MOST, FEWEST = 28, 10
FAR: Final = 0.15  # difference of mean ln rv beyond which the days are not alike


def is_weekend(day: str) -> bool:
    """Tell whether a UTC day is a Saturday or Sunday."""
    return date.fromisoformat(day).weekday() >= 5


def like_days(day: str, ln_rv: float, days: Sequence[str], before: Floats) -> NDArray[np.int64]:
    """Return positions in `days` (oldest first) of the days like `day`, nearest first, the later of two equal ones.

    `before` f8 [len(days)]: the median ln rv of each; a day without it is not chosen. Empty with fewer than 10.
    """
    first, stop = max(0, len(days) - LOOK_BACK), max(0, len(days) - TOO_NEW)
    weekend = is_weekend(day)
    chosen = [k for k in range(first, stop) if np.isfinite(before[k]) and is_weekend(days[k]) == weekend]
    if len(chosen) < FEWEST or not np.isfinite(ln_rv):
        return np.zeros(0, np.int64)
    places = np.array(chosen, np.int64)
    order = np.lexsort((-places, np.abs(before[places] - ln_rv)))
    return places[order[:MOST]]


def is_far(ln_rv: float, before: Floats, like: NDArray[np.int64]) -> bool:
    """Tell whether the days like it lie beyond .15 of a day's ln rv on average."""
    return bool(abs(before[like].mean() - ln_rv) > FAR)
