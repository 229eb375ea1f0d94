"""One world through the product's own night, and how its lessons compare with the truth that the world knows.

Found: a lesson of the right sign whose windows overlap a planted rule's with Jaccard >= .5. Exact: the same
literals. False: a lesson whose expected uplift, given the contexts that came, has the other sign or is below a tenth of
the planted effect; without planted effects every lesson is false. The expected uplift U* of a rule is that of the
noiseless score h m, demeaned as the night demeans, which is what the night's U estimates.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.axes import axes
from lotus.learning.day_cube import day_cubes, stacked
from lotus.learning.demean import demean
from lotus.learning.effect import Effect, effect_of, lane_sums, residuals
from lotus.learning.lesson import Lesson
from lotus.learning.naive import naive_table
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import Columns, score
from lotus.learning.rows import DetectorRows, day_weights, rows_by_detector
from lotus.learning.search import Family, family_of, one_look_critical
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Rule
from lotus.priors.vocabulary import rule_counts
from lotus.simulation.learning_world import FULL_DAY, Market, Track, market, planted_rules, scores_of, stream, track

FOREVER = 1e12  # days: a half-life that weighs every day alike
ONE_LOOK = LearningDefaults(looks="final", half_life_days=FOREVER)
FALSE_SHARE_OF_EFFECT = 0.1
Figures = dict[str, float | int | str]


@dataclass(frozen=True, slots=True)
class World:
    """A kind of world and how the learner looks at it: everything a row depends on but its seed."""

    kind: str
    days: int
    effect_bps: float = 0.0
    windows: int = FULL_DAY
    learning: LearningDefaults = ONE_LOOK
    rules_covered: int = 0  # random rules whose interval is held against the truth
    day_sd_bps: float = 1.0


def manifest_of(learning: LearningDefaults) -> Manifest:
    """Return the defaults with the learner's section replaced."""
    return replace(Manifest(), learning=learning)


def made(world: World, seed: int) -> tuple[Market, Track, tuple[tuple[Rule, float], ...]]:
    """Return market, detector and planted lessons of a seed."""
    place = market(seed, world.days, world.windows, world.day_sd_bps)
    lessons = planted_rules(seed, place, world.effect_bps) if world.effect_bps else ()
    return place, track(place, world.kind, lessons=lessons), lessons


def measure(world: World, seed: int) -> Figures:
    """Return the figures of one world: lessons against the truth, the night's bar, and the naive arm beside it."""
    place, one, lessons = made(world, seed)
    scores = scores_of(place, one)
    began = time.process_time()
    result = learn_night(scores, manifest_of(world.learning))
    took = time.process_time() - began
    rows = rows_by_detector(scores, world.learning.search_days)[one.detector_id]
    truth = Truth(rows, one, lessons, day_weights(len(rows.days), world.learning.half_life_days))
    bars = [one_look_critical(x, world.learning.alpha) for x in result.draw_maxima]  # before floor and gates
    out: Figures = {"any": int(bool(result.lessons))}
    for name, bar, best in zip(("day", "rest"), bars, result.real_maximum, strict=True):
        out |= {f"beyond_{name}": int(best > bar), f"bar_{name}": bar, f"best_{name}": best}
    out |= truth.against(result.lessons)
    out |= truth.covered(seed, world.rules_covered, world.learning)
    out["naive_any"] = int(naive_finds(scores))
    if world.kind == "mirage":
        paper = learn_night(paper_only(scores), manifest_of(world.learning))
        out["paper_any"] = int(any(x.m_nats > x.critical for x in (*paper.lessons, *paper.refused)))
    return out | {"cpu_s": round(took, 3)}


