"""How rare the daily sums of a candidate are among themselves with other signs: the evidence that its bar looks at.

Without an edge, and with days as likely up as down, each of the 2^n choices of signs was as likely; the share of them
whose total is at least as far from 0 is an exact chance, whatever the size and tails of days. T^2 / 2, a bound on the
same chance, ends at n / 2 nats; this one ends at (n - 1) ln 2. (Literature: Fisher's randomisation test; the halves
are those of the two-list subset sum of Horowitz and Sahni 1974.)
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError

MOST_DAYS = 40
TIES = 1e-9  # of the sum of sizes: sums this near are the same, which counts against the candidate


def evidence(daily: Sequence[float]) -> float:
    """Return minus the logarithm of the chance of a total as far from 0, nats; 0 for silent days.

    Raises `ConfigError` for more than 40 days that are not silent.

    >>> [round(evidence(days), 3) for days in ([1.0] * 20, [1.0, -1.0], [3.0, 2.0, 1.0], [])]
    [13.17, 0.0, 1.386, 0.0]
    """
    sizes = np.array(sorted((abs(x) for x in daily if x), reverse=True))
    if len(sizes) > MOST_DAYS:
        raise ConfigError(
            f"{len(sizes)} days", f"at most {MOST_DAYS}", "the choices of their signs are counted one by one"
        )
    if not len(sizes):
        return 0.0
    total = abs(float(np.sum(daily))) - TIES * float(np.sum(sizes))
    left, right = _sums(sizes[::2]), np.sort(_sums(sizes[1::2]))
    many = int(np.sum(len(right) - np.searchsorted(right, total - left)))
    return max(0.0, (len(sizes) - 1) * math.log(2.0) - math.log(many))


def reachable(days: int) -> float:
    """Return the most that so many days can say, nats."""
    return max(0, days - 1) * math.log(2.0)


def _sums(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the total under every choice of signs, f8[2^n]."""
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums + size, sums - size])
    return sums
