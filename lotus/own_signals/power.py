"""The smallest uplift this sample could have shown: minimum detectable effect at 80 % power.

MDE(L, coverage) = (T_c(L) + 0.84) s / sqrt(coverage H), T_c(L) = sqrt(2 c + 2 ln N_L): c is the bar in nats, H the
sum of overlap weights (with day weights: (sum g H)^2 / sum g^2 H), s the payoff noise per unit of weight over six-hour
blocks, measured on rules of one literal in lane F, which sees less than lane S and must agree. T of n blocks cannot
exceed sqrt(n), so a bar beyond that shows nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lotus.learning.axes import Axes, axes
from lotus.learning.day_cube import day_cubes, stacked
from lotus.learning.rows import DetectorRows, day_weights
from lotus.learning.search import evidence_of, family_of
from lotus.manifest import LearningDefaults
from lotus.priors.vocabulary import rule_counts

COVERAGES = (0.06, 0.12, 0.25)
_Z80 = 0.8416212335729143


@dataclass(frozen=True, slots=True)
class Detectable:
    """What one detector's sample could show: bps of uplift by rule length (1..3) and coverage; None = nothing could.

    `noise_bps` is s; `weight` the effective sum of overlap weights H; `blocks` of six hours.
    """

    detector_id: str
    noise_bps: float
    weight: float
    blocks: int
    bps: tuple[tuple[float | None, ...], ...]


def detectable(rows: DetectorRows, critical: float, settings: LearningDefaults) -> Detectable:
    """Return the minimum detectable effects of one detector under the bar `critical`, nats."""
    g = day_weights(len(rows.days), settings.half_life_days)
    lax = replace(settings, min_published=1, min_blocks=2, min_days=1)
    space: Axes = axes(1, rows.vocabulary)
    stack = stacked(day_cubes(rows, (), space), rows.days, space)
    family = family_of(stack, g, space, lax)
    exposure = family.exposure.rest
    evidence = evidence_of(stack.r.rest, stack.lane_day, g, space, family.weight.rest)
    usable = family.eligible & (exposure > 0.0) & (evidence.square > 0.0)
    noise = math.sqrt(float(np.median(evidence.square[usable] / exposure[usable]))) if usable.any() else 0.0
    weights = rows.forward(rows.basis()).weight
    per_day = np.bincount(rows.day, weights=weights, minlength=len(rows.days))
    weight = float((g * per_day).sum()) ** 2 / max(float((g * g * per_day).sum()), 1e-300)
    counts = rule_counts(rows.vocabulary)[: settings.max_literals]
    table = smallest_effects(noise, weight, rows.n_lanes, critical, counts)
    return Detectable(rows.detector_id, noise, weight, rows.n_lanes, table)


def smallest_effects(
    noise: float, weight: float, blocks: float, critical: float, counts: Sequence[int]
) -> tuple[tuple[float | None, ...], ...]:
    """Return MDE in bps by rule length (`counts` = N_L) and coverage, None where no effect would reach the bar."""
    table = []
    for n_rules in counts:
        bar = math.sqrt(2.0 * critical + 2.0 * math.log(n_rules)) if n_rules and math.isfinite(critical) else math.inf
        reachable = noise > 0.0 and bar < math.sqrt(blocks)
        table.append(
            tuple((bar + _Z80) * noise / math.sqrt(share * weight) if reachable else None for share in COVERAGES)
        )
    return tuple(table)