@dataclass(frozen=True, slots=True)
class Truth:
    """What a world knows of its own rules; `g` [days] are the weights with which the night looked."""

    rows: DetectorRows
    track: Track
    lessons: Sequence[tuple[Rule, float]]
    g: NDArray[np.float64]

    def uplift(self, rule: Rule, believed: tuple[Rule, ...] = ()) -> float:
        """Return U* of a rule over the baseline that holds the rules already believed, bps."""
        rows = self.rows
        mean = self.track.mean[len(self.track.mean) - len(rows) :]
        h = rows.weight * rows.h
        r = demean(rows.basis(believed), h, h * mean, rows.day, len(rows.days))
        inside, weight = rows.covered(rule), self.g[rows.day]
        return float((weight * r)[inside].sum() / (weight * h)[inside].sum())

    def against(self, found: Sequence[Lesson]) -> Figures:
        """Return lessons selected and false, bounds that hold, and planted rules found and exact by length."""
        effect = max((abs(bps) for _, bps in self.lessons), default=0.0)
        wrong = kept = 0
        believed: tuple[Rule, ...] = ()
        for lesson in found:
            true = lesson.sign * self.uplift(lesson.rule, believed)
            wrong += not self.lessons or true < FALSE_SHARE_OF_EFFECT * effect
            kept += lesson.lcb_bps <= true
            believed = (*believed, lesson.rule)
        out: Figures = {"selected": len(found), "false": int(wrong), "bound_holds": int(kept)}
        for rule, bps in self.lessons:
            same = [x for x in found if x.sign == np.sign(bps)]
            size = len(rule.literals)
            out[f"found{size}"] = int(any(jaccard(self.rows, x.rule, rule) >= 0.5 for x in same))
            out[f"exact{size}"] = int(any(x.rule == rule for x in same))
        return out

    def covered(self, seed: int, rules: int, learning: LearningDefaults) -> Figures:
        """Return of how many random eligible rules, chosen before looking, the 95 % interval holds U*."""
        if not rules:
            return {}
        rows, space = self.rows, axes(learning.max_literals)
        eligible = np.flatnonzero(support_of(rows, self.g, learning).eligible)
        chosen = stream(seed, "rules to cover").choice(eligible, rules, replace=False)
        r = residuals(rows).r.day
        held = 0
        for number in chosen:
            rule = space.rule(int(number))
            low, high = effect_in(rows, r, rows.covered(rule), self.g).ci95
            held += low <= self.uplift(rule) <= high
        return {"intervals": rules, "intervals_hold": int(held)}


def support_of(rows: DetectorRows, g: NDArray[np.float64], settings: LearningDefaults) -> Family:
    """Return the support of every rule over windows."""
    space = axes(settings.max_literals)
    return family_of(stacked(day_cubes(rows, (), space), rows.days, space), g, space, settings)


def effect_in(rows: DetectorRows, r: NDArray[np.float64], covered: NDArray[np.bool_], g: NDArray[np.float64]) -> Effect:
    """Return the effect of the covered windows; r [n] residual scores, g [days] day weights."""
    return effect_of(lane_sums(rows, r, rows.basis(), covered), g)


def jaccard(rows: DetectorRows, one: Rule, two: Rule) -> float:
    """Return the share of windows covered by both rules among those covered by either."""
    a, b = rows.covered(one), rows.covered(two)
    return float((a & b).sum() / max((a | b).sum(), 1))


def naive_finds(scores: Mapping[str, Columns]) -> bool:
    """Tell whether the naive table's best condition is significant at 5 %, even after Bonferroni over all of them."""
    tried = sum(rule_counts()[:2])
    return any(row.p_value < 0.05 / tried for row in naive_table(scores, top=1))


def paper_only(scores: Mapping[str, Columns]) -> dict[str, Columns]:
    """Return the world as a desk sees it that only has the modelled payoff."""
    out: dict[str, Columns] = {}
    for day, columns in scores.items():
        modelled = np.asarray(columns["payoff_p"], dtype=np.float64)
        published = np.asarray(columns["published"], dtype=np.bool_)
        p = np.asarray(columns["p"], dtype=np.float64)
        executed = np.where(published, modelled, np.nan)
        blank = np.full(len(p), "", dtype=object)
        f = score(p, published, modelled, executed)
        out[day] = {**columns, "payoff_y": executed, "f": f, "fill_source": blank}
    return out
