"""From evidence to lessons (steps G and E): take the best rule, believe it, demean again, repeat with the same bars.

Step-down selection: each accepted rule enters the baseline, so the next one must explain what is left; a rule that
lost more than 40 % of its deviation to earlier picks is the same effect under another name. Every rule whose evidence
M exceeds the bars of both lanes is a true discovery at the family-wise level, so the choice among them is free: the one
that shortens the description most (`search.gain_of`, the smaller of the lanes), because M saturates when blocks are few
and would then prefer a one-literal shadow of the true box. A rule that the newest days do not bear out enters the
baseline too: were its neighbours tried until one passes, one would. Refused candidates are kept with the number that
failed.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.bench import Bench, below_the_bar, refuse, rounded, sketch
from lotus.learning.cube import accumulate_all
from lotus.learning.effect import (
    RECENT_DAYS,
    LaneSums,
    Residuals,
    both_sums,
    effect_of,
    effective_sample,
    effects_of,
    plain_sums,
    residuals,
    shadow_price,
)
from lotus.learning.forward import centred
from lotus.learning.gates import absorbed, alive, grade_of, support_failure
from lotus.learning.lanes import Both
from lotus.learning.lesson import Lesson, PartEffect
from lotus.learning.modelled import knows
from lotus.learning.one_sided import one_sidedness, unlucky
from lotus.learning.rows import EXECUTED, DetectorRows
from lotus.learning.search import Evidence, agreed, best_rule, beyond, evidence_of, gain_of
from lotus.priors.types import Rule

MAX_REFUSED = 10  # candidates of one detector and night that may fail a gate before the detector is left
SAMPLE = 20

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Told:
    """What audits say of the detector: why nothing new may be learned (empty: it may), and what is asked or told.

    `modelled`: its scores use modelled payoffs. `one_sided`: z of the third moment of its small parts.
    """

    alarm: str = ""
    earlier_days: bool = False
    modelled: bool = True
    warnings: tuple[str, ...] = ()
    one_sided: float = 0.0


def select(
    bench: Bench, rows: DetectorRows, evidence: Both[Evidence], bar: Both[float], told: Told
) -> tuple[list[Lesson], list[Lesson]]:
    """Return (accepted, refused) lessons of one detector."""
    left = residuals(rows, bench.believed)
    told = replace(told, one_sided=one_sidedness(rows, left.r.day))
    accepted: list[Lesson] = []
    refused: list[Lesson] = []
    explained: tuple[Rule, ...] = bench.believed
    first_square = evidence.day.square
    open_rules = bench.family.eligible.copy()
    while len(accepted) < bench.settings.max_lessons and len(refused) < MAX_REFUSED:
        kept = open_rules & (np.sqrt(evidence.day.square) >= bench.settings.kept_sd_share * np.sqrt(first_square))
        passing = kept & beyond(evidence, bar)
        if not passing.any():
            number, _ = best_rule(np.where(kept, agreed(evidence), -np.inf), bench.space)
            if number >= 0:
                sums = both_sums(rows, left, rows.covered(bench.space.rule(number)))
                refused.append(below_the_bar(bench, evidence, number, bar, sums))
            break
        number, _ = best_rule(np.where(passing, _gain(bench, evidence), -np.inf), bench.space)
        lesson, is_alive = _judged(bench, rows, evidence, number, bar, left, told)
        (accepted if lesson.accepted else refused).append(lesson.named())
        open_rules[number] = False
        if lesson.accepted or not is_alive:
            explained += (lesson.rule,)
            left = residuals(rows, explained)
            evidence = both_evidence(bench, rows, left)
    return accepted, refused


def both_evidence(bench: Bench, rows: DetectorRows, left: Residuals) -> Both[Evidence]:
    """Return the evidence of every rule in both lanes from the residuals of windows."""
    space, weight = bench.space, bench.family.weight
    cubes = accumulate_all(
        rows.bins, rows.lane, np.stack([left.r.day, left.r.rest, left.weight.rest]), rows.n_lanes, space.subsets
    )
    day, rest, rest_weight = (space.lean(cube) for cube in cubes)
    total_r, total_weight = (
        np.bincount(rows.lane, weights=x, minlength=rows.n_lanes).astype(np.float64)
        for x in (left.r.rest, left.weight.rest)
    )
    rest = centred(rest, rest_weight, total_r, total_weight, rows.lane_day)
    return Both(
        evidence_of(day, rows.lane_day, bench.g, space, weight.day),
        evidence_of(rest, rows.lane_day, bench.g, space, weight.rest),
    )


def _gain(bench: Bench, evidence: Both[Evidence]) -> NDArray[np.float64]:
    day, rest = (
        gain_of(one, bench.family.eligible, exposure, bench.space)
        for one, exposure in zip(evidence, bench.family.exposure, strict=True)
    )
    return np.minimum(day, rest)


def _judged(
    bench: Bench,
    rows: DetectorRows,
    evidence: Both[Evidence],
    number: int,
    bar: Both[float],
    left: Residuals,
    told: Told,
) -> tuple[Lesson, bool]:
    """Return the candidate with what audits and the rule's own gates say, and whether the newest days go its way."""
    covered = rows.covered(bench.space.rule(number))
    sums = both_sums(rows, left, covered)
    lesson = candidate(bench, rows, evidence, number, bar, sums, covered)
    lesson = replace(lesson, parts=parts_of(bench, rows, left, covered), warnings=told.warnings)
    skewed = unlucky(bench, evidence, number, bar, told.one_sided)
    knowing = knows(rows, covered) if told.modelled else ""
    for reason in (absorbed(sums.day.kept_share), told.alarm, skewed, knowing):
        lesson = refuse(lesson, reason) if reason else lesson
    if told.earlier_days and lesson.accepted:
        reason = _against_earlier_days(bench, rows, number, bar, covered, lesson.sign)
        lesson = refuse(lesson, reason) if reason else lesson
    effects = effects_of(sums, bench.g)
    return lesson, alive(bench.support(number, effects, 0, 0.0))


