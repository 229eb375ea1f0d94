"""What of a series' distance to its like days its own slow life does not foretell.

A series may wander for weeks whatever the volatility does; every excursion would be told as drift. So the signed
distance of a day is lessened by what the days just before it foretell: b times their exponential mean, b by least
squares over the series' own earlier days. What is left, without its sign, is lessened once more in the same way, which
takes shapes that come and go without moving the median. b is never negative, and days younger than 14 play no part in
it: a series that moves has 14 days in which nothing of the move is taken for its life. A series without a slow life
has b near 0, and its distance stays what it was. In the literature: pre-whitening, simple exponential smoothing (Holt).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GAIN: Final = 0.35  # weight of a day in the exponential mean: half of it is of the last two days
YOUNG: Final = 14  # newest days that b does not see
WINDOW: Final = 90  # days before these that it is made of
FEWEST_PAIRS: Final = 20
CLIP: Final = 4.0  # medians of a series' size beyond which a day counts no more


def left_over(distance: Floats) -> Floats:
    """Return what is left of signed distances f8 [S, T], oldest first, the last column today's; NaN stays, result >= 0.

    All columns are lessened with the b of today, so that they are alike.
    """
    signed = distance - _foretold(distance)
    size = np.abs(signed)
    above = size - np.nan_to_num(nan_median(size[:, :-1]))[:, None]
    return np.asarray(np.maximum(size - _foretold(above), 0.0))


def _foretold(values: Floats) -> Floats:
    """Return b times the exponential mean of the days before each, f8 [S, T]; 0 where b is not known."""
    tested = np.isfinite(values)
    limit = CLIP * np.nan_to_num(nan_median(np.abs(values[:, :-1])))[:, None]
    held = np.clip(np.where(tested, values, 0.0), -limit, limit)
    before = _mean_before(held, tested)
    newer = np.cumsum(tested[:, ::-1], axis=1)[:, ::-1] - tested[:, -1:]  # tested days from each on, without today
    used = tested & (newer > YOUNG) & (newer <= YOUNG + WINDOW)
    used[:, -1] = False
    x, y = np.where(used, before, 0.0), np.where(used, held, 0.0)
    width = (x * x).sum(axis=1)
    is_known = (used.sum(axis=1) >= FEWEST_PAIRS) & (width > 0.0)
    b = np.clip((x * y).sum(axis=1) / np.where(is_known, width, np.inf), 0.0, 1.0)
    return np.asarray(b[:, None] * before)


def _mean_before(held: Floats, tested: NDArray[np.bool_]) -> Floats:
    """Return the exponential mean of the tested days before each tested one, from 0 on; 0 at other days."""
    from scipy.signal import lfilter

    order = np.argsort(~tested, axis=1, kind="stable")  # tested days first, in their order
    mean = lfilter([GAIN], [1.0, GAIN - 1.0], np.take_along_axis(held, order, 1), axis=1)
    out = np.zeros_like(held)
    np.put_along_axis(out, order[:, 1:], mean[:, :-1], 1)
    return np.where(tested, out, 0.0)


def nan_median(values: Floats) -> Floats:
    """Return the median of each row without its NaN, NaN for a row of NaN."""
    ranked = np.sort(values, axis=1)
    count = np.isfinite(ranked).sum(axis=1)
    if not ranked.shape[1]:
        return np.full(len(values), np.nan)
    low, high = (np.maximum(count - 1, 0) // 2)[:, None], (np.maximum(count, 1) // 2)[:, None]
    middle = (np.take_along_axis(ranked, low, 1) + np.take_along_axis(ranked, high, 1))[:, 0] / 2.0
    return np.where(count > 0, middle, np.nan)
