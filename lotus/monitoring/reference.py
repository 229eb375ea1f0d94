"""The like days of one asset, and what their mean becomes at the volatility of the day.

The nearest days are not quite as volatile as the day. Where volatility is unusual for weeks they all lie on one side of
it, and every series that follows volatility would look like drift. So the reference is moved by what that difference
makes. In the literature: matching with regression adjustment (D. Rubin, Biometrics 29 (1973)).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lotus.monitoring.like_days import is_far, nearest

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """Volatility of an asset: `ln_rv` of the day, f8 [C] of the earlier days of its class, and which are like it."""

    ln_rv: float
    before: Floats

    @cached_property
    def like(self) -> NDArray[np.int64]:
        """Positions of the like days among those of the class."""
        return nearest(self.ln_rv, self.before)

    @property
    def is_far(self) -> bool:
        """Whether even the nearest days are not alike."""
        return len(self.like) > 0 and is_far(self.ln_rv, self.before[self.like])

    def moved(self, past: Floats) -> Floats:
        """Return by how much the like days' mean must move to the volatility of the day, f8 [S, K].

        `past` f8 [S, C, K]: what each series was on the days of the class, NaN where it was not. Least squares on
        ln rv over these days, times the difference that the nearest days leave.
        """
        present = np.asarray(np.isfinite(past).all(axis=2))
        count = np.maximum(present.sum(axis=1), 1)
        off = np.where(present, self.before - ((present @ self.before) / count)[:, None], 0.0)
        slope = np.einsum("sc,sck->sk", off, np.where(present[:, :, None], past, 0.0))
        width = (off * off).sum(axis=1)
        slope /= np.where(width > 0.0, width, np.inf)[:, None]
        near = present[:, self.like]
        middle = (near @ self.before[self.like]) / np.maximum(near.sum(axis=1), 1)
        return np.asarray(slope * np.where(near.any(axis=1), self.ln_rv - middle, 0.0)[:, None])
