"""One night of learning: scores of the days so far in, lessons with their reasons out. Pure and deterministic.

All detectors are one family: a draw's maximum is taken over every detector and eligible rule with the same signs.
Reading scores, storing results and turning lessons into priors are others' work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.hashing import round_learned
from lotus.learning.audits import audit
from lotus.learning.axes import axes
from lotus.learning.greedy import Bench, outsider, select
from lotus.learning.lesson import Audit, AuditState, Lesson
from lotus.learning.members import Member, joint
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows, day_weights, rows_by_detector
from lotus.learning.search import Evidence, best_rule, draw_maxima, evidence_of, family_of, one_look_critical
from lotus.learning.signs import day_signs
from lotus.learning.slots import Look, SlotState, nightly_look
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Rule


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
    """Everything one night decided: accepted and refused lessons, audits, the bar, slots spent and trials counted."""

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


@dataclass(frozen=True, slots=True)
class _Search:
    bench: Bench
    residual: NDArray[np.float64]
    evidence: Evidence
    best: float


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
    members: Sequence[Member] = (),
) -> NightResult:
    """Return what the days in `scores` (day -> PAYOFF_SCORES columns) teach on the night of the newest one.

    `night`: learning days in the budget year (default: the days given). `active`: (detector, rule) already believed;
    they join the baseline. `members`: candidates beside the rules, which spend the same slots. With `looks = "final"`
    only a night with `last` looks, once, at alpha; with "nightly" the slots of section 11 decide. `audits` and `slots`
    carry state from the night before. Raises `SchemaError` for an unknown `looks`.
    """
    settings = manifest.learning
    days = tuple(sorted(scores))[-settings.search_days :]
    newest = days[-1] if days else ""
    state = slots or SlotState()
    tables = rows_by_detector(scores, settings.search_days)
    g = day_weights(len(days), settings.half_life_days)
    signs = day_signs(settings.seed, days, settings.draws)
    searches = _searches(tables, g, settings, active, branch, newest)
    real = max((s.best for s in searches), default=-np.inf)
    wanted = _looks(settings, last) and real > -np.inf
    maxima = _joint_maxima(searches, signs) if wanted else np.full(settings.draws, -np.inf)
    real, maxima = joint(real, maxima, members)
    look = _look(settings, last, state, len(scores) if night is None else night, real, maxima)
    bar = max(look.critical, settings.min_evidence_nats)
    before = audits or {}
    checked = {name: audit(rows, signs, settings, before.get(name)) for name, rows in tables.items()}
    lessons: list[Lesson] = []
    refused: list[Lesson] = []
    for search in searches:
        name = search.bench.rows.detector_id
        alarm = f"audit alarm: {checked[name].reason}" if checked[name].alarm else ""
        found, turned = select(search.bench, search.residual, search.evidence, bar, alarm)
        lessons += found
        refused += turned + outsider(search.bench, search.residual, search.evidence, bar)
    return NightResult(
        night=newest,
        n_days=len(days),
        looked=look.critical < np.inf,
        slots_tonight=look.slots,
        critical=bar,
        trials=(searches[0].bench.trials if searches else 0) + len(members),
        real_maximum=real,
        lessons=tuple(lessons),
        refused=tuple(refused),
        audits=tuple(checked.values()),
        reports=tuple(_report(s) for s in searches),
        slots=look.state,
        draw_maxima=maxima,
    )


def _searches(
    tables: Mapping[str, DetectorRows],
    g: NDArray[np.float64],
    settings: LearningDefaults,
    active: Sequence[tuple[str, Rule]],
    branch: str,
    newest: str,
) -> list[_Search]:
    space = axes(settings.max_literals)
    families = {name: family_of(rows, g, space, settings) for name, rows in tables.items()}
    trials = sum(int(family.eligible.sum()) for family in families.values())
    out = []
    for name, rows in tables.items():
        believed = tuple(sorted({rule for detector, rule in active if detector == name}))
        bench = Bench(rows, space, families[name], g, settings, believed, branch, newest, trials)
        residual = bench.residual()
        evidence = evidence_of(rows, residual, g, space)
        _, best = best_rule(np.where(families[name].eligible, evidence.m, -np.inf), space)
        out.append(_Search(bench, residual, evidence, best))
    return out


def _joint_maxima(searches: Sequence[_Search], signs: NDArray[np.float64]) -> NDArray[np.float64]:
    parts = [draw_maxima(s.evidence, s.bench.family.eligible, signs, s.bench.space) for s in searches]
    return round_learned(np.max(parts, axis=0))


def _looks(settings: LearningDefaults, last: bool) -> bool:
    if settings.looks not in ("nightly", "final"):
        raise SchemaError(f"learning.looks is {settings.looks!r}", '"nightly" or "final"')
    return settings.looks == "nightly" or last


def _look(
    settings: LearningDefaults, last: bool, state: SlotState, night: int, real: float, maxima: NDArray[np.float64]
) -> Look:
    if not _looks(settings, last):
        return Look(0, np.inf, state)
    if settings.looks == "nightly":
        return nightly_look(state, night, real, maxima, settings.alpha)
    if real == -np.inf:
        return Look(0, np.inf, state)
    return Look(0, one_look_critical(maxima, settings.alpha), state)


def _report(search: _Search) -> DetectorReport:
    rows, eligible = search.bench.rows, int(search.bench.family.eligible.sum())
    overlap = float((rows.h > 0.0).mean()) if len(rows) else 0.0
    if overlap == 0.0:
        reason = "the policy is deterministic: no window had 0 < p < 1; grade C, propose exploration"
    elif eligible == 0:
        reason = "no rule has the coverage, published windows, blocks and days that the gates ask for"
    else:
        reason = ""
    return DetectorReport(
        detector_id=rows.detector_id,
        windows=len(rows),
        published=int(rows.published.sum()),
        days=len(np.unique(rows.day)),
        blocks=rows.n_lanes,
        overlap_share=float(round_learned(np.array([overlap]))[0]),
        rules_searched=eligible,
        best_m_nats=search.best,
        reason=reason,
    )
