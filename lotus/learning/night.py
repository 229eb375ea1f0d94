"""One night of learning: scores of the days so far in, lessons with their reasons out. Pure and deterministic.

All detectors are one family in each of the two lanes (`lanes`): a draw's maximum is taken over every detector and
eligible rule with the same signs, and each lane has its own bar and slots. A rule is learned where it passes both.
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
from lotus.learning.greedy import Told, select
from lotus.learning.lanes import Both
from lotus.learning.lesson import Audit, AuditState, Lesson
from lotus.learning.members import Member, joint
from lotus.learning.online_fdr import fdr_look
from lotus.learning.payoff_scores import Columns
from lotus.learning.pooled import propose
from lotus.learning.rows import DetectorRows, day_weights, rows_by_detector
from lotus.learning.search import (
    Evidence,
    Family,
    agreed,
    best_rule,
    beyond,
    draw_maxima,
    evidence_of,
    family_of,
    one_look_critical,
)
from lotus.learning.signs import day_signs
from lotus.learning.slots import Crossing, Look, SlotState, allowance_tonight, nightly_look
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
    critical: Both[float]
    trials: int
    real_maximum: Both[float]
    lessons: tuple[Lesson, ...]
    refused: tuple[Lesson, ...]
    audits: tuple[Audit, ...]
    reports: tuple[DetectorReport, ...]
    slots: Both[SlotState]
    draw_maxima: Both[NDArray[np.float64]]
    crossings: tuple[tuple[Crossing, ...], tuple[Crossing, ...]] = ((), ())
    proposals: tuple[Lesson, ...] = ()
    pooled: Look = field(default_factory=lambda: Look(0, np.inf, SlotState()))


class Source(Protocol):
    """Where a night gets one detector's past from: sums of its days, and its windows when a rule passes the bar."""

    def cubes(self, believed: tuple[Rule, ...], space: Axes, paper: bool = True) -> Sequence[DayCube]:
        """Return the sums of its days in the night's window, oldest first, over what is believed.

        Without `paper` the windows are scored as if no payoff had been modelled.
        """

    def rows(self) -> DetectorRows:
        """Return its windows in the night's window."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """A detector whose windows are at hand."""

    table: DetectorRows

    def cubes(self, believed: tuple[Rule, ...], space: Axes, paper: bool = True) -> Sequence[DayCube]:
        """Sum the windows of every day."""
        return day_cubes(self.table if paper else self.table.without_paper(), believed, space)

    def rows(self) -> DetectorRows:
        """Return the windows."""
        return self.table


@dataclass(frozen=True, slots=True)
class _Search:
    """What is kept of one detector's sums once the evidence of every rule is known."""

    bench: Bench
    evidence: Both[Evidence]
    best: tuple[int, float, Both[LaneSums] | None]
    outside: tuple[int, float, Both[LaneSums] | None]
    audit: Audit
    report: DetectorReport

    def largest(self) -> Both[float]:
        """Return the largest M over the family in each lane."""
        eligible = self.bench.family.eligible
        return Both(*(best_rule(np.where(eligible, one.m, -np.inf), self.bench.space)[1] for one in self.evidence))

    def rows(self, source: Source) -> DetectorRows:
        """Return the windows as they are scored tonight."""
        return source.rows().without_paper() if self.audit.paper_note else source.rows()


