"""From evidence to lessons (steps G and E): take the best rule, believe it, demean again, repeat with the same bar.

Step-down selection: each accepted rule enters the baseline, so the next one must explain what is left; a rule that
lost more than 40 % of its deviation to earlier picks is the same effect under another name. Every rule whose evidence
M exceeds the bar is a true discovery at the family-wise level, so the choice among them is free: the one that shortens
the description most (`search.gain_of`), because M saturates when blocks are few and would then prefer a one-literal
shadow of the true box. Refused candidates are kept with the number that failed.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.axes import Axes
from lotus.learning.demean import demean
from lotus.learning.effect import RECENT_DAYS, effect_of, effective_sample, lower_bound, shadow_price
from lotus.learning.gates import Support, grade_of, support_failure
from lotus.learning.lesson import Grade, Lesson, NearTie
from lotus.learning.rows import EXECUTED, DetectorRows
from lotus.learning.search import Evidence, Family, best_rule, evidence_of, gain_of
from lotus.manifest import LearningDefaults
from lotus.priors.types import Rule

MAX_REFUSED = 10  # candidates of one detector and night that may fail a gate before the detector is left
NEAR_NATS, MAX_NEAR, SAMPLE = 2.0, 10, 20


@dataclass(frozen=True, slots=True)
class Bench:
    """One detector's search of one night: windows, family, weights and what is already believed."""

    rows: DetectorRows
    space: Axes
    family: Family
    g: NDArray[np.float64]
    settings: LearningDefaults
    believed: tuple[Rule, ...]
    branch: str
    night: str
    trials: int
    logged: bool = True

    def residual(self, more: tuple[Rule, ...] = ()) -> NDArray[np.float64]:
        """Return scores demeaned on the hats and on every rule believed."""
        rows = self.rows
        return demean(rows.basis(self.believed + more), rows.h, rows.f, rows.day, len(rows.days))


def select(
    bench: Bench, r: NDArray[np.float64], evidence: Evidence, critical: float, alarm: str
) -> tuple[list[Lesson], list[Lesson]]:
    """Return (accepted, refused) lessons of one detector; `alarm` is the audit that blocks new ones, or empty."""
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
            m = _rounded(float(evidence.m[number]))
        lesson = candidate(bench, r, evidence, number, m, critical)
        if not m > critical:
            refused.append(_refuse(lesson, f"evidence {m:.2f} nats does not exceed {critical:.2f}"))
            break
        lesson = _refuse(lesson, alarm) if alarm else lesson
        if not lesson.accepted:
            refused.append(lesson.named())
            open_rules[number] = False
            continue
        accepted.append(lesson.named())
        r = bench.residual(tuple(x.rule for x in accepted))
        evidence = evidence_of(bench.rows, r, bench.g, bench.space)
    return accepted, refused


def outsider(bench: Bench, r: NDArray[np.float64], evidence: Evidence, critical: float) -> list[Lesson]:
    """Return the best rule outside the family when no rule inside has more evidence: shown, never used."""
    inside = float(evidence.m[bench.family.eligible].max(initial=critical))
    outside = np.where(bench.family.eligible | (bench.family.weight <= 0.0), -np.inf, evidence.m)
    number, m = best_rule(outside, bench.space)
    if number < 0 or not m > inside:
        return []
    return [_refuse(candidate(bench, r, evidence, number, m, critical), "outside the family of rules")]


