"""Payoffs that lose rarely and much: where signs by day do not hold, a rule must pass with the usual scatter too.

Flipping signs by day is exact for sums that are as likely above as below zero by as much. Where losses are rare and
large, a small rule that met few of them by luck has small scatter and a large T. Whether the small parts of a log are
one-sided is itself asked by flips: D^3 of cells of two features, summed by day. In the literature: skewness-adjusted t
(Johnson 1978); short-volatility bias.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.learning.bench import Bench, rounded
from lotus.learning.lanes import Both
from lotus.learning.rows import DetectorRows
from lotus.learning.search import Evidence
from lotus.priors.vocabulary import MAX_BINS

LIMIT = 3.0  # of z, two-sided .003
_SIDE = MAX_BINS + 1  # the null bin is the last

Floats = NDArray[np.float64]


def one_sidedness(rows: DetectorRows, r: Floats) -> float:
    """Return z of the third moment of small cells by day, under flips of days; r [n]: what lane S leaves of scores."""
    cubes = np.zeros(rows.n_lanes)
    features = rows.bins.shape[1]
    for first in range(0, features, 2):
        pair = np.minimum(rows.bins[:, [first, (first + 1) % features]], MAX_BINS).astype(np.int64)
        cell = rows.lane * _SIDE**2 + pair[:, 0] * _SIDE + pair[:, 1]
        sums = np.bincount(cell, weights=r, minlength=rows.n_lanes * _SIDE**2)
        cubes += (sums.reshape(rows.n_lanes, -1) ** 3).sum(axis=1)
    by_day = np.bincount(rows.lane_day, weights=cubes)
    square = float((by_day * by_day).sum())
    return float(by_day.sum()) / math.sqrt(square) if square > 0.0 else 0.0


def unlucky(bench: Bench, evidence: Both[Evidence], number: int, bar: Both[float], z: float) -> str:
    """Return why a rule fails in a one-sided log, empty when it does not or the log is none.

    Its own scatter, where it is less, gives way to that of the usual rule of its coverage.
    """
    if abs(z) <= LIMIT:
        return ""
    price = float(bench.space.prices()[number])
    for name, one, limit in zip("SF", evidence, bar, strict=True):
        own, usual = one.square[number], _usual(bench, one, number)
        t2 = one.t[number] ** 2 * min(1.0, own / usual)
        m = 0.5 * t2 - price
        if m <= limit:
            return (
                f"payoffs of small parts are one-sided (z {rounded(z):.1f}, limit {LIMIT:g}), and with the scatter of "
                f"the usual rule of its coverage evidence {rounded(m):.2f} nats in lane {name} does not exceed "
                f"{rounded(limit):.2f}: more days, or payoffs capped where stops would cap them"
            )
    return ""


def _usual(bench: Bench, evidence: Evidence, number: int) -> float:
    """Return sum g^2 D^2 of the median rule, brought to the coverage c of this one by c (1 - c)."""
    coverage = bench.family.coverage
    shape = coverage * (1.0 - coverage)
    known = bench.family.eligible & np.isfinite(evidence.m) & (shape > 0.0)
    if not known.any() or shape[number] <= 0.0:
        return float(evidence.square[number])
    return float(np.median(evidence.square[known] / shape[known]) * shape[number])
