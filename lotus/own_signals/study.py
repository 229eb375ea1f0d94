"""One study of a table: a single look at alpha over the joint family of all detectors, or a replay of its nights.

The learning is that of every other night of Lotus (`lotus.learning.night`); here it is given days, memory and, for
detectors without a logged propensity, an association that is shown and never accepted.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lotus.errors import SchemaError
from lotus.learning.axes import axes
from lotus.learning.demean import demean
from lotus.learning.lesson import Audit, Lesson
from lotus.learning.naive import NaiveRow, naive_table
from lotus.learning.night import ALARM, DetectorReport, learn_night
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.learning.views import Calibration, HeatMap, LifeLine, calibration, heat_map, life_line
from lotus.manifest import LearningDefaults, Manifest
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.horizons import Markout, markouts
from lotus.own_signals.power import Detectable, detectable
from lotus.own_signals.replay import Finding, Looks, replay
from lotus.own_signals.scores import DetectorFacts, Scored
from lotus.priors.vocabulary import Vocabulary, describe_rule

NAIVE_SHOWN = 5
MIN_DAYS: Final = LearningDefaults().min_days + 1  # the first day of an asset has no bins
NO_PROPENSITY: Final = "no propensity was logged: an association, not a lesson; log the probability of every draw"
_SHOWN_REFUSALS = 3  # refused candidates that get a picture


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that a study says: findings, refusals, associations, audits, and the numbers behind its pictures."""

    settings: LearningDefaults
    vocabulary: Vocabulary
    detectors: tuple[DetectorFacts, ...]
    days: tuple[str, ...]
    looks: int
    critical: float
    trials: int
    findings: tuple[Finding, ...]
    refused: tuple[Lesson, ...]
    associations: tuple[Lesson, ...]
    audits: tuple[Audit, ...]
    reports: tuple[DetectorReport, ...]
    detectable: tuple[Detectable, ...]
    calibrations: tuple[Calibration, ...]
    lives: tuple[LifeLine, ...]
    maps: tuple[HeatMap, ...]
    markouts: tuple[tuple[Markout, ...], ...]  # of each finding
    naive: tuple[NaiveRow, ...]


def study(
    found: Scored, config: OwnConfig, *, nightly: bool = False, told: Callable[[str], None] = lambda _: None
) -> Study:
    """Return what the scores of a table teach; `told` hears of progress. Raises `SchemaError` for too few days."""
    if len(found.days) < MIN_DAYS:
        raise SchemaError(
            f"{len(found.days)} days of windows that could be published",
            f"{MIN_DAYS} or more",
            "edges of bins come from days before" if found.days else "propensity 0, or nothing published without one",
        )
    manifest = replace(Manifest(), learning=_settings(config, nightly))
    looks = replay(found, manifest, told) if nightly else _one_look(found, manifest)
    return _study(found, looks, manifest.learning)


def _settings(config: OwnConfig, nightly: bool) -> LearningDefaults:
    base = replace(LearningDefaults(), seed=config.seed, max_literals=config.max_literals)
    if nightly:
        return replace(base, half_life_days=config.half_life_days or base.half_life_days)
    return replace(base, looks="final", search_days=config.last_days, half_life_days=config.half_life_days or math.inf)


def _one_look(found: Scored, manifest: Manifest) -> Looks:
    if not found.scores:
        return Looks((), ())
    night = learn_night(found.scores, manifest, branch="own", vocabulary=found.vocabulary)
    return Looks((night,), tuple(Finding(lesson, (night.night,)) for lesson in night.lessons))


def _study(found: Scored, looks: Looks, settings: LearningDefaults) -> Study:
    night = looks.decisive
    critical = night.critical if night else math.inf
    refused = night.refused if night else ()
    associations, bar = _associations(found, settings)
    naive = tuple(naive_table(found.scores, NAIVE_SHOWN, found.vocabulary))
    tables = rows_by_detector(found.scores, settings.search_days, found.vocabulary) if found.scores else {}
    shown = list(looks.findings)
    shown += [Finding(x, ()) for x in sorted(refused, key=lambda x: -x.m_nats)[:_SHOWN_REFUSALS]]
    lives, maps = _views(tables, shown, found.vocabulary, settings)
    return Study(
        settings=settings,
        vocabulary=found.vocabulary,
        detectors=found.detectors,
        days=found.days,
        looks=sum(n.looked for n in looks.nights),
        critical=critical if night else bar,
        trials=night.trials if night else 0,
        findings=looks.findings,
        refused=refused,
        associations=associations,
        audits=looks.nights[-1].audits if looks.nights else (),
        reports=night.reports if night else (),
        detectable=tuple(detectable(rows, critical, settings) for rows in tables.values() if np.any(rows.h > 0.0)),
        calibrations=tuple(calibration(rows) for rows in tables.values() if np.any(rows.h > 0.0)),
        lives=lives,
        maps=maps,
        markouts=tuple(markouts(tables[f.lesson.detector_id], f.lesson.rule, found.payoffs) for f in looks.findings),
        naive=naive,
    )


def _views(
    tables: dict[str, DetectorRows], shown: Iterable[Finding], vocabulary: Vocabulary, settings: LearningDefaults
) -> tuple[tuple[LifeLine, ...], tuple[HeatMap, ...]]:
    """Return life and map of each lesson, over the baseline of its detector alone."""
    space = axes(settings.max_literals, vocabulary)
    residuals = {}
    lives, maps = [], []
    for finding in shown:
        lesson = finding.lesson
        rows = tables[lesson.detector_id]
        if lesson.detector_id not in residuals:
            residuals[lesson.detector_id] = demean(rows.basis(), rows.h, rows.f, rows.day, len(rows.days))
        r, title = residuals[lesson.detector_id], f"{lesson.detector_id}: {describe_rule(lesson.rule, vocabulary)}"
        line = life_line(rows, r, lesson.rule, title, float(space.price[len(lesson.rule.literals)]))
        lives.append(replace(line, watched=finding.watched))
        maps.append(heat_map(rows, r, lesson.rule, title))
    return tuple(lives), tuple(maps)


def _associations(found: Scored, settings: LearningDefaults) -> tuple[tuple[Lesson, ...], float]:
    """Return what published windows of detectors without propensity show, and the bar it had to pass; grade D."""
    if not found.associations:
        return (), math.inf
    once = replace(settings, looks="final", search_days=len(found.associations))
    manifest = replace(Manifest(), learning=once)
    night = learn_night(found.associations, manifest, branch="own", vocabulary=found.vocabulary)
    passed = [*night.lessons, *(x for x in night.refused if x.m_nats > night.critical and x.reason.startswith(ALARM))]
    return tuple(replace(x, grade="D", state="REFUSED", reason=NO_PROPENSITY).named() for x in passed), night.critical
