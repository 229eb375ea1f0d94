"""How a number goes with the move that follows it: correlations, mean signed move and hit rate, with honest intervals.

Rows overlap (a 30 s move is seen every 200 ms) and signals persist, so rows are clustered into blocks of time: an
interval is the estimate plus and minus Student's t times the cluster-robust standard error of its influence values.
No random numbers. Nothing here knows frames or tables (see `sanity`).
(Literature: cluster-robust error, Liang and Zeger 1986; t with G - 1 degrees, Bester, Conley and Hansen 2011.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.outcomes.probe import hit

Floats = NDArray[np.float64]
LEVEL = 0.975  # two-sided 95 %
MIN_BLOCKS = 5  # fewer tell nothing of the spread


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval; ends are NaN below 5 blocks or without spread."""

    value: float
    low: float
    high: float
    error: float


NOTHING = Interval(np.nan, np.nan, np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class Relation:
    """One series against the move after it.

    `n` rows with both, `spoken` of them with x != 0, in `blocks` blocks; `n_eff` = variance of the signed move over its
    squared standard error, at most the number of disjoint moves spoken of: so many independent rows would tell as much.
    `pearson` and `spearman` of (x, y), `pearson_sign` of (sign x, y), over all rows. `mean` of sign(x) y in bps, `hit`
    = share of moves that went with the sign (no move counts one half), over spoken rows.
    """

    n: int
    spoken: int
    blocks: int
    n_eff: float
    pearson: Interval
    pearson_sign: float
    spearman: float
    mean: Interval
    hit: Interval


def relation(x: Floats, y: Floats, block: Floats, slot: Floats) -> Relation:
    """Return the relation of x to y, f8 [n] without nulls; y in bps.

    `block` f8 [n] is the number of a row's block of time, here and below a whole number; moves of rows with different
    `slot` f8 [n] are disjoint.
    """
    direction = np.sign(x)
    spoken = direction != 0.0
    signed, groups = (direction * y)[spoken], block[spoken]
    mean = clustered_mean(signed, groups)
    return Relation(
        n=len(x),
        spoken=len(signed),
        blocks=len(np.unique(block)),
        n_eff=effective_n(signed, mean.error, len(np.unique(slot[spoken]))),
        pearson=pearson(x, y, block),
        pearson_sign=correlation(direction, y),
        spearman=correlation(ranks(x), ranks(y)),
        mean=mean,
        hit=clustered_mean(hit(direction, y)[spoken], groups),
    )


def clustered_mean(values: Floats, block: Floats) -> Interval:
    """Return the mean and its interval; error² = G/(G−1) Σ_g (Σ_{i in g} (v_i − mean))² / n² over G blocks."""
    if not len(values):
        return NOTHING
    mean = float(np.mean(values))
    error, reach = clustered_error(values - mean, block)
    return Interval(mean, mean - reach, mean + reach, error)


def pearson(x: Floats, y: Floats, block: Floats) -> Interval:
    """Return the correlation r and its interval, made on the scale of artanh r so that it stays within [-1, 1].

    Influence of a row: zx zy − r (zx² + zy²)/2 with standardised zx, zy. NaN when x or y does not vary.
    """
    zx, zy = _standardised(x), _standardised(y)
    if zx is None or zy is None:
        return NOTHING
    r = _mean_product(zx, zy)
    error, reach = clustered_error(zx * zy - 0.5 * r * (zx * zx + zy * zy), block)
    if not abs(r) < 1.0:
        return Interval(r, np.nan, np.nan, np.nan)
    z, scale = float(np.arctanh(r)), 1.0 / (1.0 - r * r)
    return Interval(r, float(np.tanh(z - reach * scale)), float(np.tanh(z + reach * scale)), error)


def correlation(x: Floats, y: Floats) -> float:
    """Return the correlation alone; NaN when x or y does not vary."""
    zx, zy = _standardised(x), _standardised(y)
    return np.nan if zx is None or zy is None else _mean_product(zx, zy)


def clustered_error(influence: Floats, block: Floats) -> tuple[float, float]:
    """Return the standard error of a mean of influence values and t times it; NaN below 5 blocks or without spread.

    Memory grows with the distance of the first block from the last.
    """
    from scipy.special import stdtrit

    number = (block - np.min(block)).astype(np.int64)
    sums = np.bincount(number, weights=influence)[np.bincount(number) > 0]
    count = len(sums)
    if count < MIN_BLOCKS:
        return np.nan, np.nan
    error = float(np.sqrt(count / (count - 1) * np.sum(sums * sums))) / len(influence)
    return (error, float(stdtrit(count - 1, LEVEL)) * error) if error > 0.0 else (np.nan, np.nan)


def _standardised(x: Floats) -> Floats | None:
    """Return x with mean 0 and variance 1; None when it has fewer than two values or does not vary."""
    if len(x) < 2:
        return None
    z = x - np.mean(x)
    scale = float(np.sqrt(np.mean(z * z)))
    return z / scale if scale > 1e-12 * float(np.max(np.abs(x))) else None


def _mean_product(zx: Floats, zy: Floats) -> float:
    return min(max(float(np.mean(zx * zy)), -1.0), 1.0)


def effective_n(values: Floats, error: float, most: int) -> float:
    """Return variance / error², at most `most`; NaN without an error."""
    if not error > 0.0:
        return np.nan
    return min(float(np.var(values)) / (error * error), float(most))


def ranks(x: Floats) -> Floats:
    """Return the ranks of x from 1, equal values sharing their mean rank."""
    _, back, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Floats = (last - 0.5 * (counts - 1))[back]
    return shared