def _against_earlier_days(
    bench: Bench, rows: DetectorRows, number: int, bar: Both[float], covered: Mask, sign: int
) -> str:
    """Return why a rule fails where only earlier days are its baseline (lane E), empty when it does not fail."""
    excess = np.where(np.isnan(rows.level), 0.0, rows.weight * (rows.f - rows.h * np.nan_to_num(rows.level)))
    sums = np.bincount(rows.lane[covered], weights=excess[covered], minlength=rows.n_lanes).astype(np.float64)
    blank = np.zeros(rows.n_lanes)
    t = effect_of(LaneSums(rows.lane_day, blank, sums, blank, blank, blank), bench.g).t_stat
    price = float(bench.space.price[len(bench.space.rule(number).literals)])
    m = 0.5 * t * t - price
    if m > max(bar) and t * sign > 0.0:
        return ""
    return (
        "the desk answers to the day's own results, so earlier days alone (lane E) are asked too: evidence "
        f"{rounded(m):.2f} nats does not exceed {max(bar):.2f}"
    )


def candidate(
    bench: Bench,
    rows: DetectorRows,
    evidence: Both[Evidence],
    number: int,
    bar: Both[float],
    sums: Both[LaneSums],
    covered: Mask,
) -> Lesson:
    """Return everything known about one rule as a lesson, graded and gated; `sums` of its `covered` windows."""
    effects = effects_of(sums, bench.g)
    effect = effects.day
    inside = covered & (rows.h > 0.0)
    taken = rows.published & inside
    ess = effective_sample(taken[taken], rows.p[taken])
    published = int(taken.sum())
    grade, state, reason = grade_of(rows, covered, bench.logged)
    failure = support_failure(bench.support(number, effects, published, ess), bench.settings)
    if failure and grade != "D":
        grade, state, reason = "none", "REFUSED", failure
    budget = bench.settings.alert_budget > 0.0
    return replace(
        sketch(bench, evidence, number, bar, effects),
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


def parts_of(bench: Bench, rows: DetectorRows, left: Residuals, covered: Mask) -> tuple[PartEffect, ...]:
    """Return the effect by asset, by halves of the days and on the newest fifth, of the lane that says less there."""
    n, half = len(rows.days), len(rows.days) // 2
    masks = {f"asset {name}": rows.asset == code for code, name in enumerate(rows.assets)} if rows.assets else {}
    masks |= {"first half": rows.day < half, "second half": rows.day >= half}
    masks["newest fifth"] = rows.day >= n - max(1, n // 5)
    out = []
    for name, mask in masks.items():
        mine = covered & mask
        effects = effects_of(plain_sums(rows, left, mine, mask), bench.g)
        least = min(effects, key=lambda effect: abs(effect.uplift))
        if np.isfinite(least.se):
            taken = int((rows.published & mine & (rows.h > 0.0)).sum())
            out.append(PartEffect(name, rounded(least.uplift), rounded(least.se), taken))
    return tuple(out)


def payoff_deviation(rows: DetectorRows) -> float:
    """Return the sd of Y over the published windows of the last 20 learning days, bps (P where Y is missing)."""
    taken = rows.published & rows.recent(RECENT_DAYS)
    executed, modelled = rows.payoff_y[taken], rows.payoff_p[taken]
    paid = np.where(np.isnan(executed), modelled, executed)
    return float(np.std(paid, ddof=1)) if len(paid) > 1 else 0.0


def _sample(rows: DetectorRows, taken: Mask) -> tuple[str, ...]:
    at = np.flatnonzero(taken)
    if len(at) > SAMPLE:
        at = at[np.linspace(0, len(at) - 1, SAMPLE).astype(np.int64)]
    return tuple(rows.event_id[at].astype(str).tolist())
