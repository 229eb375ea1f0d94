"""Who is given compute: Thompson sampling over a Bayesian linear model, within a quota, by exact logged probabilities.

Reward of arm a in week t: r = x_t'b + e_a + noise, b ~ N(0, s_b^2), e_a ~ N(0, s_e^2): common effects of the context,
and arms that are partly pooled. Variances by moments of what was seen. Each of 64 draws of (b, e) fills the quota by
(value - mu cost) / cost; q is the share of draws that take an arm, clipped to [.05, .95], at least .25 for the three
least supported, and scaled into the quota by `systematic`. Literature: W. Thompson, 1933; S. Agrawal, N. Goyal,
"Thompson sampling for contextual bandits with linear payoffs", 2013; D. Horvitz, D. Thompson, 1952.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.governance.systematic import DEAR, LEAST, Draw, within_quota
from lotus.hashing import key64

DRAWS: Final = 64
MOST: Final = 0.95
FEW: Final = 3
ENOUGH: Final = 12  # weeks, after which an arm is supported
FEW_SHARE: Final = 0.25  # the least supported arms, and their probability at least
MEMORY: Final = 52  # weeks
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ArmsSeen:
    """What was seen before: arm i8[n] (place), context f8[n, features] and reward f8[n] of arms that were computed."""

    arm: NDArray[np.int64]
    context: Floats
    reward: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """Normal posterior of the values of arms under a context: mean f8[arms], covariance f8[arms, arms]."""

    mean: Floats
    covariance: Floats


def believed(seen: ArmsSeen, context: Floats, arms: int) -> Belief:
    """Return the posterior of every arm's reward under a context f8[features]."""
    noise, between = _variances(seen, arms)
    features = len(context)
    prior = np.concatenate([np.full(features, between), np.full(arms, between)])
    design = np.zeros((len(seen.reward), features + arms))
    design[:, :features] = seen.context
    design[np.arange(len(seen.arm)), features + seen.arm] = 1.0
    precision = design.T @ design / noise + np.diag(1.0 / prior)
    covariance = np.linalg.inv(precision)
    mean = covariance @ (design.T @ seen.reward) / noise
    now = np.hstack([np.tile(context, (arms, 1)), np.eye(arms)])
    return Belief(now @ mean, now @ covariance @ now.T)


def _variances(seen: ArmsSeen, arms: int) -> tuple[float, float]:
    """Return the variance of one reward about its arm, and that between arms; 1 where nothing is seen."""
    n = np.bincount(seen.arm, minlength=arms).astype(np.float64)
    some = n > 0
    if not some.any():
        return 1.0, 1.0
    mean = np.divide(np.bincount(seen.arm, seen.reward, arms), n, out=np.zeros(arms), where=some)
    freedom = float(n.sum() - some.sum())
    total = max(float(np.mean(seen.reward**2)), 1e-12)
    noise = float(((seen.reward - mean[seen.arm]) ** 2).sum()) / freedom if freedom > 0 else total
    noise = max(noise, 1e-6 * total)
    between = float((mean[some] ** 2 - noise / n[some]).mean())
    return noise, max(between, 0.05 * noise)


def wanted(belief: Belief, cost: Floats, quota: float, price: float, normal: Floats, support: Floats) -> Floats:
    """Return the probabilities f8[arms] that arms should have, before they are scaled into the quota.

    `normal` f8[64, arms]: standard normal; `support` f8[arms]: how often each was seen; `price`: mu, of a unit of cost.
    """
    values, vectors = np.linalg.eigh(belief.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    worth = belief.mean + normal @ root.T - price * cost
    rank = np.argsort(-worth / cost, axis=1, kind="stable")
    room, taken, rows = np.full(len(normal), quota), np.zeros(len(cost)), np.arange(len(normal))
    for k in range(len(cost)):
        arm = rank[:, k]
        fits = (worth[rows, arm] > 0.0) & (cost[arm] <= room)
        room -= np.where(fits, cost[arm], 0.0)
        taken += np.bincount(arm[fits], minlength=len(cost))
    q = np.clip(taken / len(normal), LEAST, MOST)
    fewest = np.lexsort((np.arange(len(cost)), cost, support))
    fewest = fewest[(support[fewest] < ENOUGH) & (cost[fewest] <= DEAR * quota)][:FEW]
    q[fewest] = np.maximum(q[fewest], FEW_SHARE)
    return q


def allocate(
    seen: ArmsSeen, context: Floats, cost: Floats, quota: float, name: Sequence[str], price: float = 0.0
) -> Draw:
    """Return who is drawn this week; `name` keys the generator (Philox), so the same week draws the same.

    `cost` f8[arms]: NaN = not measured, which counts as the dearest and has the least probability.
    """
    rng = np.random.Generator(np.random.Philox(key=key64("compute", *name)))
    normal, (first, second) = rng.standard_normal((DRAWS, len(cost))), rng.random(2)
    dearest = float(np.nanmax(cost)) if np.isfinite(cost).any() else quota
    full = np.maximum(np.where(np.isfinite(cost), cost, dearest), 1e-9)
    support = np.bincount(seen.arm, minlength=len(cost)).astype(np.float64)
    belief = believed(seen, context, len(cost))
    likes = wanted(belief, full, quota, price, normal, support)
    likes = np.where(np.isfinite(cost), likes, LEAST)
    return within_quota(likes, full, quota, belief.mean - price * full, float(first), float(second))
