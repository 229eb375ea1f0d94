"""An experiment on a proposed rule: how far it raises the floor of the propensity, on which days, and what it drew.

A proposal of grade C compares whole days and so may be confounded. An experiment publishes more inside its rule, at
logged propensities, so that the learner's own lanes may see it. Its floor is as high as the budget of a day allows:
what it draws beyond what the score alone would, expected, stays within `weave.experiment_share` of the windows of its
detector on every day seen so far; at most two run at once, each on a detector of its own, so the share bounds them
together. A rule that its baseline absorbs (`gates.absorbed`: its features hardly move within a day) alternates: each
day from swap to swap is on or off by a fair draw, keyed by the experiment's name and the day and so known before it.
Values and arithmetic only; the board is `taken_up`. In the literature: epsilon-greedy exploration with a budget,
switchback experiment.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64, round_learned
from lotus.learning.rows import DetectorRows
from lotus.manifest import Manifest
from lotus.priors.types import EXPLORATION, IDENTITY, Knob, Patch, Rule
from lotus.timebase import DAY_MS, HOUR_MS

AT_ONCE = 2
BUDGET_DAYS = 20  # full days of its share that an experiment may draw in all
LEAST_RISE = 1.1  # times the usual publications in the rule, expected: below this it would teach next to nothing

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Arm:
    """Day means of the net payoff of a rule's windows (0 where none was published): number, sum and squares, bps."""

    days: int = 0
    total: float = 0.0
    square: float = 0.0

    def with_day(self, mean: float) -> "Arm":
        """Return the arm with the mean of one day more."""
        return Arm(self.days + 1, _rounded(self.total + mean), _rounded(self.square + mean * mean))

    @property
    def mean(self) -> float:
        """Mean over days, bps a window; 0 before any."""
        return self.total / self.days if self.days else 0.0

    @property
    def variance(self) -> float:
        """Variance of the mean; infinite before two days."""
        if self.days < 2:
            return math.inf
        return max(0.0, self.square - self.days * self.mean**2) / (self.days - 1) / self.days


@dataclass(frozen=True, slots=True)
class Experiment:
    """The state of an experiment; `floor` is the propensity's inside the rule where it is on.

    `rise` is what that multiplies the rule's publications by, expected, over the windows that the floor was found on.
    `drawn` of `budget`: publications beyond those of the score, expected; `most_share` the largest share of its
    detector's windows that they were on one day, `days` the learning days taken in up to `last_day`. `on`, `off`: what
    the rule's windows paid on days of either kind. `found` stays empty while it runs, then: promoted, refuted, ran out,
    stopped.
    """

    floor: float
    rise: float
    budget: float
    slow: bool
    drawn: float = 0.0
    most_share: float = 0.0
    days: int = 0
    on: Arm = Arm()
    off: Arm = Arm()
    found: str = ""
    last_day: str = ""

    @property
    def contrast(self) -> tuple[float, float]:
        """What a window of the rule paid more on days on than off, bps, and its standard error; infinite before two."""
        return self.on.mean - self.off.mean, math.sqrt(self.on.variance + self.off.variance)


def day_number(time_ms: int, manifest: Manifest) -> int:
    """Return the number of the day from swap to swap that holds a moment of event time."""
    return (time_ms - manifest.weave.swap_hour_utc * HOUR_MS) // DAY_MS


def is_on(name: str, day: int, slow: bool, manifest: Manifest) -> bool:
    """Return whether an experiment raises the floor on a day (`day_number`): always, or by a fair draw if slow."""
    return not slow or key64("experiment", manifest.score.seed, name, day) & 1 == 0


def began(rows: DetectorRows, rule: Rule, slow: bool, manifest: Manifest) -> Experiment:
    """Return an experiment of a rule from the windows of the search window, by its budget on the busiest day."""
    windows = len(rows) / max(1, len(np.unique(rows.day)))
    floors = [floor_of_day(rows, rule, day, manifest) for day in np.unique(rows.day).tolist()]
    allowed = manifest.weave.experiment_share * windows * BUDGET_DAYS
    floor = min(floors, default=0.0)
    return Experiment(floor, rise_at(floor, rows, rule), _rounded(allowed), slow, last_day=rows.days[-1])


