"""The naive table: hit-rate lift per condition with a t-test on windows, the thing that most desks do. It lies.

It takes published windows as independent, ignores why they were published, and pays nothing for the number of
conditions tried. It is here to be shown beside the honest result and must never feed a belief.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lotus.hashing import round_learned
from lotus.learning.axes import axes
from lotus.learning.boxes import box_moments
from lotus.learning.cube import accumulate
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.priors.types import Rule
from lotus.priors.vocabulary import DEFAULT, Vocabulary

MAX_LITERALS, MIN_WINDOWS = 2, 30


@dataclass(frozen=True, slots=True)
class NaiveRow:
    """One condition: hit rate inside and outside over published windows, their difference and its iid z and p value."""

    detector_id: str
    rule: Rule
    windows: int
    hit_rate: float
    hit_rate_outside: float
    lift: float
    z: float
    p_value: float


def naive_table(scores: Mapping[str, Columns], top: int = 20, vocabulary: Vocabulary = DEFAULT) -> list[NaiveRow]:
    """Return the `top` conditions of one or two literals of all detectors by |z| of the difference of hit rates."""
    tables = rows_by_detector(scores, len(scores), vocabulary)
    rows = [row for table in tables.values() for row in _of_detector(table, top)]
    return sorted(rows, key=lambda row: (-abs(row.z), row.detector_id, row.rule))[:top]


def _of_detector(rows: DetectorRows, top: int) -> list[NaiveRow]:
    space = axes(MAX_LITERALS, rows.vocabulary)
    taken = rows.published & ~np.isnan(rows.hit)
    lane, once = np.zeros(len(rows), dtype=np.int64), np.ones(1)
    inside, won = (
        box_moments(
            space.lean(accumulate(rows.bins, lane, np.where(taken, x, 0.0), 1, space.subsets)), once, *space.table
        )[0]
        for x in (np.ones(len(rows)), rows.hit)
    )
    total, all_won = float(taken.sum()), float(rows.hit[taken].sum())
    outside, won_outside = total - inside, all_won - won
    usable = (inside >= MIN_WINDOWS) & (outside >= MIN_WINDOWS)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = all_won / max(total, 1.0)
        rate, other = won / inside, won_outside / outside
        z = (rate - other) / np.sqrt(pooled * (1.0 - pooled) * (1.0 / inside + 1.0 / outside))
    z = np.where(usable & np.isfinite(z), z, 0.0)
    first = np.argsort(-np.abs(z), kind="stable")[:top]
    table_rows = []
    for i in first[z[first] != 0.0]:
        figures = np.array([rate[i], other[i], rate[i] - other[i], z[i], math.erfc(abs(float(z[i])) / math.sqrt(2.0))])
        inner, outer, lift, score, p_value = (float(x) for x in round_learned(figures))
        rule = space.rule(int(i))
        table_rows.append(NaiveRow(rows.detector_id, rule, int(inside[i]), inner, outer, lift, score, p_value))
    return table_rows
