"""One night of learning: scores of the days so far in, lessons with their reasons out. Pure and deterministic.

All detectors are one family: a draw's maximum is taken over every detector and eligible rule with the same signs.
Reading scores, storing results and turning lessons into priors are others' work.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.hashing import round_learned
from lotus.learning.audits import AUDIT_DAYS, audit
from lotus.learning.axes import Axes, axes
from lotus.learning.bench import Bench, below_the_bar, outsider, rounded, sums_in_box
from lotus.learning.day_cube import DayCube, Stack, day_cubes, stacked
from lotus.learning.effect import LaneSums
from lotus.learning.greedy import select
from lotus.learning.lesson import Audit, AuditState, Lesson
from lotus.learning.members import Member, joint
from lotus.learning.online_fdr import fdr_look
from lotus.learning.payoff_scores import Columns
from lotus.learning.pooled import propose
from lotus.learning.rows import DetectorRows, day_weights, rows_by_detector
from lotus.learning.search import Evidence, Family, best_rule, draw_maxima, evidence_of, family_of, one_look_critical
from lotus.learning.signs import day_signs
from lotus.learning.slots import Crossing, Look, SlotState, nightly_look
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Rule
from lotus.priors.vocabulary import DEFAULT, Vocabulary

ALARM = "audit alarm"  # how the reason begins of what an audit refused


@dataclass(frozen=True, slots=True)
class DetectorReport:
    """What a detector brought to the night, whether or not anything was found."""

    detector_id: str
    windows: int
    published: int
    days: int
    blocks: int
    overlap_share: float
    rules_searched: int
    best_m_nats: float
    reason: str


@dataclass(frozen=True, slots=True)
class NightResult:
    """Everything one night decided: accepted and refused lessons, audits, the bar, slots spent and trials counted.

    `proposals` and `pooled` are those of the second channel: experiments worth making, its bar and its slots.
    """

    night: str
    n_days: int
    looked: bool
    slots_tonight: int
    critical: float
    trials: int
    real_maximum: float
    lessons: tuple[Lesson, ...]
    refused: tuple[Lesson, ...]
    audits: tuple[Audit, ...]
    reports: tuple[DetectorReport, ...]
    slots: SlotState
    draw_maxima: NDArray[np.float64]
    crossings: tuple[Crossing, ...] = ()
    proposals: tuple[Lesson, ...] = ()
    pooled: Look = field(default_factory=lambda: Look(0, np.inf, SlotState()))


class Source(Protocol):
    """Where a night gets one detector's past from: sums of its days, and its windows when a rule passes the bar."""

    def cubes(self, believed: tuple[Rule, ...], space: Axes) -> Sequence[DayCube]:
        """Return the sums of its days in the night's window, oldest first, demeaned on what is believed."""

    def rows(self) -> DetectorRows:
        """Return its windows in the night's window."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """A detector whose windows are at hand."""

    table: DetectorRows

    def cubes(self, believed: tuple[Rule, ...], space: Axes) -> Sequence[DayCube]:
        """Sum the windows of every day."""
        return day_cubes(self.table, believed, space)

    def rows(self) -> DetectorRows:
        """Return the windows."""
        return self.table


@dataclass(frozen=True, slots=True)
class _Search:
    """What is kept of one detector's sums once the evidence of every rule is known."""

    bench: Bench
    evidence: Evidence
    best: tuple[int, float, LaneSums | None]
    outside: tuple[int, float, LaneSums | None]
    audit: Audit
    report: DetectorReport


def learn_night(
    scores: Mapping[str, Columns],
    manifest: Manifest,
    *,
    night: int | None = None,
    last: bool = True,
    active: Sequence[tuple[str, Rule]] = (),
    slots: SlotState | None = None,
    audits: Mapping[str, AuditState] | None = None,
    branch: str = "main",
    unlogged: Collection[str] = (),
    pooled_slots: SlotState | None = None,
    members: Sequence[Member] = (),
    vocabulary: Vocabulary = DEFAULT,
) -> NightResult:
    """Return what the days in `scores` (day -> PAYOFF_SCORES columns) teach on the night of the newest one.

    `night`: learning days since the first (default: the days given). The other arguments: see `learn_from`.
    """
    days = tuple(sorted(scores))[-manifest.learning.search_days :]
    tables = rows_by_detector(scores, manifest.learning.search_days, vocabulary)
    return learn_from(
        {name: RowSource(rows) for name, rows in tables.items()},
        days,
        manifest,
        night=len(scores) if night is None else night,
        last=last,
        active=active,
        slots=slots,
        audits=audits,
        branch=branch,
        unlogged=unlogged,
        pooled_slots=pooled_slots,
        members=members,
        vocabulary=vocabulary,
    )


