"""Strata of the propensity that follow the log: where the hats stand on a day, and what earlier days paid at each p.

Knots are quantiles of the detector's own logit over the 20 learning days before, weighted by overlap, so that windows
of a desk that publishes one in a thousand are told apart as well as any. The level is the mean executed payoff of those
days at each logit (ridge on the hats, weight 1 - p): the control where no modelled payoff is known, and what lane F
(`forward`) takes off before it looks at the day. Both are frozen with the day's scores. Days are kept as histograms
over fine cells of the logit, so nothing is read twice. In the literature: a linear spline on the propensity score.

Beside them stands the weight of a block of six hours: where payoffs scatter twice as much as in the days before, its
windows count half. It is the same for all windows of a block and does not change with the sign of what they paid
beyond the level, so contrasts inside the block keep their mean, and so do sign flips their law.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.basis import KNOTS, N_HATS, Basis, placed

HISTORY_DAYS = 20
N_CELLS, LIMIT = 512, 16.0  # cells of 1/16 logit from -16 to 16
SHARES = (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)
MIN_GAP = 0.05  # logit between two knots
EMPTY = 1e-6  # overlap weight of a history that says nothing
SUMS = ("weight", "taken", "paid", "square", "scatter")
PULL_WINDOWS, MAX_WEIGHT = 20, 4.0
RIDGE = 50 * 0.075  # the level's pull to zero, in units of A (1 - p)

Floats = NDArray[np.float64]
_WIDTH = 2.0 * LIMIT / N_CELLS
_CENTRES: Floats = np.linspace(-LIMIT + _WIDTH / 2.0, LIMIT - _WIDTH / 2.0, N_CELLS)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Sums [512] over cells of the logit: overlap weight p (1 - p), A (1 - p) and A (1 - p) Y of executed windows.

    `square` [512] sums h^2 and `scatter` [512] the squares of f - h level, bps^2: their ratio is the usual noise.
    """

    weight: Floats
    taken: Floats
    paid: Floats
    square: Floats
    scatter: Floats


@dataclass(frozen=True, slots=True)
class Strata:
    """Knots [6] of the hats, logit, and the level [6] at them, bps; None without earlier days.

    `noise` is the mean square of a payoff about its level in those days, bps^2; 0 without any.
    """

    knots: Floats
    level: Floats | None
    noise: float = 0.0

    def __post_init__(self) -> None:
        if len(self.knots) != N_HATS:
            raise ValueError(f"{len(self.knots)} knots, expected {N_HATS}")

    def basis(self, u0: Floats) -> Basis:
        """Return the hats of logits [n]."""
        return placed(u0, self.knots)

    def level_at(self, u0: Floats) -> Floats:
        """Return the level [n] at logits [n], bps; NaN without earlier days."""
        if self.level is None:
            return np.full(len(u0), np.nan)
        return np.asarray(self.basis(u0).dense() @ self.level, dtype=np.float64)


UNKNOWN = Strata(KNOTS, None)
LEVEL_ZERO = Strata(KNOTS, np.zeros(N_HATS))  # where what earlier days paid is no part of the score


def histogram(
    u0: Floats, p: Floats, published: NDArray[np.bool_], executed: Floats, f: Floats, level: Floats
) -> Histogram:
    """Return the histogram of one detector's windows of a day; `executed` [n] Y in bps, NaN where unknown.

    f [n]: their scores, `level` [n] what earlier days paid (NaN: none).
    """
    cell = np.minimum((np.clip(u0, -LIMIT, LIMIT) + LIMIT) / _WIDTH, N_CELLS - 1).astype(np.int64)
    known = published & ~np.isnan(executed)
    taken = np.where(known, 1.0 - p, 0.0)
    paid = taken * np.where(known, executed, 0.0)

    def sums(values: Floats) -> Floats:
        return np.bincount(cell, weights=values, minlength=N_CELLS).astype(np.float64)

    h = p * (1.0 - p)
    return Histogram(sums(h), sums(taken), sums(paid), sums(h * h), sums(_beyond_level(f, h, level) ** 2))


def block_weights(f: Floats, h: Floats, level: Floats, block: NDArray[np.integer[Any]], noise: float) -> Floats:
    """Return the weight [n] of each window's block: the usual deviation of a payoff over that of the block.

    `block` [n] of one detector and day; `noise` is that of the days before (0: the day's own). A block is drawn to the
    usual one by the worth of twenty windows, and counts at most `MAX_WEIGHT` times as much.
    """
    scatter = np.bincount(block, weights=_beyond_level(f, h, level) ** 2)
    square = np.bincount(block, weights=h * h)
    total = float(square.sum())
    usual = noise if noise > 0.0 else float(scatter.sum()) / total if total > 0.0 else 0.0
    if not usual > 0.0:
        return np.ones(len(f))
    pull = PULL_WINDOWS * total / len(f)
    own = (scatter + pull * usual) / (square + pull)
    found: Floats = np.minimum(MAX_WEIGHT, np.sqrt(usual / own))[block]
    return found


def _beyond_level(f: Floats, h: Floats, level: Floats) -> Floats:
    """Return f - h level; without a level the day's own mean stands for it."""
    total = float(h.sum())
    mean = float(f.sum()) / total if total > 0.0 else 0.0
    return f - h * np.where(np.isnan(level), mean, level)


def strata_of(past: Iterable[Histogram]) -> Strata:
    """Return the strata of a day whose earlier days have these histograms."""
    days = list(past)
    weight, taken, paid, square, scatter = (
        np.sum([getattr(day, name) for day in days], axis=0) if days else np.zeros(N_CELLS) for name in SUMS
    )
    if not weight.sum() > EMPTY:
        return UNKNOWN
    knots = _knots(weight)
    hats = placed(_CENTRES, knots).dense()
    gram = RIDGE * np.eye(N_HATS) + (hats * taken[:, None]).T @ hats
    level = round_learned(np.asarray(np.linalg.solve(gram, hats.T @ paid), dtype=np.float64))
    noise = round_learned(np.array([scatter.sum() / square.sum()]))
    return Strata(knots, level, float(noise[0]))


def _knots(weight: Floats) -> Floats:
    """Return the quantiles of the weight, linear inside a cell, at least `MIN_GAP` apart."""
    reached = np.cumsum(weight)
    out = np.empty(N_HATS)
    for k, share in enumerate(SHARES):
        wanted = share * reached[-1]
        cell = min(int(np.searchsorted(reached, wanted)), N_CELLS - 1)
        before = reached[cell] - weight[cell]
        part = (wanted - before) / weight[cell] if weight[cell] > 0.0 else 0.0
        out[k] = -LIMIT + (cell + part) * _WIDTH
        if k:
            out[k] = max(out[k], out[k - 1] + MIN_GAP)
    return round_learned(out)
