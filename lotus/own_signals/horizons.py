"""What a rule's published windows earned at every horizon of the files: described, never searched.

Means are over published windows inside and outside the rule, with 95 % intervals from six-hour blocks, because payoffs
of neighbouring windows overlap. They are raw means: what was published there was chosen by its score. In the
literature: mark-outs with cluster-robust errors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.learning.rows import DetectorRows
from lotus.own_signals.table import Floats, Ints, SignalTable
from lotus.priors.types import Rule

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Markout:
    """Published windows of a rule at one horizon: how many, mean payoff with its interval, share above zero."""

    horizon_s: int
    windows: int
    mean_bps: float
    ci95: tuple[float, float]
    hit_rate: float
    mean_outside_bps: float


def payoffs_by_horizon(
    table: SignalTable, draw: Ints, decides: NDArray[np.bool_], cost_bps: float
) -> dict[int, Floats]:
    """Return per horizon the executed payoff net of cost, aligned with the rows that decide; NaN where there is none.

    `draw` numbers the draw of every row.
    """
    out = {}
    for horizon in np.unique(table.horizon_s).tolist():
        of_draw = np.full(int(draw[-1]) + 1, np.nan)
        mine = table.horizon_s == horizon
        of_draw[draw[mine]] = table.payoff[mine] - cost_bps
        out[int(horizon)] = of_draw[draw[decides]]
    return out


def markouts(rows: DetectorRows, rule: Rule, payoffs: Mapping[int, Floats]) -> tuple[Markout, ...]:
    """Return the mark-outs of a rule, shortest horizon first; horizons without an executed payoff are left out."""
    ids, inside = rows.event_id.astype(np.int64), rows.covered(rule)
    found = []
    for horizon, all_of in sorted(payoffs.items()):
        paid = all_of[ids]
        known = rows.published & ~np.isnan(paid)
        here, there = known & inside, known & ~inside
        if int(here.sum()) > 1:
            mean, se = _clustered(paid[here], rows.lane[here])
            outside = float(paid[there].mean()) if there.any() else math.nan
            hit = float((paid[here] > 0.0).mean())
            interval = (mean - _Z95 * se, mean + _Z95 * se)
            found.append(Markout(horizon, int(here.sum()), mean, interval, hit, outside))
    return tuple(found)


def _clustered(values: Floats, lane: Ints) -> tuple[float, float]:
    """Return mean and standard error with blocks as clusters."""
    mean = float(values.mean())
    sums = np.bincount(lane, weights=values - mean)
    n = len(np.unique(lane))
    if n < 2:
        return mean, math.inf
    return mean, math.sqrt(float((sums * sums).sum()) * n / (n - 1)) / len(values)
