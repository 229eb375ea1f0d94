"""Draw arms within a quota with exact inclusion probabilities: at most one dear arm, then one systematic sample.

In ascending order of cost the sample takes every arm in whose stretch of the running sum of q a point u + k falls: each
is taken with probability exactly q (W. Madow, 1949). Between its few breakpoints in u the sample is the same, so the
dearest sample of all is known, and q is lowered until even that is within the quota: first of the arms that promise the
least per cost, down to the least probability, then of all. An arm dearer than a quarter of the quota would make every
sample small. So at most one of those is drawn first, each with its own q, and the rest share what it leaves; their q is
the mean over that draw. Nothing random is made here.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DEAR: Final = 0.25  # share of the quota from which an arm is drawn apart
MOST_DEAR: Final = 0.5  # probability that some dear arm is drawn, at most
LEAST: Final = 0.05  # probability of an arm while the quota allows it
STEPS: Final = 24  # of the bisections


@dataclass(frozen=True, slots=True)
class Draw:
    """Who is drawn bool[arms] and with which probability f8[arms]; their cost is within the quota."""

    drawn: NDArray[np.bool_]
    q: Floats


def systematic(q: Floats, order: Ints, u: float) -> NDArray[np.bool_]:
    """Return which arms one systematic sample takes, of probabilities q f8[arms] in this order and a start u in [0, 1).

    >>> systematic(np.array([0.5, 0.5, 1.0]), np.arange(3), 0.25).tolist()
    [True, False, True]
    """
    points = np.floor(np.concatenate([[0.0], np.cumsum(q[order])]) - u)
    out = np.zeros(len(q), np.bool_)
    out[order] = np.diff(points) > 0.0
    return out


def dearest_sample(q: Floats, cost: Floats, order: Ints) -> float:
    """Return the cost of the dearest sample over all starts."""
    ends = np.concatenate([[0.0], np.cumsum(q[order])])
    breaks = np.unique(np.concatenate([[0.0], ends % 1.0, [1.0]]))
    starts = 0.5 * (breaks[1:] + breaks[:-1])
    taken = np.diff(np.floor(ends[None, :] - starts[:, None]), axis=1) > 0.0
    return float((taken * cost[order]).sum(axis=1).max(initial=0.0))


def within_quota(wanted: Floats, cost: Floats, quota: float, promise: Floats, first: float, second: float) -> Draw:
    """Return a draw of arms that would like probabilities `wanted` in [0, 1], at costs above 0, within the quota.

    `promise`: believed worth of each; `first` and `second`: uniform in [0, 1), for the dear arm and the sample's start.
    What costs more than the quota has q = 0.
    """
    order = np.lexsort((np.arange(len(cost)), cost))
    if dearest_sample(wanted, cost, order) <= quota:
        return Draw(systematic(wanted, order, second), wanted.copy())
    cheap = cost <= DEAR * quota
    dear = np.flatnonzero(~cheap & (cost <= quota))
    apart = np.where(~cheap & (cost <= quota), wanted, 0.0)
    apart = apart * min(1.0, MOST_DEAR / max(float(apart.sum()), 1e-300))
    chosen = int(np.searchsorted(np.cumsum(apart[dear]), first, side="right"))
    q, drawn = apart.copy(), np.zeros(len(cost), np.bool_)
    worst_first = np.lexsort((np.arange(len(cost)), promise / cost))
    for place, arm in enumerate([*dear.tolist(), -1]):
        spent, chance = (float(cost[arm]), float(apart[arm])) if arm >= 0 else (0.0, 1.0 - float(apart.sum()))
        rest = _lowered(np.where(cheap, wanted, 0.0), cost, quota - spent, order, worst_first)
        q += chance * rest
        if place == chosen:
            drawn = systematic(rest, order, second)
            if arm >= 0:
                drawn[arm] = True
    return Draw(drawn, q)


def _lowered(q: Floats, cost: Floats, quota: float, order: Ints, worst_first: Ints) -> Floats:
    """Return q lowered until no sample costs more than the quota."""
    if dearest_sample(q, cost, order) <= quota:
        return q
    floor = np.minimum(q, LEAST)
    whole = [np.where(np.isin(np.arange(len(q)), worst_first[:k]), floor, q) for k in range(len(q) + 1)]
    at = next((k for k in range(1, len(whole)) if dearest_sample(whole[k], cost, order) <= quota), 0)
    low, high = (whole[at], whole[at - 1]) if at else (np.zeros(len(q)), floor)
    inside, outside = 0.0, 1.0
    for _ in range(STEPS):
        middle = 0.5 * (inside + outside)
        fits = dearest_sample(low + middle * (high - low), cost, order) <= quota
        inside, outside = (middle, outside) if fits else (inside, middle)
    return np.asarray(low + inside * (high - low))
