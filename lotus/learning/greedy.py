"""From evidence to lessons (steps G and E): take the best rule, believe it, demean again, repeat with the same bar.

Step-down selection: each accepted rule enters the baseline, so the next one must explain what is left; a rule that
lost more than 40 % of its deviation to earlier picks is the same effect under another name. Every rule whose evidence
M exceeds the bar is a true discovery at the family-wise level, so the choice among them is free: the one that shortens
the description most (`search.gain_of`), because M saturates when blocks are few and would then prefer a one-literal
shadow of the true box. Refused candidates are kept with the number that failed.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.basis import Basis
from lotus.learning.bench import Bench, below_the_bar, refuse, rounded, sketch
from lotus.learning.demean import demean
from lotus.learning.effect import RECENT_DAYS, effect_of, effective_sample, lane_sums, shadow_price
from lotus.learning.gates import grade_of, support_failure
from lotus.learning.lesson import Lesson
from lotus.learning.rows import EXECUTED, DetectorRows
from lotus.learning.search import Evidence, best_rule, evidence_of_rows, gain_of

MAX_REFUSED = 10  # candidates of one detector and night that may fail a gate before the detector is left
SAMPLE = 20


def select(
    bench: Bench, rows: DetectorRows, evidence: Evidence, critical: float, alarm: str
) -> tuple[list[Lesson], list[Lesson]]:
    """Return (accepted, refused) lessons of one detector; `alarm` is the audit that blocks new ones, or empty."""
    basis = rows.basis(bench.believed)
    r = demean(basis, rows.h, rows.f, rows.day, len(rows.days))
    accepted: list[Lesson] = []
    refused: list[Lesson] = []
    first_square = evidence.square
    open_rules = bench.family.eligible.copy()
    while len(accepted) < bench.settings.max_lessons and len(refused) < MAX_REFUSED:
        kept = np.sqrt(evidence.square) >= bench.settings.kept_sd_share * np.sqrt(first_square)
        m_open = np.where(open_rules & kept, evidence.m, -np.inf)
        number, m = best_rule(m_open, bench.space)
        if number < 0:
            break
        if m > critical:
            beyond = np.where(m_open > critical, gain_of(evidence, bench.family, bench.space), -np.inf)
            number, _ = best_rule(beyond, bench.space)
            m = rounded(float(evidence.m[number]))
        if not m > critical:
            lanes = lane_sums(rows, r, basis, rows.covered(bench.space.rule(number)))
            refused.append(below_the_bar(bench, evidence, number, m, critical, lanes))
            break
        lesson = candidate(bench, rows, evidence, number, m, critical, r, basis)
        lesson = refuse(lesson, alarm) if alarm else lesson
        if not lesson.accepted:
            refused.append(lesson.named())
            open_rules[number] = False
            continue
        accepted.append(lesson.named())
        basis = rows.basis(bench.believed + tuple(x.rule for x in accepted))
        r = demean(basis, rows.h, rows.f, rows.day, len(rows.days))
        evidence = evidence_of_rows(rows, r, bench.g, bench.space)
    return accepted, refused


def candidate(
    bench: Bench,
    rows: DetectorRows,
    evidence: Evidence,
    number: int,
    m: float,
    critical: float,
    r: NDArray[np.float64],
    basis: Basis,
) -> Lesson:
    """Return everything known about one rule as a lesson, graded and gated; r [n]: scores demeaned on `basis`."""
    covered = rows.covered(bench.space.rule(number))
    effect = effect_of(lane_sums(rows, r, basis, covered), bench.g)
    inside = covered & (rows.h > 0.0)
    taken = rows.published & inside
    ess = effective_sample(taken[taken], rows.p[taken])
    published = int(taken.sum())
    grade, state, reason = grade_of(rows, covered, bench.logged)
    failure = support_failure(bench.support(number, effect, published, ess), bench.settings)
    if failure and grade != "D":
        grade, state, reason = "none", "REFUSED", failure
    budget = bench.settings.alert_budget > 0.0
    return replace(
        sketch(bench, evidence, number, m, critical, effect),
        n_windows=int(inside.sum()),
        n_published=published,
        grade=grade,
        state=state,
        reason=reason,
        members_sample=_sample(rows, taken),
        alert_budget=budget,
        contrast_bps=rounded(effect.contrast),
        contrast_ci95=(rounded(effect.contrast_ci95[0]), rounded(effect.contrast_ci95[1])),
        net_mean_bps=rounded(effect.net_mean),
        net_low_bps=rounded(effect.net_low),
        net_high_bps=rounded(effect.net_high),
        sigma_y_bps=rounded(payoff_deviation(rows)),
        shadow_price_bps=rounded(shadow_price(rows)) if budget else 0.0,
        ess=rounded(ess),
        fill_share=rounded(float((rows.source[taken] >= EXECUTED).mean())) if published else 0.0,
    )


def payoff_deviation(rows: DetectorRows) -> float:
    """Return the sd of Y over the published windows of the last 20 learning days, bps (P where Y is missing)."""
    taken = rows.published & rows.recent(RECENT_DAYS)
    executed, modelled = rows.payoff_y[taken], rows.payoff_p[taken]
    paid = np.where(np.isnan(executed), modelled, executed)
    return float(np.std(paid, ddof=1)) if len(paid) > 1 else 0.0


def _sample(rows: DetectorRows, taken: NDArray[np.bool_]) -> tuple[str, ...]:
    at = np.flatnonzero(taken)
    if len(at) > SAMPLE:
        at = at[np.linspace(0, len(at) - 1, SAMPLE).astype(np.int64)]
    return tuple(rows.event_id[at].astype(str).tolist())