def floor_of_day(rows: DetectorRows, rule: Rule, day: int, manifest: Manifest) -> float:
    """Return the highest floor with which a rule would have stayed within the budget of one day of `rows`."""
    of_day = rows.day == day
    inside = of_day & rows.covered(rule)
    allowed = manifest.weave.experiment_share * float(of_day.sum())
    return highest_floor(_usual(rows)[inside], allowed, manifest.weave.experiment_floor)


def rise_at(floor: float, rows: DetectorRows, rule: Rule) -> float:
    """Return what a floor multiplies the expected publications in a rule by, 1 without windows."""
    p = _usual(rows)[rows.covered(rule)]
    return _rounded(float(np.maximum(p, floor).sum() / p.sum())) if len(p) else 1.0


def highest_floor(p: Floats, allowed: float, most: float) -> float:
    """Return the highest floor up to `most` that adds at most `allowed` to the sum of propensities `p` [n].

    >>> highest_floor(np.array([0.02, 0.02, 0.5]), 0.1, 0.2), highest_floor(np.array([0.02] * 10), 0.1, 0.2)
    (0.07, 0.03)
    """
    p = np.sort(p[p < most])
    below = np.arange(1, len(p) + 1)
    floors = (allowed + np.cumsum(p)) / below  # the floor that spends all of it on the k lowest
    upper = np.append(p[1:], most)
    fits = np.flatnonzero(floors <= upper)
    return _rounded(min(most, float(floors[fits[0]]))) if len(fits) else most


def observed(name: str, experiment: Experiment, rows: DetectorRows, rule: Rule, manifest: Manifest) -> Experiment:
    """Return the experiment after one more learning day, `rows` of that day alone; a day is never taken in twice."""
    day = rows.days[-1]
    if day <= experiment.last_day:
        return experiment
    inside, number = rows.covered(rule), (rows.end_ms - manifest.weave.swap_hour_utc * HOUR_MS) // DAY_MS
    on = inside & _on_days(name, number, experiment.slow, manifest)
    more = np.maximum(0.0, np.minimum(rows.p, experiment.floor) - _usual(rows))
    drawn = float(more[on].sum())
    paid = np.where(rows.published & ~np.isnan(rows.payoff_y), rows.payoff_y, 0.0)
    arms = [_arm(arm, paid, side) for arm, side in ((experiment.on, on), (experiment.off, inside & ~on))]
    floor = min(experiment.floor, *(floor_of_day(rows, rule, k, manifest) for k in np.unique(rows.day).tolist()))
    return replace(
        experiment,
        floor=floor,
        rise=experiment.rise if floor == experiment.floor else rise_at(floor, rows, rule),
        drawn=_rounded(experiment.drawn + drawn),
        most_share=max(experiment.most_share, _rounded(drawn / max(1, len(rows)))),
        days=experiment.days + 1,
        on=arms[0],
        off=arms[1],
        last_day=day,
    )


def has_room(experiment: Experiment, manifest: Manifest) -> bool:
    """Return whether the budget of a day leaves a rise worth making."""
    return experiment.rise >= LEAST_RISE and experiment.floor > manifest.score.epsilon


def patch_of(experiment: Experiment, is_raised: bool, manifest: Manifest) -> Patch:
    """Return the patch in force until the next swap: the floor as a multiple of the usual one, or nothing."""
    if not is_raised:
        return IDENTITY
    return Patch(knobs=(Knob(EXPLORATION, _rounded(experiment.floor / manifest.score.epsilon)),))


def _usual(rows: DetectorRows) -> Floats:
    """Return the propensity [n] of the score alone, without braids."""
    return np.asarray(1.0 / (1.0 + np.exp(-rows.u0)), dtype=np.float64)


def _on_days(name: str, numbers: NDArray[np.int64], slow: bool, manifest: Manifest) -> Mask:
    days, place = np.unique(numbers, return_inverse=True)
    return np.array([is_on(name, int(day), slow, manifest) for day in days], dtype=np.bool_)[place]


def _arm(arm: Arm, paid: Floats, side: Mask) -> Arm:
    return arm.with_day(float(paid[side].mean())) if side.any() else arm


def _rounded(value: float) -> float:
    return float(round_learned(np.array([value]))[0])
