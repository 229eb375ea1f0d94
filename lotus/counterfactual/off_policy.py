"""What a change was worth by the log alone: V(pi') - V(pi) of the windows that matured, summed by day.

    -dV_d = sum over windows of (pi' - p) [P + (A / p)(Y - P)]      (bps; p logged, 0 < p)

doubly robust, as everywhere in governance (`lotus.curation.value`); Student's interval over days. Windows with p = 0 <
pi' have no evidence: their modelled sum of pi' P stands apart as `unsupported`. A change is refused, with the number,
where the log cannot carry it: effective sample size of A |pi' - p| / p below 100, the 99 % point of pi' / p above 20,
or fewer than 5 days. (Literature: off-policy evaluation; alpha spending for questions asked again.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.curation.value import MIN_DAYS, DaySum, gained, over_days

Floats = NDArray[np.float64]
MIN_ESS: Final = 100.0
MOST_RATIO: Final = 20.0
_LOG_LOW, _LOG_STEP, _LOG_BINS = -10.0, 0.005, 4_000


@dataclass(frozen=True, slots=True)
class DayWorth:
    """One maturity day of a change: sums over its windows that the log can carry, and what it cannot.

    `weight`, `weight_squares`: sums of w and w^2, w = A |pi' - p| / p. `ratios`: counts of moved windows by ln(pi'/p).
    """

    day: str
    value_bps: float
    windows: int
    moved: int
    weight: float
    weight_squares: float
    ratios: NDArray[np.int64]
    unsupported: int
    unsupported_mass: float
    unsupported_bps: float
    unlike: int


@dataclass(frozen=True, slots=True)
class OffPolicyWorth:
    """What the log says of a change over days; `refused` is why it says nothing, "" where it does.

    `plain`: sum of daily values with its 95 % interval; `honest`: at the level that the number of questions leaves.
    """

    refused: str
    plain: DaySum
    honest: DaySum
    level: float
    number: int
    ess: float
    ratio_q99: float
    windows: int
    moved: int
    unsupported: int
    unsupported_mass: float
    unsupported_bps: float
    unlike: int

    @property
    def is_shown(self) -> bool:
        """Whether the honest interval excludes 0."""
        low, high = self.honest.low, self.honest.high
        return not self.refused and low is not None and high is not None and (low > 0.0 or high < 0.0)


def worth_of_day(
    day: str, pi: Floats, other: Floats, published: NDArray[np.bool_], paper: Floats, executed: Floats, unlike: int = 0
) -> DayWorth:
    """Return what a change of pi into `other` [n] was worth on a day; P and Y in bps, NaN = none."""
    has_chance, moves = pi > 0.0, other != pi
    carried = has_chance & moves
    value = -float(gained(pi[carried], other[carried], published[carried], paper[carried], executed[carried]).sum())
    ratio = other[carried] / pi[carried]
    weight = np.where(published[carried], np.abs(ratio - 1.0), 0.0)
    logs = np.log(np.maximum(ratio, 1e-300))
    places = np.clip(((logs - _LOG_LOW) / _LOG_STEP).astype(np.int64), 0, _LOG_BINS - 1)
    bare = ~has_chance & (other > 0.0)
    modelled = bare & np.isfinite(paper)
    return DayWorth(
        day=day,
        value_bps=value,
        windows=len(pi),
        moved=int(np.count_nonzero(moves)),
        weight=float(weight.sum()),
        weight_squares=float((weight * weight).sum()),
        ratios=np.bincount(places, minlength=_LOG_BINS),
        unsupported=int(np.count_nonzero(bare)),
        unsupported_mass=float(other[bare].sum()),
        unsupported_bps=float((other[modelled] * paper[modelled]).sum()),
        unlike=unlike,
    )


def level_of_number(number: int, alpha: float = 0.05) -> float:
    """Return the level of the interval of the k-th question on overlapping days: 1 - alpha 6 / (pi k)^2.

    The alphas of all questions sum to `alpha`, however many there are.

    >>> round(level_of_number(1), 5), round(level_of_number(20), 6)
    (0.9696, 0.999924)
    """
    return 1.0 - alpha * 6.0 / (math.pi * number) ** 2


def worth(days: Sequence[DayWorth], number: int) -> OffPolicyWorth:
    """Return what the log says over days of the `number`-th question on them (from 1)."""
    total, squares = sum(d.weight for d in days), sum(d.weight_squares for d in days)
    ess = total * total / squares if squares > 0.0 else 0.0
    ratio = _quantile(days)
    moved = sum(d.moved for d in days)
    values, level = [d.value_bps for d in days], level_of_number(number)
    refused = _refused(len(days), ess, ratio) if moved else ""
    plain, honest = over_days(values), over_days(values, level)
    if refused:
        plain = honest = DaySum(float("nan"), None, None, len(days))
    return OffPolicyWorth(
        refused, plain, honest, level, number, ess, ratio, sum(d.windows for d in days), moved,
        sum(d.unsupported for d in days), sum(d.unsupported_mass for d in days),
        sum(d.unsupported_bps for d in days), sum(d.unlike for d in days),
    )  # fmt: skip


def _refused(days: int, ess: float, ratio: float) -> str:
    if days < MIN_DAYS:
        return f"{days} days with outcomes; an interval needs {MIN_DAYS}"
    if ess < MIN_ESS:
        return f"an effective sample of {ess:.1f} published windows; it needs {MIN_ESS:g}"
    if ratio > MOST_RATIO:
        return f"the 99 % point of pi'/p is {ratio:.1f}; the log carries at most {MOST_RATIO:g}"
    return ""


def _quantile(days: Sequence[DayWorth], share: float = 0.99) -> float:
    """Return the 99 % point of pi'/p over moved windows, to half a percent; 1 where none moves."""
    counts = sum((d.ratios for d in days), np.zeros(_LOG_BINS, np.int64))
    if not counts.sum():
        return 1.0
    place = int(np.searchsorted(np.cumsum(counts), share * counts.sum()))
    return math.exp(_LOG_LOW + (place + 1) * _LOG_STEP)
