"""What audits need of one detector and day: additive sums of A - p, of its product with later payoffs, of its scatter.

A day's sums read that day alone and never change. Judging them is `audits`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.learning.axes import axes
from lotus.learning.cube import accumulate_all
from lotus.learning.rows import DetectorRows
from lotus.timebase import BLOCKS_PER_DAY

STRATA = 10
AUDIT_LITERALS = 2

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AuditDay:
    """Sums of one day. A: published, p: propensity, P+: payoff of the following window, v = p (1 - p).

    `cubes` [3, 4, c]: A - p, (A - p) P+ and v over six-hour blocks and cells of subsets of at most two features.
    `sums` [4]: A - p, v, (A - p) P+, v P+^2. `strata` [10, 3] by p: windows, (A - p)^2 - v, v (1 - 2p)^2.
    """

    cubes: Floats
    sums: Floats
    strata: Floats


def audit_day(rows: DetectorRows, span: slice) -> AuditDay:
    """Return the sums of the windows `span` of `rows`, all of one day, in time order."""
    p, a = rows.p[span], rows.published[span].astype(np.float64)
    variance, excess = p * (1.0 - p), a - p
    following = following_payoff(rows.payoff_p[span], rows.asset[span])
    values = np.stack([excess, excess * following, variance])
    stratum = np.minimum((p * STRATA).astype(np.int64), STRATA - 1)
    scatter = (np.ones(len(p)), excess**2 - variance, variance * (1.0 - 2.0 * p) ** 2)
    space = axes(AUDIT_LITERALS, rows.vocabulary)
    cubes = accumulate_all(rows.bins[span], rows.block[span], values, BLOCKS_PER_DAY, space.subsets)
    return AuditDay(
        cubes=cubes.reshape(3, BLOCKS_PER_DAY, -1)[..., space.cells],
        sums=np.array([x.sum() for x in (excess, variance, values[1], variance * following**2)]),
        strata=np.stack([np.bincount(stratum, weights=x, minlength=STRATA) for x in scatter], axis=1),
    )


def following_payoff(payoff: Floats, asset: NDArray[np.int64]) -> Floats:
    """Return P of the next window of the same asset less the mean of all, 0 for the last one and where unknown.

    `payoff` [n] in time order, NaN where unknown, `asset` [n].
    """
    known = ~np.isnan(payoff)
    paid = np.where(known, payoff, 0.0)
    centred = np.where(known, paid - paid.sum() / max(int(known.sum()), 1), 0.0)
    order = np.argsort(asset, kind="stable")
    same = asset[order][1:] == asset[order][:-1]
    out = np.zeros(len(payoff))
    out[order[:-1][same]] = centred[order[1:][same]]
    return out
