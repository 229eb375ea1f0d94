"""The effect of one rule (step E): uplift over the baseline, its interval, and the bounds that survive the search.

U = sum g D / sum g H over six-hour blocks is what a patch there earns against today's average; C = sum g D / sum g h e
is the contrast of inside and outside (Frisch-Waugh), so U is C times the share of the rule that is not absorbed.
SE^2 = n/(n-1) sum g^2 (D - U H)^2 / (sum g H)^2; windows are never treated as independent. The lower bound
|U| (1 - T_c / |T|), T_c = sqrt(2 c + 2 ln N_L), holds simultaneously over the family.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.learning.basis import Basis
from lotus.learning.demean import demean
from lotus.learning.forward import centred
from lotus.learning.lanes import Both
from lotus.learning.rows import DetectorRows
from lotus.priors.types import Rule

RECENT_DAYS = 20  # of payoffs and prices


def newest_days(n_days: int) -> int:
    """Return how many of the newest days a rule must go on in: a third, 10 to 30."""
    return min(30, max(10, n_days // 3))


Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """Uplift and net payoff of a rule in bps with standard errors, and the number of independent pieces behind them."""

    uplift: float
    se: float
    ci95: tuple[float, float]
    t_stat: float
    recent_t: float
    net_mean: float
    net_low: float
    net_high: float
    contrast: float
    contrast_ci95: tuple[float, float]
    n_blocks: int
    n_days: int
    n_eff_days: float


@dataclass(frozen=True, slots=True)
class LaneSums:
    """Sums [blocks] over the windows inside a rule: weighed h, r and h e; f and h as they are; the day of each block.

    e: the rule's indicator less what the baseline explains of it; the part of the rule that can be told apart. What a
    rule pays in all (`gross` over `plain`) is not weighed: calm blocks would flatter payoffs with rare losses.
    """

    lane_day: NDArray[np.int64]
    weight: Floats
    excess: Floats
    apart: Floats
    gross: Floats
    plain: Floats

    @property
    def kept_share(self) -> float:
        """Share of the rule's weight that its baseline does not absorb, U / C."""
        total = float(self.weight.sum())
        return float(self.apart.sum()) / total if total > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Residuals:
    """What both lanes leave of the weighed scores [n] over one baseline, and the weight [n] of a window in each."""

    basis: Basis
    r: Both[Floats]
    weight: Both[Floats]


def residuals(rows: DetectorRows, believed: tuple[Rule, ...] = ()) -> Residuals:
    """Return both lanes of the windows over the strata and the rules believed."""
    rows, basis = rows.weighed(), rows.basis(believed)
    rest = rows.forward(basis)
    r = demean(basis, rows.h, rows.f, rows.day, len(rows.days))
    return Residuals(basis, Both(r, rest.r), Both(rows.h, rest.weight))


def lane_sums(rows: DetectorRows, r: Floats, basis: Basis, covered: NDArray[np.bool_]) -> LaneSums:
    """Return the sums of the covered windows in lane S; r [n]: weighed scores demeaned on `basis`."""
    h = rows.weight * rows.h
    apart = demean(basis, h, h * covered, rows.day, len(rows.days))
    return LaneSums(rows.lane_day, *(_by_lane(rows, x, covered) for x in (h, r, apart, rows.f, rows.h)))


