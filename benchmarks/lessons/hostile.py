"""Ordinary logs on which a careless learner is fooled: what the product's own night says of each, row by row.

`python -m benchmarks.lessons.hostile --row hostile-rare --seeds 1-200 [--json]`: one look at alpha = .04 over 40 days
of `lotus.simulation.hostile_world`, in which nothing is to be found (in `dead`: nothing any more); `nights-rare`: 80
nightly looks with production's slots and weights, rules of up to two literals; `true-rare`: a rule of half a deviation
(two, where little is published) planted in the same log. A world counts as fooled when any lesson is accepted; what an
audit refused and what either lane alone would have said stand beside it. Intervals of 20 random rules a world are held
against what the world expects of them, those of either lane and the one that a lesson would show. Where a rule is
planted, how much of it falls into another rule's windows differs from sample to sample: there the truth is that of
eight other worlds of the same kind and rule together, whose windows nobody drew a conclusion from.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import ROOT, Study
from benchmarks.lessons.pipeline import Kept
from benchmarks.lessons.worlds import FALSE_SHARE_OF_EFFECT, ONE_LOOK, Figures, jaccard, manifest_of, support_of
from lotus.hashing import key64
from lotus.learning.axes import axes
from lotus.learning.effect import effects_of, plain_sums, residuals
from lotus.learning.lesson import AuditState
from lotus.learning.night import NightResult, learn_from, learn_night
from lotus.learning.rows import DetectorRows, day_weights, rows_by_detector
from lotus.learning.slots import NOTHING_SPENT, SlotState
from lotus.manifest import LearningDefaults
from lotus.priors.types import Rule
from lotus.simulation.hostile_world import KINDS, PLANTABLE, HostileWorld, hostile_world
from lotus.simulation.learning_world import stream

NIGHTLY = LearningDefaults(max_literals=2)
RULES = 20  # random rules of a world whose intervals are held against the truth
OTHERS = 8  # worlds that tell the truth of a random rule where a rule is planted
HALF_BPS, RARE_BPS = 6.0, 24.0  # effects planted; payoffs deviate by 12 bps
DETECTOR = "d0"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A kind of hostile world, its days, and what is planted in it."""

    kind: str
    days: int = 40
    effect_bps: float = 0.0


@dataclass(frozen=True, slots=True)
class Nights:
    """A kind of hostile world and how many nights look at it."""

    kind: str
    days: int = 80


def measure(setting: Hostile, seed: int) -> Figures:
    """Return whether the night was fooled, what each lane alone says, what the audits said, and intervals that hold."""
    world = hostile_world(setting.kind, seed, setting.days, setting.effect_bps)
    night = learn_night(world.scores, manifest_of(ONE_LOOK))
    out = _said(night)
    if setting.kind not in PLANTABLE:
        return out
    rows = rows_by_detector(world.scores, ONE_LOOK.search_days)[DETECTOR]
    return out | _intervals(rows, world, setting, seed) | (_against(rows, world, night) if world.planted else {})


def measure_nights(setting: Nights, seed: int) -> Figures:
    """Return whether any of the nights was fooled, the first that was (0 = none), and how many nights had an alarm."""
    world = hostile_world(setting.kind, seed, setting.days)
    past, days, manifest = Kept(DETECTOR, dict(world.scores)), sorted(world.scores), manifest_of(NIGHTLY)
    slots, pooled, audits = NOTHING_SPENT, SlotState(), dict[str, AuditState]()
    looked = alarms = proposed = first = 0
    for n in range(1, len(days) + 1):
        past.window = tuple(days[max(0, n - NIGHTLY.search_days) : n])
        night = learn_from(
            {DETECTOR: past}, past.window, manifest, night=n, slots=slots, audits=audits, pooled_slots=pooled
        )
        slots, pooled, audits = night.slots, night.pooled.state, {a.detector_id: a.state for a in night.audits}
        looked += int(night.looked)
        alarms += int(night.audits[0].alarm)
        proposed += int(bool(night.proposals))
        first = first or (n if night.lessons else 0)
    return {"any": int(first > 0), "first": first, "looked": looked, "alarms": alarms, "proposed": proposed}


def _said(night: NightResult) -> Figures:
    (audit,) = night.audits
    alone = [best > max(0.0, bar) for best, bar in zip(night.real_maximum, night.critical, strict=True)]
    return {
        "any": int(bool(night.lessons)),
        "proposed": int(bool(night.proposals)),
        "day_alone": int(alone[0]),
        "rest_alone": int(alone[1]),
        "alarm": int(audit.alarm),
        "without_paper": int(bool(audit.paper_note)),
        "asked_earlier": int(bool(audit.results_note)),
        "skewed": int(bool(audit.skew_note)),
    }


def _expected(rows: DetectorRows, world: HostileWorld) -> DetectorRows:
    """Return the windows as they would have been scored without luck."""
    return replace(rows, f=rows.h * world.expected)


