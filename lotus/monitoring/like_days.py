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


def class_days(day: str, days: Sequence[str], before: Floats) -> NDArray[np.int64]:
    """Return positions in `days` (oldest first) of the days of the class of `day` that may be compared with it.

    `before` f8 [len(days)]: the median ln rv of each; a day without it is none.
    """
    first, stop = max(0, len(days) - LOOK_BACK), max(0, len(days) - TOO_NEW)
    weekend = is_weekend(day)
    chosen = [k for k in range(first, stop) if np.isfinite(before[k]) and is_weekend(days[k]) == weekend]
    return np.array(chosen, np.int64)


def nearest(ln_rv: float, before: Floats) -> NDArray[np.int64]:
    """Return positions in `before` f8 [n], ln rv of the days of a class, oldest first, of those like a day.

    Nearest first, the later of two equal ones; none with fewer than 10 to choose from or without the day's own ln rv.
    """
    if len(before) < FEWEST or not np.isfinite(ln_rv):
        return np.zeros(0, np.int64)
    return np.lexsort((-np.arange(len(before)), np.abs(before - ln_rv)))[:MOST]


def is_far(ln_rv: float, like: Floats) -> bool:
    """Tell whether like days, by their ln rv, lie beyond .15 of a day's own on average."""
    return bool(abs(like.mean() - ln_rv) > FAR)
