"""A change on the tape: the same windows scored again with the same draw keys, and every probe filled against the tape.

    value_d = sum pi' Y' - sum pi Y      over all windows that matured, Y of the fill against the tape (bps)

Each side is the expectation of its draws, so that luck of the draw does not stand between two answers to one question;
what the same draws would have published is told beside it. Outside the log's interval the two disagree about costs.
(Literature: simulation with common random numbers.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.counterfactual.off_policy import OffPolicyWorth
from lotus.curation.value import DaySum, over_days

Columns = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """One maturity day on the tape, as it was and under the change: expected payoffs and those of the draws, in bps."""

    day: str
    value_bps: float
    drawn_bps: float
    published: int
    published_before: int


@dataclass(frozen=True, slots=True)
class SimulatedWorth:
    """What the tape says of a change over days, with its 95 % interval over them."""

    value: DaySum
    drawn_bps: float
    published: int
    published_before: int


def simulated_day(day: str, before: Columns, after: Columns) -> SimulatedDay:
    """Return a day of two sides; columns pi, published and payoff (Y of every window, NaN = none)."""
    sums = [_sums(side) for side in (before, after)]
    (paid, drawn, count), (paid_after, drawn_after, count_after) = sums
    return SimulatedDay(day, paid_after - paid, drawn_after - drawn, count_after, count)


def _sums(side: Columns) -> tuple[float, float, int]:
    payoff = np.nan_to_num(np.asarray(side["payoff"], np.float64))
    published = np.asarray(side["published"], np.bool_)
    pi = np.asarray(side["pi"], np.float64)
    return float((pi * payoff).sum()), float(payoff[published].sum()), int(published.sum())


def simulated(days: Sequence[SimulatedDay]) -> SimulatedWorth:
    """Return what the tape says over days."""
    return SimulatedWorth(
        over_days([d.value_bps for d in days]), sum(d.drawn_bps for d in days), sum(d.published for d in days),
        sum(d.published_before for d in days),
    )  # fmt: skip


def cost_model_disagrees(log: OffPolicyWorth | None, tape: SimulatedWorth | None) -> bool:
    """Tell whether the tape's value lies outside the log's plain interval, where both speak."""
    if log is None or tape is None or log.refused or log.plain.low is None or log.plain.high is None:
        return False
    return not log.plain.low <= tape.value.total <= log.plain.high