def plain_sums(
    rows: DetectorRows, left: Residuals, covered: NDArray[np.bool_], among: NDArray[np.bool_] | None = None
) -> Both[LaneSums]:
    """Return the sums of the covered windows in both lanes, without gross payoff and contrast (zero).

    `among`: the windows that hold the covered ones (default: all); lane F is centred on them.
    """
    blank = np.zeros(rows.n_lanes)
    everything = np.ones(len(rows), dtype=np.bool_) if among is None else among

    def sums(weight: Floats, r: Floats, mask: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        return _by_lane(rows, weight, mask), _by_lane(rows, r, mask)

    day_weight, day_r = sums(left.weight.day, left.r.day, covered)
    weight, r = sums(left.weight.rest, left.r.rest, covered)
    all_weight, all_r = sums(left.weight.rest, left.r.rest, everything)
    r = centred(r[:, None], weight[:, None], all_r, all_weight, rows.lane_day)[:, 0]
    return Both(
        LaneSums(rows.lane_day, day_weight, day_r, blank, blank, blank),
        LaneSums(rows.lane_day, weight, r, blank, blank, blank),
    )


def both_sums(rows: DetectorRows, left: Residuals, covered: NDArray[np.bool_]) -> Both[LaneSums]:
    """Return the sums of the covered windows in both lanes; gross and contrast are told of lane S only."""
    return Both(lane_sums(rows, left.r.day, left.basis, covered), plain_sums(rows, left, covered).rest)


def effect_of(lanes: LaneSums, g: Floats) -> Effect:
    """Return the effect of a rule from its sums; g [days] day weights."""
    lane_g = g[lanes.lane_day]
    weight, excess, gross = lanes.weight, lanes.excess, lanes.gross
    used = (weight > 0.0) | (excess != 0.0)  # centred, a block without the rule has its share of the rest
    uplift, se = _ratio(lane_g[used], excess[used], weight[used])
    net, net_se = _ratio(lane_g[used], gross[used], lanes.plain[used])
    contrast, contrast_se = _ratio(lane_g[used], excess[used], lanes.apart[used])
    degrees = max(int(used.sum()) - 1, 1)
    two, one = _student(0.975, degrees), _student(0.95, degrees)
    per_day = np.bincount(lanes.lane_day, weights=weight, minlength=len(g))
    last = lanes.lane_day >= len(g) - newest_days(len(g))
    return Effect(
        uplift=uplift,
        se=se,
        ci95=(uplift - two * se, uplift + two * se),
        t_stat=_uncentred(lane_g * excess),
        recent_t=_uncentred(excess[last]),
        net_mean=net,
        net_low=net - one * net_se,
        net_high=net + one * net_se,
        contrast=contrast,
        contrast_ci95=(contrast - two * contrast_se, contrast + two * contrast_se),
        n_blocks=int((weight > 0.0).sum()),
        n_days=int((per_day > 0.0).sum()),
        n_eff_days=_kish(g * per_day),
    )


def effects_of(sums: Both[LaneSums], g: Floats) -> Both[Effect]:
    """Return the effect of a rule in both lanes."""
    return Both(effect_of(sums.day, g), effect_of(sums.rest, g))


def lower_bound(uplift: float, t_stat: float, critical: float, ln_rules: float) -> float:
    """Return |U| - T_c |U| / |T| in bps, not below -|U|; negative where the evidence is below the critical value."""
    if t_stat == 0.0 or critical == math.inf:
        return -abs(uplift)
    limit = math.sqrt(max(0.0, 2.0 * critical + 2.0 * ln_rules))
    return max(-abs(uplift), abs(uplift) * (1.0 - limit / abs(t_stat)))


def shadow_price(rows: DetectorRows) -> float:
    """Return what one more alert is worth, bps: the h-weighted mean payoff of windows at the margin of publication.

    The margin: p in [.4, .6] over the last 20 learning days; 0 without such windows.
    """
    margin = rows.recent(RECENT_DAYS) & (rows.p >= 0.4) & (rows.p <= 0.6)
    weight = float(rows.h[margin].sum())
    return float(rows.f[margin].sum()) / weight if weight > 0.0 else 0.0


def effective_sample(published: NDArray[np.bool_], p: Floats) -> float:
    """Return ESS = (sum A (1-p))^2 / sum A (1-p)^2 (Kish)."""
    return _kish(np.where(published, 1.0 - p, 0.0))


def _by_lane(rows: DetectorRows, values: Floats, covered: NDArray[np.bool_]) -> Floats:
    sums = np.zeros(rows.n_lanes)
    _add_covered(rows.lane, values, covered, sums)
    return sums


@kernel
def _add_covered(lane: NDArray[np.int64], values: Floats, covered: NDArray[np.bool_], sums: Floats) -> None:
    for i in range(len(values)):
        if covered[i]:
            sums[lane[i]] += values[i]


def _ratio(g: Floats, excess: Floats, weight: Floats) -> tuple[float, float]:
    total, n = float((g * weight).sum()), len(weight)
    if n < 2 or total <= 0.0:
        return 0.0, math.inf
    value = float((g * excess).sum()) / total
    spread = float((g * g * (excess - value * weight) ** 2).sum()) * n / (n - 1)
    return value, math.sqrt(spread) / total


def _uncentred(values: Floats) -> float:
    square = float((values * values).sum())
    return float(values.sum()) / math.sqrt(square) if square > 0.0 else 0.0


def _kish(weights: Floats) -> float:
    square = float((weights * weights).sum())
    return float(weights.sum()) ** 2 / square if square > 0.0 else 0.0


def _student(level: float, degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, level))
