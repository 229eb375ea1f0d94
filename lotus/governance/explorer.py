"""How far each detector explores: floors of the propensity, raised where knowledge costs least, within a budget.

Per detector and floor e of a grid: H(e) = sum of pi (1 - pi) over 20 learning days, cost(e) = sum (pi_e - pi_.02)
max(0, lambda - b(u)), power = Phi(.25 sd sqrt(.12 H m / 20) / s - T), the chance that a lesson of a quarter of a
deviation on 12 % of the windows passes tonight's bar T once the learner remembers m days of that floor, and VOI =
power x 20 days' gain of its patch. The greedy raises the floor where VOI rises most per cost, until 5 % of trailing
gross x (.75 + .5 mean hbar) is used. (Literature: value of information, epsilon-greedy exploration with a budget,
knapsack by density.)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.curation.act import CurationAct, CurationKind
from lotus.curation.law import EXPLORER, check_act
from lotus.detectors.curators import LEAST_EPSILON, MOST_EPSILON
from lotus.timebase import next_day

Floats = NDArray[np.float64]
STEP: Final = 0.005
GRID: Final = tuple(round(LEAST_EPSILON + STEP * k, 3) for k in range(17))
PAST_DAYS: Final = 20
MIN_DAYS: Final = 10
FASTER: Final = 1.5  # times the floor of the night before, at most
SHARE_OF_GROSS: Final = 0.05
FOR_PROPOSALS: Final = 0.2  # of the budget, before detectors take theirs
EFFECT, COVERAGE, TILT = 0.25, 0.12, 0.5  # deviations, of windows, logit


@dataclass(frozen=True, slots=True)
class ExploredDetector:
    """A detector over the last 20 learning days: H and cost (bps) at each floor of `GRID`, and what a lesson needs.

    `sd_bps`: deviation of payoffs; `s_bps`: of block sums per root of overlap weight. `before`: its floor last night.
    `loss_bps`: mean of max(0, lambda - b(u)) over its `windows`.
    """

    detector_id: str
    h: Floats
    cost: Floats
    sd_bps: float
    s_bps: float
    before: float
    windows: int
    loss_bps: float


@dataclass(frozen=True, slots=True)
class LessonBar:
    """What a lesson has to pass: the t of its score, and the days of equal weight that it is remembered for."""

    t: float
    days: float


@dataclass(frozen=True, slots=True)
class ExplorationPlan:
    """Floors by detector in order, with power, VOI and cost at them; the budget, bps, and the share of proposals."""

    epsilon: tuple[float, ...]
    power: tuple[float, ...]
    voi_bps: tuple[float, ...]
    cost_bps: tuple[float, ...]
    budget_bps: float
    experiment_share: float
    why: str


def budget_of(gross_bps: float, mean_hbar: float) -> float:
    """Return what 20 days' exploration may cost, bps; 0 where nothing was earned."""
    return max(0.0, SHARE_OF_GROSS * gross_bps * (0.75 + 0.5 * mean_hbar))


def bar_of(critical_nats: float, price_nats: float, half_life_days: float) -> LessonBar:
    """Return the bar of a rule of two literals: t = sqrt(2 c + 2 ln N), days = (sum w)^2 / sum w^2 as days fade."""
    fade = 0.5 ** (1.0 / half_life_days)
    return LessonBar(math.sqrt(2.0 * (critical_nats + price_nats)), (1.0 + fade) / (1.0 - fade))


def power_of(one: ExploredDetector, bar: LessonBar) -> Floats:
    """Return the chance of the lesson at each floor, [17]; 0 where payoffs do not scatter."""
    from scipy.special import ndtr

    if not (one.s_bps > 0.0 and one.sd_bps > 0.0):
        return np.zeros(len(GRID))
    remembered = COVERAGE * one.h * bar.days / PAST_DAYS
    return np.asarray(ndtr(EFFECT * one.sd_bps * np.sqrt(remembered) / one.s_bps - bar.t))


def value_of_information(one: ExploredDetector, bar: LessonBar) -> Floats:
    """Return VOI at each floor, bps over 20 days: power x what the patch of such a lesson adds at the least floor."""
    return np.asarray(power_of(one, bar) * EFFECT * one.sd_bps * TILT * COVERAGE * one.h[0], np.float64)


