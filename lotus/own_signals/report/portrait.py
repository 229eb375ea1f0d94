"""What is described of one detector beside its lessons: calibration, power, mark-outs, lives, maps, the naive table.

One detector at a time, so that only its windows are laid out. Nothing here decides anything. A rule is drawn over the
baseline that it was judged on: the detector's strata and the lessons accepted before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lotus.learning.axes import Axes, axes
from lotus.learning.demean import demean
from lotus.learning.naive import NaiveRow, naive_table
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.learning.views import Calibration, HeatMap, LifeLine, calibration, heat_map, life_line
from lotus.manifest import LearningDefaults
from lotus.own_signals.horizons import Markout, markouts
from lotus.own_signals.power import Detectable, detectable
from lotus.own_signals.replay import ReplayedLesson
from lotus.own_signals.scores import MaturedScores
from lotus.own_signals.table import Floats
from lotus.priors.types import Rule
from lotus.priors.vocabulary import describe_rule

NAIVE_SHOWN = 5


@dataclass(frozen=True, slots=True)
class View:
    """Mark-outs, life and map of one rule."""

    markouts: tuple[Markout, ...]
    life: LifeLine
    map: HeatMap


@dataclass(frozen=True, slots=True)
class Portrait:
    """One detector; `views` in the order of what was asked, `calibration` and `detectable` None without any chance."""

    naive: tuple[NaiveRow, ...]
    detectable: Detectable | None
    calibration: Calibration | None
    views: tuple[View, ...]


def portrait(
    scores: MaturedScores,
    name: str,
    shown: Sequence[tuple[ReplayedLesson, tuple[Rule, ...]]],
    critical: float,
    settings: LearningDefaults,
) -> Portrait:
    """Return what is described of a detector and of the findings `shown`, each with the rules in its baseline."""
    days = scores.scores.of(name)
    naive = tuple(naive_table(days, NAIVE_SHOWN, scores.vocabulary))
    rows = rows_by_detector(days, settings.search_days, scores.vocabulary)[name]
    space, drawn = axes(settings.max_literals, scores.vocabulary), bool(np.any(rows.h > 0.0))
    baselines = {believed: residual(rows, believed) for believed in dict.fromkeys(b for _, b in shown)}
    return Portrait(
        naive,
        detectable(rows, critical, settings) if drawn else None,
        calibration(rows) if drawn else None,
        tuple(_view(scores, finding, rows, baselines[believed], space) for finding, believed in shown),
    )


def residual(rows: DetectorRows, believed: tuple[Rule, ...]) -> Floats:
    """Return lane S of weighed windows over the strata and the rules believed, float64 [n]; day by day."""
    out = np.empty(len(rows))
    bounds = np.searchsorted(rows.day, np.arange(len(rows.days) + 1))
    for a, b in pairwise(bounds.tolist()):
        basis = rows.basis(believed, slice(a, b))
        out[a:b] = demean(basis, rows.h[a:b], rows.f[a:b], np.zeros(b - a, dtype=np.int64), 1)
    return out


def _view(scores: MaturedScores, finding: ReplayedLesson, rows: DetectorRows, r: Floats, space: Axes) -> View:
    rule = finding.lesson.rule
    title = f"{rows.detector_id}: {describe_rule(rule, scores.vocabulary)}"
    line = life_line(rows, r, rule, title, float(space.price[len(rule.literals)]))
    horizons = markouts(rows, rule, scores.outcomes)
    return View(horizons, replace(line, watched=finding.watched), heat_map(rows, r, rule, title))
