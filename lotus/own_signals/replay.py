"""The nights of a table replayed: slots of the budget year, audits with their memory, lessons that live and may die.

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
    """An accepted lesson, the nights on which it was found, and how it fared on later days.

    `watched` holds day and e-value of each of them (none after one look: no day is left that did not choose it).
    """

    lesson: Lesson
    nights: tuple[str, ...]
    status: str = ALIVE
    watched: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Looks:
    """The nights of a study, in order, and what they found."""

    nights: tuple[NightResult, ...]
    findings: tuple[ReplayedLesson, ...]

    @property
    def decisive(self) -> NightResult | None:
        """The newest night that looked, else the newest one."""
        best = [night for night in self.nights if night.looked] or list(self.nights)
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


def replay(scores: MaturedScores, manifest: Manifest, progress: Steps) -> Looks:
    """Return every night of the table as it would have been."""
    days, memory, nights = sorted(scores.scores), _Memory(), list[NightResult]()
    pasts = pasts_of(scores.scores, scores.vocabulary, KEPT_BYTES)
    for n, day in enumerate(days):
        progress("nights replayed", n, len(days), day)
        _watch(memory, n, day, scores.scores[day], scores.vocabulary, manifest.weave.ttl_days)
        window = tuple(days[max(0, n + 1 - manifest.learning.search_days) : n + 1])
        sources = {name: past for name, past in pasts.items() if past.move(window)}
        night = learn_from(
            sources, window, manifest, night=n + 1, active=memory.active(), slots=memory.slots, audits=memory.audits,
            pooled_slots=memory.pooled, branch="own", vocabulary=scores.vocabulary,
        )  # fmt: skip
        memory.slots, memory.pooled = night.slots, night.pooled.state
        memory.audits = {a.detector_id: a.state for a in night.audits}
        if night.lessons:
            _begin(memory, n, night, pasts, manifest)
        nights.append(night)
        if night.looked:
            progress(f"{day}: looked at {night.trials:,} rules, {len(night.lessons)} new lessons")
    return Looks(tuple(nights), tuple(life.finding for life in memory.lives.values()))


def _begin(memory: _Memory, n: int, night: NightResult, pasts: Mapping[str, Past], manifest: Manifest) -> None:
    """Take up the lessons of a night; one that comes back keeps what was seen of it."""
    tables = {name: pasts[name].rows() for name in {lesson.detector_id for lesson in night.lessons}}
    for lesson in night.lessons:
        key = (lesson.detector_id, lesson.rule)
        blocks = unpatched_blocks(tables[lesson.detector_id], lesson.rule, _others(memory, key))
        life = 2 * manifest.weave.ttl_days
        monitor = watch_blocks(lesson.sign, lesson.claim_bps, lesson.uplift_bps, blocks, life, night.night)
        if monitor is None:
            continue
        before = memory.lives[key].finding if key in memory.lives else ReplayedLesson(lesson, ())
        after = replace(before, lesson=lesson, nights=(*before.nights, night.night), status=ALIVE)
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
