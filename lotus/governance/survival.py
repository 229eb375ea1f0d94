"""How long beliefs live: the Kaplan-Meier median of lives of which some are not over, with its interval.

S(t) is the product over the days t with an end of 1 - d/n; the median is the first t with S(t) <= 1/2. Its 95 %
interval (Brookmeyer and Crowley 1982) holds the t at which Greenwood's interval of ln(-ln S(t)) holds 1/2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class PatchLife:
    """One life: days that it has lasted, and whether it is over."""

    days: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class MedianLife:
    """Median and 95 % interval in days, each None where so many have not ended; `lives` counted, `ended` of them."""

    median: float | None
    low: float | None
    high: float | None
    lives: int
    ended: int


def median_life(lives: Sequence[PatchLife]) -> MedianLife:
    """Return the Kaplan-Meier median of lives.

    >>> median_life([PatchLife(3, True), PatchLife(5, True), PatchLife(8, False)])
    MedianLife(median=5.0, low=3.0, high=None, lives=3, ended=2)
    >>> median_life([]).median is None
    True
    """
    survival, greenwood = 1.0, 0.0
    found: list[float | None] = [None, None, None]
    for day in sorted({life.days for life in lives if life.is_over}):
        at_risk = sum(life.days >= day for life in lives)
        ends = sum(life.days == day and life.is_over for life in lives)
        survival *= 1.0 - ends / at_risk
        greenwood += ends / (at_risk * (at_risk - ends)) if ends < at_risk else math.inf
        low, high = _band(survival, greenwood)
        for k, bound in enumerate((survival, low, high)):
            if found[k] is None and bound <= 0.5:
                found[k] = float(day)
    return MedianLife(found[0], found[1], found[2], len(lives), sum(life.is_over for life in lives))


def _band(survival: float, greenwood: float) -> tuple[float, float]:
    """Return the 95 % interval of S, by its complementary log-log."""
    if survival <= 0.0:
        return 0.0, 0.0
    log = math.log(survival)
    reach = _Z * math.sqrt(greenwood) / abs(log)
    return math.exp(log * math.exp(reach)), math.exp(log * math.exp(-reach))
