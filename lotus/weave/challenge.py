"""Champion and challenger on matched windows: what each one's tilt earns on the same days, weights and blocks.

Both may not act together: they have the same axes, or their windows overlap by more than the conflict rule allows. To
first order a tilt gains sum r delta, r the score at the propensity without braids, demeaned over the other braids in
force. Both gains are divided by the overlap weight of the windows that either covers, so they answer one question: bps
per unit of matched weight. Nothing is replaced here. In the literature: paired off-policy comparison.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.effect import LaneSums, effect_of
from lotus.learning.lesson import Lesson
from lotus.learning.monitor import Blocks, blocks_of, unpatched_residuals
from lotus.learning.rows import DetectorRows, day_weights
from lotus.priors.types import Rule
from lotus.priors.vocabulary import rule_mask
from lotus.weave.braid import Braid, believed
from lotus.weave.conflict import jaccard

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Match:
    """What champion and challenger earn per unit of matched overlap weight, bps, with 95 % intervals over blocks."""

    champion_bps: float
    champion_ci95: Interval
    challenger_bps: float
    challenger_ci95: Interval

    @property
    def won(self) -> bool:
        """Whether the challenger's interval lies wholly above the champion's."""
        return self.challenger_ci95[0] > self.champion_ci95[1]

    def words(self) -> str:
        """Return both estimates in words."""
        return (
            f"on matched windows it earns {self.challenger_bps:.3f} bps {_span(self.challenger_ci95)}, "
            f"the champion {self.champion_bps:.3f} {_span(self.champion_ci95)}"
        )


def rivals(
    board: Sequence[Braid],
    lesson: Lesson,
    rows: DetectorRows | None,
    bins: NDArray[np.uint8],
    max_overlap: float,
) -> list[Braid]:
    """Return the champions of a lesson: micro braids in force of its detector that may not act beside it.

    They have its rule, or share more than `max_overlap` (Jaccard) of the windows of the search window (`rows`) or of
    the last day (`bins` [n, 12]), by which the conflict programme goes.
    """
    mine = [b for b in board if b.detector_id == lesson.detector_id and b.braid_type == "micro" and b.in_force]
    tables = [bins] if rows is None else [bins, rows.bins]

    def overlap(rule: Rule) -> float:
        return max(jaccard(rule_mask(rule, table), rule_mask(lesson.rule, table)) for table in tables)

    return [b for b in mine if b.rule == lesson.rule or overlap(b.rule) > max_overlap]


def matched(
    board: Sequence[Braid],
    champion: Braid,
    lesson: Lesson,
    tilts: tuple[float, float],
    rows: DetectorRows,
    half_life_days: float,
) -> Match:
    """Return both on the rows of the search window; `tilts` (logit) is what the target of each realises there.

    Told is the lane in which the challenger leads by less: it must win in both.
    """
    others = believed(board, champion.detector_id, (champion.braid_id,))
    left = unpatched_residuals(rows, [rule for rule in others if rule != lesson.rule])
    either = (rows.covered(champion.rule) | rows.covered(lesson.rule)).astype(np.float64)
    g = day_weights(len(rows.days), half_life_days)

    def earned(rule: Rule, delta: float) -> list[tuple[float, Interval]]:
        blocks = blocks_of(rows, left, delta * rows.covered(rule).astype(np.float64), either)
        return [_earned(rows, lane, g) for lane in (blocks, blocks.rest) if lane is not None]

    pairs = zip(earned(champion.rule, tilts[0]), earned(lesson.rule, tilts[1]), strict=True)
    return min((Match(*old, *new) for old, new in pairs), key=lambda x: x.challenger_ci95[0] - x.champion_ci95[1])


def _earned(rows: DetectorRows, blocks: Blocks, g: NDArray[np.float64]) -> tuple[float, Interval]:
    effect = effect_of(LaneSums(rows.lane_day, blocks.weight, blocks.gain, *[blocks.weight] * 3), g)
    value, low, high = (float(x) for x in round_learned(np.array([effect.uplift, *effect.ci95])))
    return value, (low, high)


def _span(interval: Interval) -> str:
    return f"({interval[0]:.3f} to {interval[1]:.3f})"
