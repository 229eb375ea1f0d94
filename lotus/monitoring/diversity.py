"""How many different things the detectors say: effective number and spectral gap of the correlations of their payoffs.

With l the eigenvalues of corr(P), P the modelled payoff of each detector summed by the hour: N_eff = (sum l)^2 / sum
l^2, between 1 (all say the same) and the number of detectors; gap = (l1 - l2) / sum l. In the literature: participation
ratio, effective number of bets.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.history import MAX_ASSETS, DayHistory

Floats = NDArray[np.float64]

DAYS: Final = 20
FEWEST_HOURS: Final = 40  # with a payoff, below which a detector is left out


def hourly_payoffs(days: Sequence[DayHistory], detectors: int, windows_per_hour: int) -> Floats:
    """Return payoffs f8 [detectors, hours], bps, of the hours of each day in which any detector was paid; else 0."""
    return np.hstack([np.zeros((detectors, 0)), *(_of_day(day, detectors, windows_per_hour) for day in days)])


def _of_day(day: DayHistory, detectors: int, windows_per_hour: int) -> Floats:
    hours, column = np.unique(day.paid_key // (MAX_ASSETS * windows_per_hour), return_inverse=True)
    cell = day.paid_detector * len(hours) + column
    summed = np.bincount(cell, weights=day.payoff, minlength=detectors * len(hours)).astype(np.float64)
    return summed.reshape(detectors, len(hours))


def effective_number(payoffs: Floats) -> tuple[float, float]:
    """Return N_eff and the spectral gap; NaN with fewer than two detectors that were paid in 40 hours."""
    paid = payoffs[(payoffs != 0.0).sum(axis=1) >= FEWEST_HOURS]
    paid = paid[paid.std(axis=1) > 0.0] if paid.size else paid
    if len(paid) < 2:
        return float("nan"), float("nan")
    values = np.linalg.eigvalsh(np.corrcoef(paid))[::-1]
    total = float(values.sum())
    return total * total / float((values * values).sum()), float(values[0] - values[1]) / total
