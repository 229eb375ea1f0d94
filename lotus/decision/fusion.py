"""Many views become one per coin: weighted by reliability and precision, like views counted once, long before short.

Within a coin and horizon each view j has the variance d_j = (sigma_j^2 + tau0^2) / reliability_j, so that alone it
weighs reliability_j / (sigma_j^2 + tau0^2). Sources whose correlation exceeds the orthogonality floor form a block
(connected components). A block is orthogonalised by its minimum-variance blend, v >= 0 with sum 1 minimising
v' Omega v, where Omega_ij = rho_ij sqrt(d_i d_j): the residual of every member that is used is uncorrelated with the
blend, a copy adds nothing, and no order of the members enters. The block then weighs 1 / v' Omega v; between blocks
correlation counts as none. The mean of all blocks is the view of the horizon.

Across horizons the longest is the anchor. Its path to its own end is a straight line; each shorter view h, from long
to short, tilts what is expected by its surprise against the path, mu_h - E(h), cut to the tilt share of the larger of
both. Ties are broken by (source, event). In the literature: precision weighting, generalised least squares with
non-negative weights (Bates and Granger 1969), temporal reconciliation.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.decision.knowledge.calibration import DmAlpha
from lotus.decision.policy.policy import FusionRule

Floats = NDArray[np.float64]
Correlations = Mapping[tuple[str, str], float]  # (source, source), names rising; a pair that is absent is 0
Key = tuple[int, str]  # horizon and source: unique within a coin
LEAST_RELIABILITY: Final = 1e-3  # a source below it says nothing
RIDGE: Final = 1e-9  # shares a block of exact copies out evenly


@dataclass(frozen=True, slots=True)
class Blend:
    """One view's part: d(fused mu) / d(its mu), what it promised, and the block it was orthogonalised in."""

    source: str
    event_id: str
    lifecycle_id: str
    horizon_s: int
    weight: float
    mu_bps: float
    block: str


@dataclass(frozen=True, slots=True)
class Fused:
    """The one view of a coin: `mu_bps` over the anchor's `horizon_s`, with the parts that made it, heaviest first.

    `effective` is how many independent views of equal weight the `views` are worth.
    """

    coin: str
    horizon_s: int
    mu_bps: float
    anchor_bps: float
    parts: tuple[Blend, ...]
    views: int
    effective: float


@dataclass(frozen=True, slots=True)
class _Level:
    """The view of one horizon: its mean, the weight of each alpha, the precision that blocks and copies leave."""

    horizon_s: int
    mu: float
    weights: Mapping[Key, float]
    blocks: Mapping[Key, str]
    precision: float
    alone: float


def fuse(alphas: Iterable[DmAlpha], correlations: Correlations, rule: FusionRule) -> tuple[Fused, ...]:
    """Return one view per coin, by rising name; views without reliability say nothing.

    Of several views of one source on a coin and horizon the one that lives longest counts, ties by event.
    """
    latest: dict[tuple[str, int, str], DmAlpha] = {}
    for a in sorted(alphas, key=lambda a: (a.coin, a.horizon_s, a.source, a.valid_until_ms, a.event_id)):
        if a.reliability >= LEAST_RELIABILITY:
            latest[(a.coin, a.horizon_s, a.source)] = a
    fused: list[Fused] = []
    for coin, of_coin in groupby(latest.values(), key=lambda a: a.coin):
        levels: list[_Level] = []
        alphas_by_key: dict[Key, DmAlpha] = {}
        for horizon, views in groupby(of_coin, key=lambda a: a.horizon_s):
            group = list(views)
            alphas_by_key |= {(horizon, a.source): a for a in group}
            levels.append(_level(horizon, group, correlations, rule))
        fused.append(_reconciled(coin, levels[::-1], alphas_by_key, rule.tilt_share))
    return tuple(fused)


def blocks_of(sources: Sequence[str], correlations: Correlations, floor: float) -> tuple[tuple[str, ...], ...]:
    """Return the connected components of sources whose correlation exceeds `floor` in size, each and all rising."""
    left, blocks = sorted(set(sources)), []
    while left:
        block, edge = {left[0]}, [left[0]]
        while edge:
            one = edge.pop()
            near = [s for s in left if s not in block and abs(_rho(one, s, correlations)) > floor]
            block.update(near)
            edge += near
        left = [s for s in left if s not in block]
        blocks.append(tuple(sorted(block)))
    return tuple(sorted(blocks))


