"""One detector's place in a night: family, weights and names, and rules described from their sums alone.

A rule below the bar is described without reading any window: what only windows tell (net payoff, effective sample,
fills, members) stays blank, because no gate is reached. Choosing rules is `greedy`; stored sums are `day_cube`.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.axes import Axes
from lotus.learning.day_cube import Stack
from lotus.learning.effect import Effect, LaneSums, effect_of, lower_bound
from lotus.learning.gates import Support, support_failure
from lotus.learning.lesson import Grade, Lesson, NearTie
from lotus.learning.search import Evidence, Family
from lotus.manifest import LearningDefaults
from lotus.priors.types import Rule

NEAR_NATS, MAX_NEAR = 2.0, 10


@dataclass(frozen=True, slots=True)
class Bench:
    """One detector's search of one night: family, weights, what is already believed, and whether p was logged."""

    detector_id: str
    horizon_s: int
    space: Axes
    family: Family
    g: NDArray[np.float64]
    settings: LearningDefaults
    believed: tuple[Rule, ...]
    branch: str
    night: str
    trials: int
    logged: bool = True

    def support(self, number: int, effect: Effect, published: int, ess: float) -> Support:
        """Return what stands behind a rule."""
        sign = 1 if effect.uplift >= 0.0 else -1
        days, blocks, coverage = effect.n_days, effect.n_blocks, float(self.family.coverage[number])
        return Support(coverage, published, ess, blocks, days, effect.n_eff_days, effect.recent_t, sign)


def sums_in_box(stack: Stack, space: Axes, number: int) -> LaneSums:
    """Return the sums of a rule over the blocks of a stack; gross payoff and contrast are not kept there: zero."""
    subset = int(np.searchsorted(space.first_rule, number, side="right")) - 1
    bounds = {literal.feature: slice(literal.low, literal.high + 1) for literal in space.rule(number).literals}
    box = tuple(bounds.get(int(feature), slice(0, 1)) for feature in space.subsets[subset])
    weight, excess = (stack.inside(x, subset)[(slice(None), *box)].sum(axis=(1, 2, 3)) for x in (stack.h, stack.r))
    blank = np.zeros(len(weight))
    return LaneSums(stack.lane_day, weight, excess, blank, blank)


def sketch(bench: Bench, evidence: Evidence, number: int, m: float, critical: float, effect: Effect) -> Lesson:
    """Return a refused lesson that holds what sums tell of a rule."""
    rule = bench.space.rule(number)
    low = lower_bound(effect.uplift, effect.t_stat, critical, float(bench.space.price[len(rule.literals)]))
    return Lesson(
        lesson_id="",
        branch=bench.branch,
        night=bench.night,
        detector_id=bench.detector_id,
        horizon_s=bench.horizon_s,
        rule=rule,
        sign=1 if effect.uplift >= 0.0 else -1,
        uplift_bps=rounded(effect.uplift),
        se_bps=rounded(effect.se),
        ci95=(rounded(effect.ci95[0]), rounded(effect.ci95[1])),
        lcb_bps=rounded(low),
        claim_bps=rounded(bench.settings.claim_shrink * effect.uplift),
        net_mean_bps=0.0,
        net_low_bps=0.0,
        net_high_bps=0.0,
        sigma_y_bps=0.0,
        m_nats=m,
        t_stat=rounded(effect.t_stat),
        recent_t=rounded(effect.recent_t),
        critical=critical,
        n_windows=0,
        n_published=int(bench.family.published[number]),
        ess=0.0,
        n_days=effect.n_days,
        n_blocks=effect.n_blocks,
        n_eff_days=rounded(effect.n_eff_days),
        coverage=rounded(float(bench.family.coverage[number])),
        fill_share=0.0,
        trials=bench.trials,
        grade="none" if bench.logged else "D",
        state="REFUSED",
        near_ties=_near_ties(bench, evidence, number, m),
    )


def below_the_bar(bench: Bench, evidence: Evidence, number: int, m: float, critical: float, lanes: LaneSums) -> Lesson:
    """Return the best rule that did not exceed the critical value, as a refused lesson."""
    lesson = sketch(bench, evidence, number, m, critical, effect_of(lanes, bench.g))
    return refuse(lesson, f"evidence {m:.2f} nats does not exceed {critical:.2f}")


def outsider(bench: Bench, evidence: Evidence, number: int, m: float, critical: float, lanes: LaneSums) -> Lesson:
    """Return the best rule outside the family as a refused lesson that names the gate: shown, never used."""
    effect = effect_of(lanes, bench.g)
    support = bench.support(number, effect, int(bench.family.published[number]), np.inf)
    lesson = replace(
        sketch(bench, evidence, number, m, critical, effect), reason=support_failure(support, bench.settings)
    )
    return refuse(lesson, "outside the family of rules")


def refuse(lesson: Lesson, reason: str) -> Lesson:
    """Return the lesson refused for a reason, named."""
    words = f"{reason}; {lesson.reason}" if lesson.reason else reason
    grade: Grade = "D" if lesson.grade == "D" else "none"
    return replace(lesson, grade=grade, state="REFUSED", reason=words).named()


def rounded(value: float) -> float:
    """Return a learned number in the form in which it is compared and stored."""
    return float(round_learned(np.array([value]))[0])


def _near_ties(bench: Bench, evidence: Evidence, number: int, m: float) -> tuple[NearTie, ...]:
    m_all = np.where(bench.family.eligible, evidence.m, -np.inf)
    near = np.flatnonzero(m_all >= m - NEAR_NATS)
    near = near[near != number]
    nats = round_learned(m_all[near])
    order = np.argsort(-nats, kind="stable")[: 4 * MAX_NEAR]
    picked = sorted((-float(nats[i]), bench.space.rule(int(near[i])), int(near[i])) for i in order)[:MAX_NEAR]
    return tuple(NearTie(rule, -nat, rounded(evidence.total[i] / bench.family.weight[i])) for nat, rule, i in picked)