def explore(
    detectors: Sequence[ExploredDetector],
    days: int,
    gross_bps: float,
    mean_hbar: float,
    bar: LessonBar,
    share: float,
) -> ExplorationPlan:
    """Return the floors of a night; `share`: of the windows, that experiments on proposals may draw at most."""
    budget = budget_of(gross_bps, mean_hbar)
    if days < MIN_DAYS or budget <= 0.0:
        why = f"{days} learning days of {MIN_DAYS}" if days < MIN_DAYS else "nothing was earned before costs"
        return _plan(detectors, [0] * len(detectors), bar, 0.0, 0.0, why)
    for_all = sum(one.windows * one.loss_bps for one in detectors)
    given = min(share, FOR_PROPOSALS * budget / for_all) if for_all > 0.0 else share
    places = _greedy(detectors, bar, budget - given * for_all)
    return _plan(detectors, places, bar, budget, given, "")


def _greedy(detectors: Sequence[ExploredDetector], bar: LessonBar, budget: float) -> list[int]:
    """Return the place in `GRID` of each detector: step by step to the best VOI per cost that the rest still pays."""
    value = [value_of_information(one, bar) for one in detectors]
    most = [max(k for k, e in enumerate(GRID) if k == 0 or e <= FASTER * one.before + 1e-9) for one in detectors]
    places, left = [0] * len(detectors), budget
    while True:
        best = (0.0, -1, 0, 0.0)
        for d, one in enumerate(detectors):
            for k in range(places[d] + 1, most[d] + 1):
                price, gain = float(one.cost[k] - one.cost[places[d]]), float(value[d][k] - value[d][places[d]])
                if price <= left and gain > 0.0 and gain / max(price, 1e-12) > best[0]:
                    best = (gain / max(price, 1e-12), d, k, price)
        if best[1] < 0:
            return places
        places[best[1]] = best[2]
        left -= best[3]


def _plan(
    detectors: Sequence[ExploredDetector], places: Sequence[int], bar: LessonBar, budget: float, share: float, why: str
) -> ExplorationPlan:
    pairs = list(zip(detectors, places, strict=True))
    return ExplorationPlan(
        tuple(GRID[k] for _, k in pairs),
        tuple(float(power_of(one, bar)[k]) for one, k in pairs),
        tuple(float(value_of_information(one, bar)[k]) for one, k in pairs),
        tuple(float(one.cost[k]) for one, k in pairs),
        budget, share, why,
    )  # fmt: skip


def exploration_acts(
    plan: Mapping[str, float], branch: str, day: str, from_day: str, earlier: Sequence[CurationAct]
) -> tuple[tuple[CurationAct, ...], tuple[CurationAct, ...]]:
    """Return the acts of floors above the least, and what is to be written: those, and lifts of what changed.

    `earlier`: acts that this night decided before.
    """
    days = from_day, next_day(from_day)
    acts = {
        name: check_act(
            CurationAct(
                "", branch, day, EXPLORER, CurationKind.EPSILON, name, epsilon,
                f"value of information: a floor of {epsilon:g}", f"exploration_plan[{day}]", *days,
            ), {}, None,
        ).named()
        for name, epsilon in sorted(plan.items()) if LEAST_EPSILON < epsilon <= MOST_EPSILON
    }  # fmt: skip
    lifted = {act.revokes for act in earlier if act.kind == CurationKind.LIFT}
    own = [act for act in earlier if act.actor == EXPLORER and act.kind == CurationKind.EPSILON]
    standing = {act.target: act for act in own if act.act_id not in lifted and act.from_day == from_day}
    kept = {n: a for n, a in standing.items() if n in acts and acts[n].value == a.value}
    gone = [
        CurationAct(
            "", branch, day, EXPLORER, CurationKind.LIFT, name, 0.0, "the night was decided again",
            act.evidence_ref, *days, act.act_id,
        ).named()
        for name, act in standing.items() if name not in kept
    ]  # fmt: skip
    all_acts = {name: kept.get(name, act) for name, act in acts.items()}
    return tuple(all_acts.values()), (*(a for n, a in all_acts.items() if n not in kept), *gone)