def blend_weights(omega: Floats) -> Floats:
    """Return v >= 0, f8 [k] with sum 1, minimising v' Omega v (Lawson and Hanson's NNLS); a copy shares evenly."""
    from scipy.optimize import nnls

    scale = float(np.trace(omega)) / len(omega)
    values, vectors = np.linalg.eigh(omega / scale + RIDGE * np.eye(len(omega)))
    root = np.sqrt(np.maximum(values, RIDGE))[:, None] * vectors.T
    v, _ = nnls(np.vstack([root, np.ones((1, len(omega)))]), np.append(np.zeros(len(omega)), 1.0))
    weights: Floats = v / v.sum()
    return weights


def _rho(one: str, other: str, correlations: Correlations) -> float:
    return correlations.get((one, other) if one < other else (other, one), 0.0)


def _level(horizon: int, views: list[DmAlpha], correlations: Correlations, rule: FusionRule) -> _Level:
    by_source = {a.source: a for a in views}
    variance = {s: (a.sigma_bps**2 + rule.tau0_bps**2) / a.reliability for s, a in by_source.items()}
    pulls: dict[str, float] = {}
    blocks: dict[Key, str] = {}
    for block in blocks_of(tuple(by_source), correlations, rule.orthogonality_floor):
        d = np.sqrt(np.array([variance[s] for s in block]))
        same = np.array([[1.0 if a == b else _rho(a, b, correlations) for b in block] for a in block])
        omega = same * np.outer(d, d)
        v = blend_weights(omega) if len(block) > 1 else np.ones(1)
        weight = 1.0 / float(v @ omega @ v)
        for s, share in zip(block, v, strict=True):
            pulls[s] = weight * float(share)
            blocks[(horizon, s)] = "+".join(block) if len(block) > 1 else ""
    total = math.fsum(pulls.values())
    weights = {(horizon, s): pull / total for s, pull in pulls.items()}
    mu = math.fsum(pulls[s] / total * by_source[s].mu_bps for s in sorted(pulls))
    return _Level(
        horizon_s=horizon,
        mu=mu,
        weights=weights,
        blocks=blocks,
        precision=total,
        alone=math.fsum(1.0 / variance[s] for s in sorted(variance)),
    )


def _reconciled(coin: str, levels: list[_Level], alphas: Mapping[Key, DmAlpha], tilt_share: float) -> Fused:
    """Return the anchor tilted by each shorter level; weights follow the same linear steps as the expectation."""
    anchor = levels[0]
    total, path_bps, path_s = anchor.mu, anchor.mu, anchor.horizon_s
    weights, path = dict(anchor.weights), dict(anchor.weights)
    for level in levels[1:]:
        share = level.horizon_s / path_s
        surprise = level.mu - share * path_bps
        limit = tilt_share * max(abs(level.mu), abs(share * path_bps))
        kept = min(1.0, limit / abs(surprise)) if surprise else 0.0
        names = sorted({*path, *level.weights})
        step = {k: kept * (level.weights.get(k, 0.0) - share * path.get(k, 0.0)) for k in names}
        weights = {k: weights.get(k, 0.0) + step[k] for k in names}
        path = {k: share * path.get(k, 0.0) + step[k] for k in names}
        total, path_bps, path_s = total + kept * surprise, share * path_bps + kept * surprise, level.horizon_s
    blocks = {key: block for level in levels for key, block in level.blocks.items()}
    parts = [_part(alphas[key], weight, blocks[key]) for key, weight in weights.items()]
    alone = math.fsum(level.alone for level in levels)
    return Fused(
        coin=coin,
        horizon_s=anchor.horizon_s,
        mu_bps=total,
        anchor_bps=anchor.mu,
        parts=tuple(sorted(parts, key=lambda p: (-abs(p.weight * p.mu_bps), p.source, p.event_id))),
        views=len(alphas),
        effective=len(alphas) * math.fsum(level.precision for level in levels) / alone,
    )


def _part(a: DmAlpha, weight: float, block: str) -> Blend:
    return Blend(
        source=a.source,
        event_id=a.event_id,
        lifecycle_id=a.lifecycle_id,
        horizon_s=a.horizon_s,
        weight=weight,
        mu_bps=a.mu_bps,
        block=block,
    )
