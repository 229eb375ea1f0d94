"""The relation of a series to a move in plain numpy, one formula a line: the oracle of the sanity table's kernel."""

import numpy as np
from numpy.typing import NDArray

from lotus.outcomes.intervals import clustered_error
from lotus.outcomes.probe import hit
from lotus.outcomes.sanity_stats import Interval, Relation, Room, effective_n, moves_of, relation

Floats = NDArray[np.float64]
NOTHING = Interval(np.nan, np.nan, np.nan, np.nan)


def related(x: Floats, y: Floats, block: Floats, slot: Floats, spread: Floats | None = None) -> Relation:
    """The kernel's answer for rows that all have a move; block and slot as any numbers."""
    spreads = spread if spread is not None else np.ones(len(x))
    moves = moves_of(y, np.asarray(block).astype(np.int64), np.asarray(slot).astype(np.int64), spreads)
    return relation(x, np.argsort(x), np.arange(len(x)), moves, Room.of(len(x), [moves]))


def plain_relation(x: Floats, y: Floats, block: Floats, slot: Floats, spread: Floats) -> Relation:
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
        n_eff=effective_n(np.var(signed) if len(signed) else np.nan, mean.error, len(np.unique(slot[spoken]))),
        pearson=pearson(x, y, block),
        pearson_sign=correlation(direction, y),
        spearman=correlation(ranks(x), ranks(y)),
        mean=mean,
        hit=clustered_mean(hit(direction, y)[spoken], groups),
        spread=float(np.mean(spread[spoken])) if len(signed) else np.nan,
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


def _standardised(x: Floats) -> Floats | None:
    """Return x with mean 0 and variance 1; None when it has fewer than two values or does not vary."""
    if len(x) < 2:
        return None
    z = x - np.mean(x)
    scale = float(np.sqrt(np.mean(z * z)))
    return z / scale if scale > 1e-12 * float(np.max(np.abs(x))) else None


def _mean_product(zx: Floats, zy: Floats) -> float:
    return min(max(float(np.mean(zx * zy)), -1.0), 1.0)


def ranks(x: Floats) -> Floats:
    """Return the ranks of x from 1, equal values sharing their mean rank."""
    _, back, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Floats = (last - 0.5 * (counts - 1))[back]
    return shared
