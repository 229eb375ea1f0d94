"""What audits need of one detector and day: additive sums of A - p, of its product with later payoffs, of its scatter.

A day's sums read that day alone and never change. Judging them is `audits`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.learning.axes import axes
from lotus.learning.cube import accumulate_all
from lotus.learning.rows import EXECUTED, DetectorRows
from lotus.timebase import BLOCKS_PER_DAY

STRATA = 10
AUDIT_LITERALS = 2
SPANS = (1, 5)  # horizons over which the payoffs of later windows are summed
LAGS = (1, 2, 4, 8, 16)  # horizons, each twice the one before, after which payoffs are held against each other
LAG_WIDTH = 0.5
FAR = 0.5  # of the outer interval of knots: what lies beyond that is told apart by nothing
HOURS = 24  # steps of a day that are kept apart; later ones count as the last
AUDIT_ARRAYS = ("cubes", "sums", "strata", "pairs", "lags", "steps")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AuditDay:
    """Sums of one day. A: published, p: propensity, P+: payoff of the following window, v = p (1 - p).

    `cubes` [4, 4, c]: A - p, (A - p) Q5, (A - p) P and v over six-hour blocks and cells of one or two features.
    `sums` [9]: A - p, v, (A - p) P+, v P+^2, published and executed windows, of these P = Y, weight far beyond the
    outer knots, all weight, overlap-weighted score. `strata` [10, 3] by p: windows, (A - p)^2 - v, v (1 - 2p)^2.
    `pairs` [3, 2]: (A - p) Q and v Q^2 with Q = the sum of P over the windows within one and five horizons after (Q5),
    and P of the window itself. `lags` [5, 3]: sum of P P', P^2, P'^2 over pairs that many horizons apart. `steps`
    [2, 24]: f - h level and h by step of the day (`forward`).
    """

    cubes: Floats
    sums: Floats
    strata: Floats
    pairs: Floats
    lags: Floats
    steps: Floats


def audit_day(rows: DetectorRows, span: slice) -> AuditDay:
    """Return the sums of the windows `span` of `rows`, all of one day, in time order."""
    p, a = rows.p[span], rows.published[span].astype(np.float64)
    variance, excess = p * (1.0 - p), a - p
    following = following_payoff(rows.payoff_p[span], rows.asset[span])
    spread, own = later_payoffs(rows, span), np.nan_to_num(rows.payoff_p[span])
    values = np.stack([excess, excess * spread[-1], excess * own, variance])
    stratum = np.minimum((p * STRATA).astype(np.int64), STRATA - 1)
    scatter = (np.ones(len(p)), excess**2 - variance, variance * (1.0 - 2.0 * p) ** 2)
    space = axes(AUDIT_LITERALS, rows.vocabulary)
    cubes = accumulate_all(rows.bins[span], rows.block[span], values, BLOCKS_PER_DAY, space.subsets)
    sums = (excess, variance, excess * following, variance * following**2)
    return AuditDay(
        cubes=cubes.reshape(len(values), BLOCKS_PER_DAY, -1)[..., space.cells],
        sums=np.array([*(x.sum() for x in sums), *_facts(rows, span)]),
        strata=np.stack([np.bincount(stratum, weights=x, minlength=STRATA) for x in scatter], axis=1),
        pairs=np.array([[(excess * x).sum(), (variance * x**2).sum()] for x in (*spread, own)]),
        lags=_lags(rows, span),
        steps=_steps(rows, span),
    )


def _facts(rows: DetectorRows, span: slice) -> tuple[float, ...]:
    executed = rows.published[span] & ~np.isnan(rows.payoff_y[span]) & (rows.source[span] >= EXECUTED)
    equal = executed & (rows.payoff_p[span] == rows.payoff_y[span])
    h, share = rows.h[span], rows.share[span]
    far = (share < -FAR) | (share > 1.0 + FAR)
    beyond = h[far].sum() if not np.isnan(rows.level[span]).any() else 0.0
    return float(executed.sum()), float(equal.sum()), float(beyond), float(h.sum()), float(rows.f[span].sum())


def _paid(rows: DetectorRows, span: slice) -> Floats:
    """Return P (Y where it is null) less its mean over the day, 0 where neither is known."""
    modelled, executed = rows.payoff_p[span], rows.payoff_y[span]
    paid = np.where(np.isnan(modelled), executed, modelled)
    known = ~np.isnan(paid)
    mean = float(paid[known].mean()) if known.any() else 0.0
    return np.where(known, paid - mean, 0.0)


def later_payoffs(rows: DetectorRows, span: slice) -> Floats:
    """Return Q [2, n]: what the windows of the same asset within one and five horizons after paid, bps, centred."""
    paid, end, horizon_ms = _paid(rows, span), rows.end_ms[span], 1000 * rows.horizon_s
    out = np.zeros((len(SPANS), len(paid)))
    for asset in np.unique(rows.asset[span]):
        mine = np.flatnonzero(rows.asset[span] == asset)
        total, at = np.concatenate([[0.0], np.cumsum(paid[mine])]), end[mine]
        here = np.searchsorted(at, at, side="right")
        for k, times in enumerate(SPANS):
            out[k, mine] = total[np.searchsorted(at, at + times * horizon_ms, side="right")] - total[here]
    return out


def _lags(rows: DetectorRows, span: slice) -> Floats:
    paid, end, horizon_ms = _paid(rows, span), rows.end_ms[span], 1000 * rows.horizon_s
    out = np.zeros((len(LAGS), 3))
    for asset in np.unique(rows.asset[span]):
        mine = np.flatnonzero((rows.asset[span] == asset) & (paid != 0.0))
        at, own = end[mine], paid[mine]
        for k, lag in enumerate(LAGS):
            other = np.searchsorted(at, at + int(lag * horizon_ms))
            near = np.minimum(other, len(at) - 1)
            pair = (other < len(at)) & (at[near] <= at + int((lag + LAG_WIDTH) * horizon_ms)) if len(at) else at > at
            a, b = own[pair], own[near[pair]]
            out[k] += (a * b).sum(), (a * a).sum(), (b * b).sum()
    return out


def _steps(rows: DetectorRows, span: slice) -> Floats:
    step, h = np.minimum(rows.step[span], HOURS - 1), rows.h[span]
    excess = rows.f[span] - h * np.nan_to_num(rows.level[span])
    return np.stack([np.bincount(step, weights=x, minlength=HOURS) for x in (excess, h)])


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
