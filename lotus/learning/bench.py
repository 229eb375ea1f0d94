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
from lotus.learning.effect import Effect, LaneSums, effects_of, lower_bound
from lotus.learning.gates import Support, support_failure
from lotus.learning.lanes import NAMES, Both
from lotus.learning.lesson import Grade, LaneEffect, Lesson, NearTie
from lotus.learning.search import Evidence, Family, agreed
from lotus.manifest import LearningDefaults
from lotus.priors.types import Rule

NEAR_NATS, MAX_NEAR = 2.0, 10

Floats = NDArray[np.float64]


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

    def support(self, number: int, effects: Both[Effect], published: int, ess: float) -> Support:
        """Return what stands behind a rule."""
        sign, effect = (1 if effects.day.uplift >= 0.0 else -1), effects.day
        recent = min(sign * effects.day.recent_t, sign * effects.rest.recent_t)
        days, blocks, coverage = effect.n_days, effect.n_blocks, float(self.family.coverage[number])
        return Support(coverage, published, ess, blocks, days, effect.n_eff_days, recent)


def sums_in_box(stack: Stack, space: Axes, number: int) -> Both[LaneSums]:
    """Return the sums of a rule over the blocks of a stack, of both lanes; gross and contrast are not kept there: 0."""
    subset = int(np.searchsorted(space.first_rule, number, side="right")) - 1
    bounds = {literal.feature: slice(literal.low, literal.high + 1) for literal in space.rule(number).literals}
    box = tuple(bounds.get(int(feature), slice(0, 1)) for feature in space.subsets[subset])
    blank = np.zeros(len(stack.lane_day))

    def inside(weight: Floats, excess: Floats) -> LaneSums:
        both = [stack.inside(x, subset)[(slice(None), *box)].sum(axis=(1, 2, 3)) for x in (weight, excess)]
        held, gained = both
        return LaneSums(stack.lane_day, held, gained, blank, blank, blank)

    return Both(inside(stack.h.day, stack.r.day), inside(stack.h.rest, stack.r.rest))


def weaker(effects: Both[Effect]) -> Effect:
    """Return the effect of the lane that says less."""
    return effects.day if abs(effects.day.uplift) <= abs(effects.rest.uplift) else effects.rest


def sketch(bench: Bench, evidence: Both[Evidence], number: int, bar: Both[float], effects: Both[Effect]) -> Lesson:
    """Return a refused lesson that holds what sums tell of a rule."""
    rule, effect = bench.space.rule(number), weaker(effects)
    price = float(bench.space.price[len(rule.literals)])
    lanes = tuple(
        _lane(own, rounded(float(found.m[number])), limit, price)
        for own, found, limit in zip(effects, evidence, bar, strict=True)
    )
    nearest = min(lanes, key=lambda lane: (_margin(lane), lane.m_nats))
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
        lcb_bps=min(lane.lcb_bps for lane in lanes),
        claim_bps=rounded(bench.settings.claim_shrink * effect.uplift),
        net_mean_bps=0.0,
        net_low_bps=0.0,
        net_high_bps=0.0,
        sigma_y_bps=0.0,
        m_nats=nearest.m_nats,
        t_stat=rounded(effect.t_stat),
        recent_t=rounded(effect.recent_t),
        critical=nearest.critical,
        n_windows=0,
        n_published=int(bench.family.published[number]),
        ess=0.0,
        n_days=effects.day.n_days,
        n_blocks=effects.day.n_blocks,
        n_eff_days=rounded(effects.day.n_eff_days),
        coverage=rounded(float(bench.family.coverage[number])),
        fill_share=0.0,
        trials=bench.trials,
        grade="none" if bench.logged else "D",
        state="REFUSED",
        near_ties=_near_ties(bench, evidence, number),
        lanes=lanes,
    )


def _lane(effect: Effect, m: float, critical: float, price: float) -> LaneEffect:
    low = lower_bound(effect.uplift, effect.t_stat, critical, price)
    interval = (rounded(effect.ci95[0]), rounded(effect.ci95[1]))
    t, recent = rounded(effect.t_stat), rounded(effect.recent_t)
    return LaneEffect(rounded(effect.uplift), rounded(effect.se), interval, rounded(low), t, recent, m, critical)


def _margin(lane: LaneEffect) -> float:
    return lane.m_nats - lane.critical if lane.critical < np.inf else -np.inf


def below_the_bar(
    bench: Bench, evidence: Both[Evidence], number: int, bar: Both[float], sums: Both[LaneSums]
) -> Lesson:
    """Return the best rule that did not exceed the critical values, as a refused lesson."""
    lesson = sketch(bench, evidence, number, bar, effects_of(sums, bench.g))
    failed = [
        f"evidence {lane.m_nats:.2f} nats in lane {name} ({words}) does not exceed {lane.critical:.2f}"
        for lane, name, words in zip(lesson.lanes, "SF", NAMES, strict=True)
        if not lane.m_nats > lane.critical
    ]
    return refuse(lesson, "; ".join(failed) or "the two lanes disagree about its sign")


def outsider(bench: Bench, evidence: Both[Evidence], number: int, bar: Both[float], sums: Both[LaneSums]) -> Lesson:
    """Return the best rule outside the family as a refused lesson that names the gate: shown, never used."""
    effects = effects_of(sums, bench.g)
    support = bench.support(number, effects, int(bench.family.published[number]), np.inf)
    lesson = replace(sketch(bench, evidence, number, bar, effects), reason=support_failure(support, bench.settings))
    return refuse(lesson, "outside the family of rules")


def refuse(lesson: Lesson, reason: str) -> Lesson:
    """Return the lesson refused for a reason, named."""
    words = f"{reason}; {lesson.reason}" if lesson.reason else reason
    grade: Grade = "D" if lesson.grade == "D" else "none"
    return replace(lesson, grade=grade, state="REFUSED", reason=words).named()


def rounded(value: float) -> float:
    """Return a learned number in the form in which it is compared and stored."""
    return float(round_learned(np.array([value]))[0])


def _near_ties(bench: Bench, evidence: Both[Evidence], number: int) -> tuple[NearTie, ...]:
    together = agreed(evidence)
    m_all = np.where(bench.family.eligible, together, -np.inf)
    near = np.flatnonzero(m_all >= max(float(together[number]), -1e300) - NEAR_NATS)
    near = near[near != number]
    nats = round_learned(m_all[near])
    order = np.argsort(-nats, kind="stable")[: 4 * MAX_NEAR]
    picked = sorted((-float(nats[i]), bench.space.rule(int(near[i])), int(near[i])) for i in order)[:MAX_NEAR]
    return tuple(
        NearTie(rule, -nat, rounded(evidence.day.total[i] / bench.family.weight.day[i])) for nat, rule, i in picked
    )
