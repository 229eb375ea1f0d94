"""The baseline's basis: six hat functions of the logit of the propensity the window would have had without braids.

Strata by logged propensity keep a lesson from relearning what the detector's own score already knows. In the
literature this is stratification (a linear spline) on the propensity score.
"""

import numpy as np
from numpy.typing import NDArray

KNOTS = np.array([-3.9, -2.0, -0.8, 0.3, 1.5, 3.9])
N_HATS = len(KNOTS)


def hats(u0: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the hat functions [n, 6] of logits [n]: piecewise linear, summing to 1, constant beyond the end knots.

    >>> hats(np.array([-9.0, -1.4])).round(2).tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0, 0.0, 0.0]]
    """
    inside = np.clip(u0, KNOTS[0], KNOTS[-1])
    left = np.clip(np.searchsorted(KNOTS, inside, side="right") - 1, 0, N_HATS - 2)
    share = (inside - KNOTS[left]) / (KNOTS[left + 1] - KNOTS[left])
    out = np.zeros((len(inside), N_HATS))
    rows = np.arange(len(inside))
    out[rows, left] = 1.0 - share
    out[rows, left + 1] = share
    return out
