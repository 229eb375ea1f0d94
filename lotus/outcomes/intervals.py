"""Intervals of means whose rows hang together in blocks of time: Student's t times the cluster-robust standard error.

(Literature: cluster-robust error, Liang and Zeger 1986; t with G - 1 degrees, Bester, Conley and Hansen 2011.)
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVEL: Final = 0.975  # two-sided 95 %
MIN_BLOCKS: Final = 5  # fewer tell nothing of the spread


def clustered_error(influence: Floats, block: Floats) -> tuple[float, float]:
    """Return the standard error of a mean of influence values and t times it; NaN below 5 blocks or without spread.

    Memory grows with the distance of the first block from the last.
    """
    number = (block - np.min(block)).astype(np.int64)
    sums = np.bincount(number, weights=influence)[np.bincount(number) > 0]
    count = len(sums)
    if count < MIN_BLOCKS:
        return np.nan, np.nan
    error = float(np.sqrt(count / (count - 1) * np.sum(sums * sums))) / len(influence)
    return (error, student(count) * error) if error > 0.0 else (np.nan, np.nan)


def reach(error: float, blocks: float) -> float:
    """Return t times a standard error; NaN without one."""
    return student(int(blocks)) * error if error > 0.0 else np.nan


@cache
def student(blocks: int) -> float:
    """Return the two-sided 95 % point of Student's t for the mean of that many blocks, two at least."""
    from scipy.special import stdtrit

    return float(stdtrit(blocks - 1, LEVEL))
