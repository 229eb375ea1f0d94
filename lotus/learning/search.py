"""The search (steps B, T, L, X): evidence of every rule at once, and how large the largest gets by chance.

Of each of the two lanes (`lanes`): T(R) = sum_b g_b D_b / sqrt(sum_b g_b^2 D_b^2) over six-hour blocks. M(R) =
(T^2 - 2 ln N_L) / 2 nats pays for the number of rules of its length (minimum description length). Chance is the same
maximum under random signs, one per day (sign-flip / wild cluster bootstrap, Westfall-Young max-T). Which rules may play
is decided by support alone, the same for data and draws. Choosing among the winners is `greedy`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.axes import Axes
from lotus.learning.boxes import box_moments, path_maxima, weighted_days
from lotus.learning.day_cube import PRESENT, Stack
from lotus.learning.lanes import Both
from lotus.manifest import LearningDefaults

_DEAD = 1e-3  # share of the usual deviation per unit of weight below which a rule is explained by its baseline


@dataclass(frozen=True, slots=True)
class Family:
    """Support of every rule [n_rules] and whether it may play: coverage, published windows, blocks and days.

    `weight` = sum g h and `exposure` = sum g^2 h are those of each lane; the gates look at lane S.
    """

    coverage: NDArray[np.float64]
    weight: Both[NDArray[np.float64]]
    exposure: Both[NDArray[np.float64]]
    published: NDArray[np.float64]
    blocks: NDArray[np.int64]
    days: NDArray[np.int64]
    eligible: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Per rule: sum_b g D, sum_b g^2 D^2, T and M (nats); `day_cube` [days, c] of g-weighted day sums."""

    total: NDArray[np.float64]
    square: NDArray[np.float64]
    t: NDArray[np.float64]
    m: NDArray[np.float64]
    day_cube: NDArray[np.float64]


def family_of(stack: Stack, g: NDArray[np.float64], space: Axes, settings: LearningDefaults) -> Family:
    """Return the support of every rule; g [days] are the day weights."""
    lane_g, once = g[stack.lane_day], np.ones(1)
    weights = np.stack([lane_g, lane_g**2])
    sums = np.concatenate(
        [stack.h.day.sum(axis=0)[None], stack.published[None], weights @ stack.h.day, weights @ stack.h.rest]
    )
    plain, published, weight, exposure, rest_weight, rest_exposure = (
        box_moments(part[None], once, *space.table)[0] for part in sums
    )
    published = np.rint(published)
    coverage = plain / max(stack.total("sum_h"), PRESENT)
    eligible = (coverage >= settings.min_coverage) & (coverage <= settings.max_coverage)
    eligible &= (published >= settings.min_published) & (stack.blocks >= settings.min_blocks)
    eligible &= stack.days_present >= settings.min_days
    return Family(
        coverage, Both(weight, rest_weight), Both(exposure, rest_exposure), published,
        stack.blocks, stack.days_present, eligible,
    )  # fmt: skip


def evidence_of(
    cube: NDArray[np.float64],
    lane_day: NDArray[np.int64],
    g: NDArray[np.float64],
    space: Axes,
    weight: NDArray[np.float64],
) -> Evidence:
    """Return T and M of every rule from sums [blocks, c], the day of each block and day weights g [days].

    `weight` [n_rules] is the overlap weight of each rule. M = -inf where the deviation per unit of it is nothing beside
    that of the usual rule: what is left of a rule that its baseline explains is rounding and ridge.
    """
    lane_g = g[lane_day]
    total, square = box_moments(cube, lane_g, *space.table)
    scale = np.sqrt(square) / np.where(weight > 0.0, weight, np.inf)
    usual = float(np.median(scale[scale > 0.0])) if np.any(scale > 0.0) else np.inf
    alive = scale > _DEAD * usual
    t = np.where(alive, total / np.sqrt(np.where(alive, square, 1.0)), 0.0)
    m = np.where(alive, 0.5 * t * t - space.prices(), -np.inf)
    day_cube = np.zeros((len(g), cube.shape[1]))
    weighted_days(cube, lane_g, lane_day, day_cube)
    return Evidence(total, square, t, m, day_cube)


