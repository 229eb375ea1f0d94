"""What an allocation is worth off its policy: weeks of logged draws under other probabilities, with intervals.

Of a policy with probabilities u: V = mean over weeks of sum_a u_a [m_a + (drawn_a / q_a)(r_a - m_a)], m the mean that
was believed before the week (doubly robust, Horvitz-Thompson where m = 0); Student's interval over weeks. Literature:
D. Horvitz, D. Thompson, 1952; M. Dudik, J. Langford, L. Li, 2011.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.curation.value import DaySum, over_days

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LoggedWeek:
    """One week of arms: q, cost and the mean believed before it f8[arms], who was drawn, rewards (NaN: not drawn)."""

    q: Floats
    cost: Floats
    mean: Floats
    drawn: NDArray[np.bool_]
    reward: Floats


def estimates(week: LoggedWeek) -> Floats:
    """Return the unbiased estimate of every arm's reward in a week; of an arm of q = 0 what was believed."""
    surprise = np.where(week.drawn, np.nan_to_num(week.reward) - week.mean, 0.0)
    return np.asarray(week.mean + np.divide(surprise, week.q, out=np.zeros(len(week.q)), where=week.q > 0.0))


def uniform(week: LoggedWeek) -> Floats:
    """Return the equal probability of all arms that costs as much as the week's q, as f8[arms]."""
    return np.full(len(week.q), min(1.0, float((week.q * week.cost).sum() / week.cost.sum())))


def policy_value(weeks: Sequence[LoggedWeek], policy: Sequence[Floats]) -> DaySum:
    """Return the sum over weeks of what a policy would have given, with its interval over weeks."""
    return over_days([float((u * estimates(week)).sum()) for week, u in zip(weeks, policy, strict=True)])


def gain_on_uniform(weeks: Sequence[LoggedWeek]) -> DaySum:
    """Return what the logged probabilities gave more than equal ones at the same cost, with its interval over weeks."""
    return policy_value(weeks, [week.q - uniform(week) for week in weeks])
