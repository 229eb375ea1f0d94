"""One study of a table: one analysis at alpha over all detectors together, or a replay of its nightly runs.

The learning is that of every nightly run of Lotus (`lotus.learning.night`); here it is given days, memory and, for
detectors without a logged propensity, an association that is shown and never accepted.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lotus.errors import SchemaError
from lotus.learning.lanes import NO_SLOT, Both
from lotus.learning.lesson import Audit, Lesson
from lotus.learning.naive import NaiveRow
from lotus.learning.night import ALARM, DetectorReport, NightResult, learn_from
from lotus.learning.views import Calibration, HeatMap, LifeLine
from lotus.manifest import LearningDefaults, Manifest
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.days import Days
from lotus.own_signals.horizons import Markout
from lotus.own_signals.past import Past, pasts_of
from lotus.own_signals.power import Detectable
from lotus.own_signals.replay import ReplayedLesson, RunHistory, replay
from lotus.own_signals.report.portrait import NAIVE_SHOWN, Portrait, View, portrait
from lotus.own_signals.report.readings import Readings
from lotus.own_signals.scores import DetectorFacts, MaturedScores
from lotus.priors.types import Rule
from lotus.priors.vocabulary import Vocabulary
from lotus.progress.steps import Steps, untold

MIN_DAYS: Final = LearningDefaults().min_days + 1  # the first day of an asset has no bins
NO_PROPENSITY: Final = "no propensity was logged: an association, not a lesson; log the probability of every draw"
SEARCHED: Final = "detectors searched"
_SHOWN_REFUSALS = 3  # refused candidates that get a picture


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that a study says: findings, refusals, associations, audits, and the numbers behind its pictures."""

    settings: LearningDefaults
    vocabulary: Vocabulary
    readings: Readings
    detectors: tuple[DetectorFacts, ...]
    days: tuple[str, ...]
    file_days: tuple[str, ...]
    looks: int
    critical: Both[float]
    trials: int
    findings: tuple[ReplayedLesson, ...]
    proposals: tuple[Lesson, ...]
    pooled_critical: float
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


def study(scores: MaturedScores, config: OwnConfig, *, nightly: bool = False, progress: Steps = untold) -> Study:
    """Return what the scores of a table teach; `progress` hears of progress. Raises `SchemaError` for too few days."""
    if len(scores.days) < MIN_DAYS:
        raise SchemaError(
            f"{len(scores.days)} days of windows that could be published",
            f"{MIN_DAYS} or more",
            "edges of bins come from days before" if scores.days else "propensity 0, or nothing published without one",
        )
    manifest = replace(Manifest(), learning=_settings(config, nightly))
    history = replay(scores, manifest, progress) if nightly else _one_analysis(scores, manifest, progress)
    return _study(scores, history, manifest.learning, progress)


def _settings(config: OwnConfig, nightly: bool) -> LearningDefaults:
    base = replace(LearningDefaults(), seed=config.seed, max_literals=config.max_literals)
    if nightly:
        return replace(base, half_life_days=config.half_life_days or base.half_life_days)
    return replace(base, looks="final", search_days=config.last_days, half_life_days=config.half_life_days or math.inf)


def _one_analysis(scores: MaturedScores, manifest: Manifest, progress: Steps) -> RunHistory:
    if not scores.scores:
        return RunHistory((), ())
    run = _run(scores.scores, scores.vocabulary, manifest, progress)
    return RunHistory((run,), tuple(ReplayedLesson(lesson, (run.night,)) for lesson in run.lessons))


class _Searched(dict[str, Past]):
    """Pasts of detectors; tells of each when the search first asks for it."""

    def __init__(self, pasts: Mapping[str, Past], progress: Steps) -> None:
        super().__init__(pasts)
        self._progress, self._asked = progress, dict[str, None]()

    def __getitem__(self, name: str) -> Past:
        if name not in self._asked:
            self._progress(SEARCHED, len(self._asked), len(self), name)
            self._asked[name] = None
        return super().__getitem__(name)


def _run(scores: Days, words: Vocabulary, manifest: Manifest, progress: Steps = untold) -> NightResult:
    """Return the run of the last day, the windows of one detector laid out at a time and no sums kept."""
    days = tuple(scores)[-manifest.learning.search_days :]
    pasts = pasts_of(scores, words, 0)
    sources = {name: past for name, past in pasts.items() if past.move(days)}
    searched = _Searched(sources, progress)
    result = learn_from(searched, days, manifest, night=len(scores), branch="own", vocabulary=words)
    progress(SEARCHED, len(sources), len(sources))
    return result