def draw_squares(
    evidence: Evidence, eligible: NDArray[np.bool_], signs: NDArray[np.float64], space: Axes
) -> NDArray[np.float64]:
    """Return the largest T^2 of each draw by rule length, float64 [4, draws] (row 0 is unused)."""
    usable = eligible & np.isfinite(evidence.m)
    inverse = np.where(usable, 1.0 / np.where(usable, evidence.square, 1.0), 0.0)
    return path_maxima(evidence.day_cube, signs, inverse, space.length, *space.table)


def draw_maxima(
    evidence: Evidence, eligible: NDArray[np.bool_], signs: NDArray[np.float64], space: Axes
) -> NDArray[np.float64]:
    """Return M*_j [draws]: the largest M over the family under each sign path, rounded; -inf for an empty family."""
    squares = draw_squares(evidence, eligible, signs, space)
    lengths = [n for n in np.unique(space.length) if np.any(eligible & (space.rule_lengths() == n))]
    if not lengths:
        return np.full(signs.shape[1], -np.inf)
    return round_learned(np.max([0.5 * squares[n] - space.price[n] for n in lengths], axis=0))


def agreed(evidence: Both[Evidence]) -> NDArray[np.float64]:
    """Return per rule the smaller M of the two lanes, -inf where their signs differ."""
    day, rest = evidence
    return np.where(day.total * rest.total > 0.0, np.minimum(day.m, rest.m), -np.inf)


def beyond(evidence: Both[Evidence], bar: Both[float]) -> NDArray[np.bool_]:
    """Return which rules exceed the bars of both lanes with the same sign."""
    day, rest = evidence
    return (day.total * rest.total > 0.0) & (day.m > bar.day) & (rest.m > bar.rest)


def gain_of(
    evidence: Evidence, eligible: NDArray[np.bool_], exposure: NDArray[np.float64], space: Axes
) -> NDArray[np.float64]:
    """Return per rule the description length saved, nats: (sum_b g D)^2 / (2 v sum_b g^2 H) - ln N_L.

    v, the payoff noise per unit of overlap weight, is the median over the family of sum g^2 D^2 / sum g^2 H. Unlike
    T, which cannot exceed the root of the number of blocks however strong the effect, this does not saturate.
    """
    usable = eligible & (exposure > 0.0)
    if not usable.any():
        return np.full(len(evidence.m), -np.inf)
    noise = float(np.median(evidence.square[usable] / exposure[usable]))
    fit = evidence.total**2 / (2.0 * noise * np.where(usable, exposure, 1.0))
    return np.where(usable, fit - space.prices(), -np.inf)


def best_rule(m: NDArray[np.float64], space: Axes) -> tuple[int, float]:
    """Return number and rounded M of the best rule; equal evidence goes to the rule first in natural order.

    (-1, -inf) when no rule has any.
    """
    top = float(m.max(initial=-np.inf))
    if top == -np.inf:
        return -1, -np.inf
    near = np.flatnonzero(m >= top - 1e-6 * max(1.0, abs(top)))
    rounded = round_learned(m[near])
    tied = near[rounded == rounded.max()]
    return min((int(i) for i in tied), key=space.rule), float(rounded.max())


def one_look_critical(maxima: NDArray[np.float64], alpha: float) -> float:
    """Return the ceil((1 - alpha)(J + 1))-th smallest of the draws' maxima; +inf when J is too small for alpha."""
    rank = int(np.ceil((1.0 - alpha) * (len(maxima) + 1) - 1e-9))
    return float(np.sort(maxima)[rank - 1]) if rank <= len(maxima) else np.inf
