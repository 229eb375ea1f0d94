"""The baseline's basis: six hat functions of the logit of the propensity the window would have had without braids.

Strata by logged propensity keep a lesson from relearning what the detector's own score already knows; beside them
stand the indicators of rules already believed. A window touches two neighbouring hats, so the basis is kept as their
place and share; where the knots stand is `strata`. In the literature this is stratification (a linear spline) on the
propensity score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel

KNOTS = np.array([-3.9, -2.0, -0.8, 0.3, 1.5, 3.9])  # of a log without earlier days
N_HATS = len(KNOTS)


@dataclass(frozen=True, slots=True)
class Basis:
    """Of each window the left one of its two hats, uint8 [n], the share of the right one, [n], and 1_R, bool [m, n].

    A share below 0 or above 1 lies beyond the outer knots, where hats are constant.
    """

    left: NDArray[np.uint8]
    share: NDArray[np.float64]
    inside: NDArray[np.bool_]

    @property
    def width(self) -> int:
        """Number of columns: six hats and the rules."""
        return N_HATS + len(self.inside)

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """Which windows lie beyond the outer knots."""
        return (self.share < 0.0) | (self.share > 1.0)

    def dense(self) -> NDArray[np.float64]:
        """Return the columns, float64 [n, width]."""
        out = np.zeros((len(self.left), self.width))
        rows, share = np.arange(len(out)), np.clip(self.share, 0.0, 1.0)
        out[rows, self.left] = 1.0 - share
        out[rows, self.left + 1] = share
        out[:, N_HATS:] = self.inside.T
        return out


def placed(u0: NDArray[np.float64], knots: NDArray[np.float64]) -> Basis:
    """Return the hats of logits u0 [n] on knots [6]: piecewise linear, summing to 1, constant beyond the end knots.

    >>> placed(np.array([-9.0, -1.4]), KNOTS).dense().round(2).tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0, 0.0, 0.0]]
    """
    left, share = np.empty(len(u0), dtype=np.uint8), np.empty(len(u0))
    _place(np.ascontiguousarray(u0), knots, left, share)
    return Basis(left, share, np.zeros((0, len(u0)), dtype=np.bool_))


def with_rules(left: NDArray[np.uint8], share: NDArray[np.float64], inside: Sequence[NDArray[np.bool_]]) -> Basis:
    """Return the basis of windows with known hats, in or out of each of some rules, bool [n]."""
    rules = np.array(inside, dtype=np.bool_) if len(inside) else np.zeros((0, len(left)), dtype=np.bool_)
    return Basis(left, share, rules)


@kernel
def _place(
    u0: NDArray[np.float64], knots: NDArray[np.float64], left: NDArray[np.uint8], share: NDArray[np.float64]
) -> None:
    last = knots.shape[0] - 1
    for i in range(u0.shape[0]):
        k = 0
        while k < last - 1 and not u0[i] < knots[k + 1]:
            k += 1
        left[i] = k
        share[i] = (u0[i] - knots[k]) / (knots[k + 1] - knots[k])