def _study(scores: MaturedScores, history: RunHistory, settings: LearningDefaults, progress: Steps) -> Study:
    run = history.decisive
    critical = run.critical if run else NO_SLOT
    refused = run.refused if run else ()
    associations, bar = _associations(scores, settings)
    shown = _shown(history.findings, refused)
    seen = dict[str, Portrait]()
    for name in scores.scores.detectors:
        progress("detectors described", len(seen), len(scores.scores.detectors), name)
        own = [x for x in shown if x[0].lesson.detector_id == name]
        seen[name] = portrait(scores, name, own, critical.rest, settings)
    progress("detectors described", len(seen), len(seen))
    views = _in_order(seen, shown)
    naive = sorted(
        (row for p in seen.values() for row in p.naive), key=lambda row: (-abs(row.z), row.detector_id, row.rule)
    )
    proposals, pooled_critical = _proposals(history)
    return Study(
        settings=settings,
        vocabulary=scores.vocabulary,
        readings=scores.readings,
        detectors=scores.detectors,
        days=scores.days,
        file_days=scores.file_days,
        looks=sum(n.looked for n in history.runs),
        critical=critical if run else bar,
        trials=run.trials if run else 0,
        findings=history.findings,
        proposals=proposals,
        pooled_critical=pooled_critical,
        refused=refused,
        associations=associations,
        audits=history.runs[-1].audits if history.runs else (),
        reports=run.reports if run else (),
        detectable=tuple(p.detectable for p in seen.values() if p.detectable),
        calibrations=tuple(p.calibration for p in seen.values() if p.calibration),
        lives=tuple(view.life for view in views),
        maps=tuple(view.map for view in views),
        markouts=tuple(view.markouts for view in views[: len(history.findings)]),
        naive=tuple(naive[:NAIVE_SHOWN]),
    )


def _shown(
    findings: Sequence[ReplayedLesson], refused: Sequence[Lesson]
) -> list[tuple[ReplayedLesson, tuple[Rule, ...]]]:
    """Return what gets a picture, each with the rules in the baseline that it was judged on."""
    accepted: dict[str, tuple[Rule, ...]] = {}
    out = []
    for finding in findings:
        name = finding.lesson.detector_id
        out.append((finding, accepted.get(name, ())))
        accepted[name] = (*accepted.get(name, ()), finding.lesson.rule)
    for lesson in sorted(refused, key=lambda x: -x.m_nats)[:_SHOWN_REFUSALS]:
        last = lesson.m_nats <= lesson.critical  # the one that ended the search, when the lessons were in the baseline
        out.append((ReplayedLesson(lesson, ()), accepted.get(lesson.detector_id, ()) if last else ()))
    return out


def _in_order(seen: Mapping[str, Portrait], shown: Sequence[tuple[ReplayedLesson, tuple[Rule, ...]]]) -> list[View]:
    left = {name: iter(p.views) for name, p in seen.items()}
    return [next(left[finding.lesson.detector_id]) for finding, _ in shown]


def _proposals(history: RunHistory) -> tuple[tuple[Lesson, ...], float]:
    """Return the newest of every proposal that is no lesson already, and the bar of the newest pooled analysis."""
    lessons = {(f.lesson.detector_id, f.lesson.rule) for f in history.findings}
    proposals = {(x.detector_id, x.rule): x for run in history.runs for x in run.proposals}
    bars = [run.pooled.critical for run in history.runs if run.pooled.critical < math.inf]
    return tuple(x for key, x in sorted(proposals.items()) if key not in lessons), bars[-1] if bars else math.inf


def _associations(scores: MaturedScores, settings: LearningDefaults) -> tuple[tuple[Lesson, ...], Both[float]]:
    """Return what published windows of detectors without propensity show, and the bar it had to pass; grade D."""
    if not scores.associations:
        return (), NO_SLOT
    once = replace(settings, looks="final", search_days=len(scores.associations), pooled_alpha=0.0)
    run = _run(scores.associations, scores.vocabulary, replace(Manifest(), learning=once))
    passed = [*run.lessons, *(x for x in run.refused if x.m_nats > x.critical and x.reason.startswith(ALARM))]
    return tuple(replace(x, grade="D", state="REFUSED", reason=NO_PROPENSITY).named() for x in passed), run.critical
