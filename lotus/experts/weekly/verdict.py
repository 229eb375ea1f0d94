"""Does something new predict better than what is in force? Losses of the same unseen rows, compared in pairs.

The gain is the mean of (loss before - loss after). Rows of one hour stand and fall together (assets move together,
horizons overlap), so its error is taken over hours: with S_b the gain of block b, n_b its rows, N all rows and B
blocks, se^2 = B / (B - 1) sum (S_b - gain n_b)^2 / N^2, and the interval is gain -+ t se at 95 %. New is better when
the whole interval is above 0; too few blocks never are. One rule for weights, calibrations and nets.
Literature: cluster-robust error (K.-Y. Liang, S. Zeger, 1986); Diebold-Mariano test.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEVEL: Final[float] = 0.95
MIN_BLOCKS: Final[int] = 6
TINY: Final[float] = 1e-6  # probabilities are kept this far from 0 and 1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RefitVerdict:
    """Mean losses before and after on unseen rows, the gain with its interval (NaN: too few blocks)."""

    before: float
    after: float
    gain: float
    low: float
    high: float
    rows: int
    blocks: int

    @property
    def is_better(self) -> bool:
        """Whether the interval of the gain lies above 0."""
        return self.low > 0.0

    def __str__(self) -> str:
        """Say it in one line."""
        word = "better" if self.is_better else "not better"
        reach = f"[{self.low:+.6f}, {self.high:+.6f}]" if self.low == self.low else f"none: {self.blocks} hours"
        return f"{word}: loss {self.before:.6f} -> {self.after:.6f}, gain {self.gain:+.6f}, 95 % {reach}, n {self.rows}"


def compare(before: Floats, after: Floats, block: Ints) -> RefitVerdict:
    """Return the verdict on losses f8[n] of the same rows, `block` i8[n] the hour of each; at least one row."""
    difference = before - after
    gain, rows = float(difference.mean()), len(difference)
    _, place = np.unique(block, return_inverse=True)
    sums = np.bincount(place, difference - gain)
    blocks, low, high = len(sums), float("nan"), float("nan")
    if blocks >= MIN_BLOCKS:
        reach = float(clustered_reach((sums * sums).sum(), blocks, rows))
        low, high = gain - reach, gain + reach
    return RefitVerdict(
        before=float(before.mean()), after=float(after.mean()), gain=gain, low=low, high=high, rows=rows, blocks=blocks
    )


def clustered_reach(squares: Floats, blocks: int, rows: int) -> Floats:
    """Return how far the interval of a mean over `rows` reaches to each side, by Student's t of at least two blocks.

    `squares`: sum over the blocks of the squared sum of deviations in each; rows of a block stand and fall together.
    """
    from scipy.special import stdtrit

    error = np.sqrt(blocks / (blocks - 1.0) * squares) / rows
    return np.asarray(float(stdtrit(blocks - 1.0, 0.5 + 0.5 * LEVEL)) * error)


def log_losses(promised: Floats, came: NDArray[np.bool_]) -> Floats:
    """Return the log loss of every probability f8[n] of what came bool[n]."""
    p = np.clip(promised, TINY, 1.0 - TINY)
    return np.asarray(-np.where(came, np.log(p), np.log(1.0 - p)))
