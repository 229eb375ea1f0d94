"""A day's values as a sketch: how many, how many null, 49 quantiles; and the distances between two sketches.

A sketch is a quantile function at k/50, k = 1 .. 49. The mean of quantile functions is the Wasserstein-2 barycentre of
laws on the line, and the mean distance of two of them is their Wasserstein-1 distance without the outer 2 %. PSI and KS
are read off the same 49 points, to be shown; nothing is decided here.

C. Villani, Optimal Transport (2009), ch. 2; M. Agueh, G. Carlier, SIAM J. Math. Anal. 43 (2011).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POINTS: Final = 49
PROBABILITIES: Final = np.arange(1, POINTS + 1) / (POINTS + 1.0)
FEWEST_ROWS: Final = 100  # values below which a sketch is not compared
_MEDIAN: Final = POINTS // 2
_LOWER, _UPPER = slice(11, 13), slice(36, 38)  # around 25 and 75 %
_DECILES: Final = np.arange(4, POINTS, 5)
_LEAST_SHARE: Final = 1e-4  # of a bin, so that PSI stays finite


def quantiles_of(values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return count i8 [S] and quantiles f8 [S, 49] of the rows of `values` f8 [S, n]; NaN is null.

    Linear between order statistics, as `numpy.quantile`; a row without a value has NaN.
    """
    ranked = np.sort(np.atleast_2d(values), axis=1)
    count = np.count_nonzero(ranked == ranked, axis=1).astype(np.int64)
    if not ranked.shape[1]:
        return count, np.full((len(ranked), POINTS), np.nan)
    place = np.maximum(count - 1, 0)[:, None] * PROBABILITIES
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(count - 1, 0)[:, None])
    low, high = np.take_along_axis(ranked, below, axis=1), np.take_along_axis(ranked, above, axis=1)
    return count, low + (place - below) * (high - low)


def medians(quantiles: Floats) -> Floats:
    """Return the median of each sketch, f8 [S]."""
    return np.asarray(quantiles[..., _MEDIAN])


def spread_of(quantiles: Floats) -> Floats:
    """Return the interquartile range of each sketch, f8 [S]."""
    return np.asarray(quantiles[..., _UPPER].mean(axis=-1) - quantiles[..., _LOWER].mean(axis=-1))


def distance(found: Floats, reference: Floats) -> Floats:
    """Return mean |Q - B| / IQR(B) of sketches f8 [S, 49]; NaN where the reference has no spread."""
    spread = spread_of(reference)
    return np.asarray(np.abs(found - reference).mean(axis=-1) / np.where(spread > 0.0, spread, np.nan))


def stability_index(found: Floats, reference: Floats) -> Floats:
    """Return the population stability index over the ten bins of the reference's deciles, f8 [S]."""
    edges = reference[:, _DECILES]
    shares = np.diff(_law(found, edges), prepend=0.0, append=1.0, axis=1)
    shares = np.maximum(shares, _LEAST_SHARE)
    return np.asarray(((shares - 0.1) * np.log(shares / 0.1)).sum(axis=1))


def largest_gap(found: Floats, reference: Floats) -> Floats:
    """Return the Kolmogorov-Smirnov distance at the points of the reference, f8 [S]."""
    return np.asarray(np.abs(_law(found, reference) - PROBABILITIES).max(axis=1))


def _law(quantiles: Floats, points: Floats) -> Floats:
    """Return the share of each sketch at or below its points, f8 [S, P]; linear between quantiles, 0 and 1 outside."""
    out = np.full(points.shape, np.nan)
    for row, (own, at) in enumerate(zip(quantiles, points, strict=True)):
        if np.isfinite(own).all() and np.isfinite(at).all():
            out[row] = _share(own, at)
    return out


def _share(own: Floats, at: Floats) -> Floats:
    """Return the share at or below points; where quantiles repeat, the point has all the mass of the tie at once."""
    below = np.searchsorted(own, at, side="right")
    low, high = np.maximum(below - 1, 0), np.minimum(below, POINTS - 1)
    width = own[high] - own[low]
    part = np.where(width > 0.0, (at - own[low]) / np.where(width > 0.0, width, 1.0), 0.0)
    share = (below + np.where(below < POINTS, part, 0.0)) / (POINTS + 1.0)
    return np.where(below == 0, 0.0, np.where(at > own[-1], 1.0, share))