def learn_night(
    scores: Mapping[str, Columns],
    manifest: Manifest,
    *,
    night: int | None = None,
    last: bool = True,
    active: Sequence[tuple[str, Rule]] = (),
    slots: Both[SlotState] | None = None,
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
    slots: Both[SlotState] | None = None,
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
    wanted = _looks(settings, last) and any(s.best[1] > -np.inf for s in logged)
    looks = [_lane_look(frame, logged, members, k, wanted, last, night, slots) for k in (0, 1)]
    look = Both(*(x[0] for x in looks))
    real, maxima = Both(*(x[1] for x in looks)), Both(*(x[2] for x in looks))
    bar = Both(*(max(x.critical, settings.min_evidence_nats) for x in look))
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
        quiet = {s.bench.detector_id: s for s in logged if not s.audit.alarm and not s.audit.skew_note}
        benches = [s.bench for s in quiet.values()]
        proposals, second = propose(benches, lambda name: quiet[name].rows(sources[name]), signs, night, second.state)
    return NightResult(
        night=days[-1] if days else "",
        n_days=len(days),
        looked=max(x.critical for x in look) < np.inf,
        slots_tonight=min(x.slots for x in look),
        critical=bar,
        trials=trials,
        real_maximum=real,
        lessons=tuple(lessons),
        refused=tuple(refused),
        audits=tuple(s.audit for s in searches),
        reports=tuple(s.report for s in searches),
        slots=Both(*(x.state for x in look)),
        draw_maxima=maxima,
        crossings=(look.day.crossings, look.rest.crossings),
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
    audited = _audited(frame, stack, before)
    if audited.paper_note:
        stack = stacked(source.cubes(believed, space, paper=False), frame.days, space)
    family = family_of(stack, frame.g, space, settings)
    evidence = Both(
        *(
            evidence_of(r, stack.lane_day, frame.g, space, weight)
            for r, weight in zip(stack.r, family.weight, strict=True)
        )
    )
    together = agreed(evidence)
    number, best = best_rule(np.where(family.eligible, together, -np.inf), space)
    other, beyond = best_rule(np.where(family.eligible | (family.weight.day <= 0.0), -np.inf, together), space)
    newest = frame.days[-1]
    name, horizon_s = stack.detector_id, stack.horizon_s
    return _Search(
        bench=Bench(name, horizon_s, space, family, frame.g, settings, believed, frame.branch, newest, 0, logged),
        evidence=evidence,
        best=(number, best, sums_in_box(stack, space, number) if number >= 0 else None),
        outside=(other, beyond, sums_in_box(stack, space, other) if other >= 0 else None),
        audit=audited,
        report=_report(stack, family, best),
    )


def _audited(frame: _Frame, stack: Stack, before: AuditState | None) -> Audit:
    window = [cube.audit for cube in stack.cubes]
    first = 0 if frame.settings.looks == "final" else len(frame.days) - AUDIT_DAYS  # one look asks all its days
    recent = [k for k, i in enumerate(stack.day_index) if i >= first]
    signs = frame.signs[[stack.day_index[k] for k in recent]]
    days = [window[k] for k in recent]
    return audit(stack.detector_id, days, signs, frame.settings, before, frame.space.vocabulary, window)


def _decide(search: _Search, sources: Mapping[str, Source], bar: Both[float]) -> tuple[list[Lesson], list[Lesson]]:
    """Return (accepted, refused) lessons of one detector; its windows are read only when a rule passes the bars."""
    bench, evidence = search.bench, search.evidence
    found: list[Lesson] = []
    refused: list[Lesson] = []
    number, m, sums = search.best
    if np.any(bench.family.eligible & beyond(evidence, bar)):
        told = Told(
            f"{ALARM}: {search.audit.reason}" if search.audit.alarm else "",
            bool(search.audit.results_note),
            not search.audit.paper_note,
            tuple(x for x in (search.audit.paper_note, search.audit.results_note, search.audit.skew_note) if x),
        )
        found, refused = select(bench, search.rows(sources[bench.detector_id]), evidence, bar, told)
    elif sums is not None:
        refused = [below_the_bar(bench, evidence, number, bar, sums)]
    number, other, sums = search.outside
    if sums is not None and other > m and beyond(evidence, bar)[number]:
        refused.append(outsider(bench, evidence, number, bar, sums))
    return found, refused


def _lane_look(
    frame: "_Frame",
    searches: Sequence[_Search],
    members: Sequence[Member],
    lane: int,
    wanted: bool,
    last: bool,
    night: int,
    slots: Both[SlotState] | None,
) -> tuple[Look, float, NDArray[np.float64]]:
    """Return what one lane may promote, its largest M of the data and those of the draws."""
    settings = frame.settings
    real = max((s.largest()[lane] for s in searches), default=-np.inf)
    state = slots[lane] if slots is not None else SlotState()
    maxima = np.full(settings.draws, -np.inf)
    if wanted and _may_promote(settings, state, night):
        parts = [draw_maxima(s.evidence[lane], s.bench.family.eligible, frame.signs, frame.space) for s in searches]
        maxima = round_learned(np.max(parts, axis=0))
    real, maxima = joint(real, maxima, [(m.m[lane], m.draws[lane]) for m in members])
    return _look(settings, last, state, night, real, maxima), real, maxima


def _looks(settings: LearningDefaults, last: bool) -> bool:
    if settings.looks not in ("nightly", "final"):
        raise SchemaError(f"learning.looks is {settings.looks!r}", '"nightly" or "final"')
    if settings.error_control not in ("slots", "online_fdr"):
        raise SchemaError(f"learning.error_control is {settings.error_control!r}", '"slots" or "online_fdr"')
    return settings.looks == "nightly" or last


def _may_promote(settings: LearningDefaults, state: SlotState, night: int) -> bool:
    """Tell whether tonight asks the draws for a bar: a night without a slot promotes nothing, whatever they say."""
    if settings.looks == "nightly" and settings.error_control == "slots":
        return allowance_tonight(state, night, settings.draws, settings.alpha) > 0
    return True


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