def candidate(
    bench: Bench, r: NDArray[np.float64], evidence: Evidence, number: int, m: float, critical: float
) -> Lesson:
    """Return everything known about one rule as a lesson, graded and gated."""
    rows, rule = bench.rows, bench.space.rule(number)
    covered = rows.covered(rule)
    effect = effect_of(rows, r, covered, bench.g)
    sign = 1 if effect.uplift >= 0.0 else -1
    inside = covered & (rows.h > 0.0)
    taken = rows.published & inside
    ess = effective_sample(taken[taken], rows.p[taken])
    published, coverage = int(taken.sum()), float(bench.family.coverage[number])
    support = Support(
        coverage, published, ess, effect.n_blocks, effect.n_days, effect.n_eff_days, effect.recent_t, sign
    )
    grade, state, reason = grade_of(rows, covered, bench.logged)
    failure = support_failure(support, bench.settings)
    if failure and grade != "D":
        grade, state, reason = "none", "REFUSED", failure
    low = lower_bound(effect.uplift, effect.t_stat, critical, float(bench.space.price[len(rule.literals)]))
    budget = bench.settings.alert_budget > 0.0
    figures = {
        "uplift_bps": effect.uplift,
        "se_bps": effect.se,
        "lcb_bps": low,
        "claim_bps": bench.settings.claim_shrink * effect.uplift,
        "net_mean_bps": effect.net_mean,
        "net_low_bps": effect.net_low,
        "net_high_bps": effect.net_high,
        "sigma_y_bps": payoff_deviation(rows),
        "shadow_price_bps": shadow_price(rows) if budget else 0.0,
        "t_stat": effect.t_stat,
        "recent_t": effect.recent_t,
        "ess": ess,
        "n_eff_days": effect.n_eff_days,
        "coverage": coverage,
        "fill_share": float((rows.source[taken] >= EXECUTED).mean()) if published else 0.0,
    }
    return Lesson(
        lesson_id="",
        branch=bench.branch,
        night=bench.night,
        detector_id=rows.detector_id,
        horizon_s=rows.horizon_s,
        rule=rule,
        sign=sign,
        ci95=(_rounded(effect.ci95[0]), _rounded(effect.ci95[1])),
        m_nats=m,
        critical=critical,
        n_windows=int(inside.sum()),
        n_published=published,
        n_days=effect.n_days,
        n_blocks=effect.n_blocks,
        trials=bench.trials,
        grade=grade,
        state=state,
        reason=reason,
        near_ties=_near_ties(bench, evidence, number, m),
        members_sample=_sample(rows, taken),
        alert_budget=budget,
        **{name: _rounded(value) for name, value in figures.items()},
    )


def payoff_deviation(rows: DetectorRows) -> float:
    """Return the sd of Y over the published windows of the last 20 learning days, bps (P where Y is missing)."""
    taken = rows.published & rows.recent(RECENT_DAYS)
    paid = np.where(np.isnan(rows.payoff_y), rows.payoff_p, rows.payoff_y)[taken]
    return float(np.std(paid, ddof=1)) if len(paid) > 1 else 0.0


def _refuse(lesson: Lesson, reason: str) -> Lesson:
    words = f"{reason}; {lesson.reason}" if lesson.reason else reason
    grade: Grade = "D" if lesson.grade == "D" else "none"
    return replace(lesson, grade=grade, state="REFUSED", reason=words).named()


def _near_ties(bench: Bench, evidence: Evidence, number: int, m: float) -> tuple[NearTie, ...]:
    m_all = np.where(bench.family.eligible, evidence.m, -np.inf)
    near = np.flatnonzero(m_all >= m - NEAR_NATS)
    near = near[near != number]
    nats = round_learned(m_all[near])
    order = np.argsort(-nats, kind="stable")[: 4 * MAX_NEAR]
    picked = sorted((-float(nats[i]), bench.space.rule(int(near[i])), int(near[i])) for i in order)[:MAX_NEAR]
    return tuple(NearTie(rule, -nat, _rounded(evidence.total[i] / bench.family.weight[i])) for nat, rule, i in picked)


def _sample(rows: DetectorRows, taken: NDArray[np.bool_]) -> tuple[str, ...]:
    at = np.flatnonzero(taken)
    if len(at) > SAMPLE:
        at = at[np.linspace(0, len(at) - 1, SAMPLE).astype(np.int64)]
    return tuple(str(x) for x in rows.event_id[at])


def _rounded(value: float) -> float:
    return float(round_learned(np.array([value]))[0])