def _intervals(rows: DetectorRows, world: HostileWorld, setting: Hostile, seed: int) -> Figures:
    g, space = day_weights(len(rows.days), ONE_LOOK.half_life_days), axes(ONE_LOOK.max_literals)
    eligible = np.flatnonzero(support_of(rows, g, ONE_LOOK).eligible)
    chosen = stream(seed, "rules to cover").choice(eligible, min(RULES, len(eligible)), replace=False)
    rules = [space.rule(int(number)) for number in chosen]
    left, true = residuals(rows), _truth(rows, world, setting, seed, rules)
    held = np.zeros(3, dtype=np.int64)
    for rule, uplifts in zip(rules, true, strict=True):
        found = effects_of(plain_sums(rows, left, rows.covered(rule)), g)
        holds = [one.ci95[0] <= u <= one.ci95[1] for one, u in zip(found, uplifts, strict=True)]
        shown = int(abs(found.rest.uplift) < abs(found.day.uplift))
        held += np.array([*holds, holds[shown]])
    day, rest, as_shown = held.tolist()
    return {"intervals": len(chosen), "held_day": day, "held_rest": rest, "held_shown": as_shown}


def _truth(
    rows: DetectorRows, world: HostileWorld, setting: Hostile, seed: int, rules: list[Rule]
) -> NDArray[np.float64]:
    """Return the uplifts [rules, lanes] in bps without luck: of these windows, or of other worlds with that rule."""
    told = [(rows, world)]
    if world.planted:
        seeds = (key64("hostile truth", setting.kind, seed, k) % 2**31 for k in range(OTHERS))
        worlds = [hostile_world(setting.kind, other, setting.days, setting.effect_bps, like=seed) for other in seeds]
        told = [(rows_by_detector(x.scores, ONE_LOOK.search_days)[DETECTOR], x) for x in worlds]
    parts = np.zeros((2, len(rules), 2))
    for windows, x in told:
        lucky, g = residuals(_expected(windows, x)), day_weights(len(windows.days), ONE_LOOK.half_life_days)
        for k, rule in enumerate(rules):
            for lane, sums in enumerate(plain_sums(windows, lucky, windows.covered(rule))):
                weight = g[sums.lane_day]
                parts[:, k, lane] += (weight * sums.excess).sum(), (weight * sums.weight).sum()
    return np.asarray(parts[0] / parts[1])


def _against(rows: DetectorRows, world: HostileWorld, night: NightResult) -> Figures:
    ((rule, bps),) = world.planted
    g, lucky = day_weights(len(rows.days), ONE_LOOK.half_life_days), _expected(rows, world)
    found = wrong = kept = 0
    believed: tuple[Rule, ...] = ()
    for lesson in night.lessons:
        sums_of = plain_sums(rows, residuals(lucky, believed), rows.covered(lesson.rule))
        true = lesson.sign * min((x.uplift for x in effects_of(sums_of, g)), key=abs)
        wrong += true < FALSE_SHARE_OF_EFFECT * abs(bps)
        kept += lesson.lcb_bps <= true
        found |= lesson.sign == np.sign(bps) and jaccard(rows, lesson.rule, rule) >= 0.5
        believed = (*believed, lesson.rule)
    return {"selected": len(night.lessons), "false": int(wrong), "bound_holds": int(kept), "found": int(found)}


_HERE = (Path(__file__), ROOT / "lotus" / "simulation" / "hostile_world.py")
_ONCE = {
    f"hostile-{kind}": Study(f"hostile-{kind}", Hostile(kind), measure, _HERE, Hostile(kind, 12), 1.0) for kind in KINDS
}
_NIGHTS = {
    f"nights-{kind}": Study(f"nights-{kind}", Nights(kind), measure_nights, _HERE, Nights(kind, 12), 4.0)
    for kind in KINDS
    if kind != "dead"  # nights in which it lives find it, as they should: `drift` asks what becomes of it
}
_TRUE = {
    f"true-{kind}": Study(
        f"true-{kind}", Hostile(kind, effect_bps=bps), measure, _HERE, Hostile(kind, 12, effect_bps=bps), 2.0
    )
    for kind in PLANTABLE
    for bps in (RARE_BPS if kind == "rare" else HALF_BPS,)
}
STUDIES = _ONCE | _NIGHTS | _TRUE
_LANES = (("shown", "the interval that a lesson would show"), ("day", "lane S's"), ("rest", "lane F's"))
CLAIMS = [
    *(
        claim
        for name in _ONCE
        for claim in (
            Claim(name, "any false lesson", total("any"), 0.05),
            Claim(name, "lane S alone, before gates and audits", total("day_alone")),
            Claim(name, "lane F alone, the same", total("rest_alone")),
            Claim(name, "blocked by an audit", total("alarm")),
            Claim(name, "any false proposal of the second channel", total("proposed")),
        )
    ),
    *(Claim(name, "any false lesson in 80 nights", total("any"), 0.05) for name in _NIGHTS),
    *(
        Claim(
            f"{stem}-{kind}", f"95 % intervals of random rules that hold: {words}", total(f"held_{lane}", "intervals")
        )
        for stem in ("hostile", "true")
        for kind in PLANTABLE
        for lane, words in _LANES
    ),
    *(
        claim
        for name in _TRUE
        for claim in (
            Claim(name, "the planted rule found", total("found")),
            Claim(name, "bounds of lessons that hold", total("bound_holds", "selected"), 0.95, at_least=True),
            Claim(name, "lessons that are false", total("false", "selected"), 0.05),
        )
    ),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