def learn_from(
    sources: Mapping[str, Source],
    days: tuple[str, ...],
    manifest: Manifest,
    *,
    night: int,
    last: bool = True,
    active: Sequence[tuple[str, Rule]] = (),
    slots: SlotState | None = None,
    audits: Mapping[str, AuditState] | None = None,
    branch: str = "main",
    unlogged: Collection[str] = (),
    pooled_slots: SlotState | None = None,
    members: Sequence[Member] = (),
    vocabulary: Vocabulary = DEFAULT,
) -> NightResult:
    """Return what the learning days `days` (oldest first, at most `search_days`) teach on the night of the last one.

    `sources`: detector -> its past. `night`: learning days since the first. `active`: (detector, rule) already
    believed; they join the baseline. With `looks = "final"` only a night with `last` looks, once, at alpha; with
    "nightly" the slots of section 11 decide. `audits`, `slots` and `pooled_slots` carry state from the night before.
    Detectors in `unlogged` have no logged propensity: they take no part in the family and are shown as associations
    (grade D). `members`: candidates beside the rules, which spend the same slots. `vocabulary`: what bin columns mean.
    Raises `SchemaError` for an unknown `looks`.
    """
    settings = manifest.learning
    signs = day_signs(settings.seed, days, settings.draws)
    frame = _Frame(
        days,
        day_weights(len(days), settings.half_life_days),
        signs,
        settings,
        branch,
        axes(settings.max_literals, vocabulary),
    )
    searches = []
    for name in sorted(sources):
        believed = tuple(sorted({rule for detector, rule in active if detector == name}))
        before = (audits or {}).get(name)
        searches.append(_search(frame, sources[name], believed, name not in unlogged, before))
    logged = [s for s in searches if s.bench.logged]
    real = max((s.best[1] for s in logged), default=-np.inf)
    wanted = _looks(settings, last) and real > -np.inf
    maxima = _joint_maxima(logged, signs) if wanted else np.full(settings.draws, -np.inf)
    real, maxima = joint(real, maxima, members)
    look = _look(settings, last, slots or SlotState(), night, real, maxima)
    bar = max(look.critical, settings.min_evidence_nats)
    trials = sum(s.report.rules_searched for s in searches) + len(members)
    lessons: list[Lesson] = []
    refused: list[Lesson] = []
    for search in searches:
        found, turned = _decide(replace(search, bench=replace(search.bench, trials=trials)), sources, bar)
        lessons += found
        refused += turned
    proposals: tuple[Lesson, ...] = ()
    second = Look(0, np.inf, pooled_slots or SlotState())
    if wanted:
        quiet = [s.bench for s in logged if not s.audit.alarm]
        proposals, second = propose(quiet, lambda name: sources[name].rows(), signs, night, second.state)
    return NightResult(
        night=days[-1] if days else "",
        n_days=len(days),
        looked=look.critical < np.inf,
        slots_tonight=look.slots,
        critical=bar,
        trials=trials,
        real_maximum=real,
        lessons=tuple(lessons),
        refused=tuple(refused),
        audits=tuple(s.audit for s in searches),
        reports=tuple(s.report for s in searches),
        slots=look.state,
        draw_maxima=maxima,
        crossings=look.crossings,
        proposals=proposals,
        pooled=second,
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    days: tuple[str, ...]
    g: NDArray[np.float64]
    signs: NDArray[np.float64]
    settings: LearningDefaults
    branch: str
    space: Axes


def _search(
    frame: _Frame, source: Source, believed: tuple[Rule, ...], logged: bool, before: AuditState | None
) -> _Search:
    settings, space = frame.settings, frame.space
    stack = stacked(source.cubes(believed, space), frame.days, space)
    family = family_of(stack, frame.g, space, settings)
    evidence = evidence_of(stack.r, stack.lane_day, frame.g, space)
    number, best = best_rule(np.where(family.eligible, evidence.m, -np.inf), space)
    other, beyond = best_rule(np.where(family.eligible | (family.weight <= 0.0), -np.inf, evidence.m), space)
    recent = [(i, cube.audit) for i, cube in zip(stack.day_index, stack.cubes, strict=True)]
    recent = [(i, sums) for i, sums in recent if i >= len(frame.days) - AUDIT_DAYS]
    newest = frame.days[-1]
    name, horizon_s = stack.detector_id, stack.horizon_s
    return _Search(
        bench=Bench(name, horizon_s, space, family, frame.g, settings, believed, frame.branch, newest, 0, logged),
        evidence=evidence,
        best=(number, best, sums_in_box(stack, space, number) if number >= 0 else None),
        outside=(other, beyond, sums_in_box(stack, space, other) if other >= 0 else None),
        audit=audit(
            name, [sums for _, sums in recent], frame.signs[[i for i, _ in recent]], settings, before, space.vocabulary
        ),
        report=_report(stack, family, best),
    )


def _decide(search: _Search, sources: Mapping[str, Source], bar: float) -> tuple[list[Lesson], list[Lesson]]:
    """Return (accepted, refused) lessons of one detector; its windows are read only when a rule passes the bar."""
    bench, evidence = search.bench, search.evidence
    found: list[Lesson] = []
    refused: list[Lesson] = []
    number, m, lanes = search.best
    if m > bar:
        alarm = f"{ALARM}: {search.audit.reason}" if search.audit.alarm else ""
        found, refused = select(bench, sources[bench.detector_id].rows(), evidence, bar, alarm)
    elif lanes is not None:
        refused = [below_the_bar(bench, evidence, number, m, bar, lanes)]
    number, beyond, lanes = search.outside
    if lanes is not None and beyond > max(m, bar):
        refused.append(outsider(bench, evidence, number, beyond, bar, lanes))
    return found, refused


def _joint_maxima(searches: Sequence[_Search], signs: NDArray[np.float64]) -> NDArray[np.float64]:
    parts = [draw_maxima(s.evidence, s.bench.family.eligible, signs, s.bench.space) for s in searches]
    return round_learned(np.max(parts, axis=0))


def _looks(settings: LearningDefaults, last: bool) -> bool:
    if settings.looks not in ("nightly", "final"):
        raise SchemaError(f"learning.looks is {settings.looks!r}", '"nightly" or "final"')
    if settings.error_control not in ("slots", "online_fdr"):
        raise SchemaError(f"learning.error_control is {settings.error_control!r}", '"slots" or "online_fdr"')
    return settings.looks == "nightly" or last


def _look(
    settings: LearningDefaults, last: bool, state: SlotState, night: int, real: float, maxima: NDArray[np.float64]
) -> Look:
    if not _looks(settings, last):
        return Look(0, np.inf, state)
    if settings.looks == "nightly" and settings.error_control == "slots":
        return nightly_look(state, night, real, maxima, settings.alpha)
    if real == -np.inf:
        return Look(0, np.inf, state)
    if settings.looks == "nightly":
        return fdr_look(state, real, maxima, settings.alpha)
    return Look(0, one_look_critical(maxima, settings.alpha), state)


def _report(stack: Stack, family: Family, best: float) -> DetectorReport:
    windows, eligible = int(stack.total("windows")), int(family.eligible.sum())
    overlap = stack.total("overlap") / max(windows, 1)
    if overlap == 0.0:
        reason = "the policy is deterministic: no window had 0 < p < 1; grade C, propose exploration"
    elif eligible == 0:
        reason = "no rule has the coverage, published windows, blocks and days that the gates ask for"
    else:
        reason = ""
    return DetectorReport(
        detector_id=stack.detector_id,
        windows=windows,
        published=int(stack.total("n_published")),
        days=len(stack.cubes),
        blocks=len(stack.lane_day),
        overlap_share=rounded(overlap),
        rules_searched=eligible,
        best_m_nats=best,
        reason=reason,
    )
