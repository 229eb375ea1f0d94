"""The nightly runs of a table replayed: alpha slots of the budget year, audits with memory, lessons and their end.

An accepted lesson joins the baseline for its time to live. From the day after it was found an e-process watches it on
days that did not choose it; when that reaches 20 the lesson is reverted and leaves the baseline. Nothing is patched:
the draws in the files are what they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lotus.learning.lanes import Both
from lotus.learning.lesson import AuditState, Lesson
from lotus.learning.monitor import Monitor, observe, unpatched_blocks, watch_blocks
from lotus.learning.night import NightResult, learn_from
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.learning.slots import NOTHING_SPENT, SlotState
from lotus.manifest import Manifest
from lotus.own_signals.past import Past, pasts_of
from lotus.own_signals.scores import MaturedScores
from lotus.priors.types import Rule
from lotus.priors.vocabulary import Vocabulary
from lotus.progress.steps import Steps

KEPT_BYTES = 2**32  # of sums of days, all detectors together
ALIVE, EXPIRED, REVERTED = "active", "expired", "reverted"

Key = tuple[str, Rule]


@dataclass(frozen=True, slots=True)
class ReplayedLesson:
    """An accepted lesson, the runs in which it was found, and how it fared on later days.

    `watched` holds day and e-value of each of them (none after a single analysis: every day took part in the choice).
    """

    lesson: Lesson
    nights: tuple[str, ...]
    status: str = ALIVE
    watched: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The nightly runs of a study, in order, and what they found."""

    runs: tuple[NightResult, ...]
    findings: tuple[ReplayedLesson, ...]

    @property
    def decisive(self) -> NightResult | None:
        """The newest run with an interim analysis, else the newest one."""
        best = [run for run in self.runs if run.looked] or list(self.runs)
        return best[-1] if best else None


@dataclass(frozen=True, slots=True)
class _Life:
    finding: ReplayedLesson
    since: int
    monitor: Monitor


@dataclass(slots=True)
class _Memory:
    slots: Both[SlotState] = NOTHING_SPENT
    pooled: SlotState = field(default_factory=SlotState)
    audits: Mapping[str, AuditState] = field(default_factory=dict)
    lives: dict[Key, _Life] = field(default_factory=dict)

    def active(self) -> list[Key]:
        """Return detector and rule of every lesson in force."""
        return [key for key, life in self.lives.items() if life.finding.status == ALIVE]


def replay(scores: MaturedScores, manifest: Manifest, progress: Steps) -> RunHistory:
    """Return every nightly run of the table as it would have been."""
    days, memory, runs = sorted(scores.scores), _Memory(), list[NightResult]()
    pasts = pasts_of(scores.scores, scores.vocabulary, KEPT_BYTES)
    for n, day in enumerate(days):
        progress("nights replayed", n, len(days), day)
        _watch(memory, n, day, scores.scores[day], scores.vocabulary, manifest.weave.ttl_days)
        window = tuple(days[max(0, n + 1 - manifest.learning.search_days) : n + 1])
        sources = {name: past for name, past in pasts.items() if past.move(window)}
        run = learn_from(
            sources, window, manifest, night=n + 1, active=memory.active(), slots=memory.slots, audits=memory.audits,
            pooled_slots=memory.pooled, branch="own", vocabulary=scores.vocabulary,
        )  # fmt: skip
        memory.slots, memory.pooled = run.slots, run.pooled.state
        memory.audits = {a.detector_id: a.state for a in run.audits}
        if run.lessons:
            _begin(memory, n, run, pasts, manifest)
        runs.append(run)
        if run.looked:
            progress(f"{day}: looked at {run.trials:,} rules, {len(run.lessons)} new lessons")
    return RunHistory(tuple(runs), tuple(life.finding for life in memory.lives.values()))


def _begin(memory: _Memory, n: int, run: NightResult, pasts: Mapping[str, Past], manifest: Manifest) -> None:
    """Take up the lessons of a run; one that comes back keeps its history."""
    tables = {name: pasts[name].rows() for name in {lesson.detector_id for lesson in run.lessons}}
    for lesson in run.lessons:
        key = (lesson.detector_id, lesson.rule)
        blocks = unpatched_blocks(tables[lesson.detector_id], lesson.rule, _others(memory, key))
        life = 2 * manifest.weave.ttl_days
        monitor = watch_blocks(lesson.sign, lesson.claim_bps, lesson.uplift_bps, blocks, life, run.night)
        if monitor is None:
            continue
        before = memory.lives[key].finding if key in memory.lives else ReplayedLesson(lesson, ())
        after = replace(before, lesson=lesson, nights=(*before.nights, run.night), status=ALIVE)
        memory.lives[key] = _Life(after, n, monitor)


def _watch(memory: _Memory, n: int, day: str, scores: Columns, words: Vocabulary, ttl_days: int) -> None:
    """Let a day judge the lessons that were found before it; revert the dead and let go of the old."""
    if not memory.active():
        return
    tables = rows_by_detector({day: scores}, 1, words)
    for key in memory.active():
        life = memory.lives[key]
        if key[0] in tables:
            life = _observed(life, day, tables[key[0]], _others(memory, key))
        status = REVERTED if life.monitor.dead else EXPIRED if n - life.since > ttl_days else ALIVE
        memory.lives[key] = replace(life, finding=replace(life.finding, status=status))


def _observed(life: _Life, day: str, rows: DetectorRows, others: list[Rule]) -> _Life:
    monitor = observe(life.monitor, unpatched_blocks(rows, life.finding.lesson.rule, others))
    watched = (*life.finding.watched, (day, monitor.e_value))
    return _Life(replace(life.finding, watched=watched), life.since, monitor)


def _others(memory: _Memory, key: Key) -> list[Rule]:
    return [rule for detector, rule in memory.active() if detector == key[0] and rule != key[1]]
