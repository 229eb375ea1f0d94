"""How much more a signal tells about the moves after it where a flag is known: I(s; r | z) - I(s; r), in nats.

Five bins of signal and move by their own quantiles; entropies with the correction of Miller and Madow, so that noise
gains nothing on average. It ranks; nothing is shown by it. (Literature: conditional mutual information, Cover and
Thomas; Miller 1955.)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BINS: Final[int] = 5
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def binned(values: Floats) -> Ints:
    """Return the bin of each value, int64 [n], by quantiles of the values; ties share a bin."""
    edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS)) if len(values) else np.zeros(0)
    return np.searchsorted(edges, values, side="left").astype(np.int64)


def information(left: Ints, right: Ints) -> float:
    """Return I(left; right) of two binned columns, in nats; it may fall below 0 by the correction.

    >>> coin = np.arange(1000) % 2
    >>> round(information(coin, coin), 2), abs(round(information(coin, np.arange(1000) // 2 % 2), 2))
    (0.69, 0.0)
    """
    if not len(left):
        return 0.0
    joint = left * (int(right.max()) + 1) + right
    return _entropy(left) + _entropy(right) - _entropy(joint)


def gate_gain(signal: Ints, move: Ints, flag: NDArray[np.bool_]) -> float:
    """Return I(signal; move | flag) - I(signal; move), in nats."""
    parts = [(np.mean(own), information(signal[own], move[own])) for own in (flag, ~flag) if own.any()]
    return float(sum(share * found for share, found in parts) - information(signal, move))


def _entropy(bins: Ints) -> float:
    counts = np.bincount(bins)
    counts = counts[counts > 0]
    share = counts / len(bins)
    return float(-np.sum(share * np.log(share)) + (len(counts) - 1) / (2 * len(bins)))
