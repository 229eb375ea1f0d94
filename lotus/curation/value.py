"""What acts are worth: the same stored windows, drawn with another propensity, and what they would have paid.

pi' is the propensity of a window whose ln sigma is moved by a number, all else as it was logged; dV = sum (pi - pi')
[P + (A/p)(Y - P) / k] in bps, p the logged propensity, k the share of the published whose Y is known. Where nothing was
executed the modelled payoff P stands alone. An interval is Student's over days, none below five. (Literature:
off-policy evaluation, doubly robust estimator.)
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus import mathx

Columns = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
MIN_DAYS: Final = 5
MOVED_COLUMNS: Final = ("ln_sigma_tilde", "tau_pub", "temperature", "gate", "pi", "veto")  # of SIGNAL_EVENTS
_AS_LOGGED: Final = 1e-9


@dataclass(frozen=True, slots=True)
class DaySum:
    """A sum of days with its 95 % interval over them; None below five days."""

    total: float
    low: float | None
    high: float | None
    days: int


class Redrawn:
    """Stored windows [n] drawn again with another ln sigma, all else as it was logged.

    A window that was not drawn as its logged numbers give, being held at a floor, keeps its propensity; 0 stays 0.
    """

    def __init__(self, events: Columns, epsilon: float) -> None:
        """Take `MOVED_COLUMNS` of the windows."""
        self.pi, self._epsilon = _floats(events, "pi"), epsilon
        temperature, self._gate = _floats(events, "temperature"), _floats(events, "gate")
        self._is_step = temperature <= 0.0
        self._temperature = np.where(self._is_step, 1.0, temperature)
        self._distance = _floats(events, "ln_sigma_tilde") - np.log(np.maximum(_floats(events, "tau_pub"), 1e-300))
        self._is_free = (self.pi > 0.0) & (np.abs(self._drawn(np.zeros(len(self.pi))) - self.pi) <= _AS_LOGGED)

    def moved(self, change: Floats) -> Floats:
        """Return pi of the windows with ln sigma moved by `change` [n]."""
        return np.where(self._is_free & (change != 0.0), self._drawn(change), self.pi)

    def taken(self, rows: NDArray[np.generic]) -> "Redrawn":
        """Return some of the windows, by a mask or places."""
        out = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(out, name, value[rows])
        return out

    def _drawn(self, shift: Floats) -> Floats:
        z = (self._distance + shift) / self._temperature + self._gate
        free = np.clip(1.0 / (1.0 + np.exp(-np.clip(z, -700.0, 700.0))), self._epsilon, 1.0 - self._epsilon)
        return np.where(self._is_step, (self._distance + shift >= 0.0).astype(np.float64), free)


def moved_propensity(events: Columns, change: Floats, epsilon: float) -> Floats:
    """Return pi of windows [n] whose ln sigma is moved by `change` [n], as `Redrawn`."""
    return Redrawn(events, epsilon).moved(change)


def propensity_without_veto(events: Columns) -> Floats:
    """Return the propensity that windows would have had without any veto, from the logit that is logged for all."""
    return np.array([mathx.logistic(u) for u in _floats(events, "u").tolist()])


def gained(pi: Floats, other: Floats, published: NDArray[np.bool_], paper: Floats, executed: Floats) -> Floats:
    """Return (pi - other)[P + (A/p)(Y - P) / k] of windows [n], bps; 0 where P is null.

    k: share of the published ones whose Y is known, so that these stand for the others too. (Literature:
    inverse probability of censoring weights.)
    """
    due = published & np.isfinite(paper)
    seen = due & np.isfinite(executed)
    share = float(seen.sum()) / max(1.0, float(due.sum())) or 1.0
    surprise = np.where(seen, executed - paper, 0.0) / share
    weighted = np.divide(surprise, pi, out=np.zeros(len(pi)), where=pi > 0.0)
    return np.where(np.isfinite(paper), (pi - other) * (np.nan_to_num(paper) + weighted), 0.0)


def over_days(sums: Sequence[float], level: float = 0.95) -> DaySum:
    """Return the sum of daily sums with its interval n (mean +- t se).

    >>> over_days([1.0, 2.0])
    DaySum(total=3.0, low=None, high=None, days=2)
    """
    from scipy.special import stdtrit

    n, values = len(sums), np.array(sums, np.float64)
    total = float(values.sum())
    if n < MIN_DAYS:
        return DaySum(total, None, None, n)
    reach = float(stdtrit(n - 1, 0.5 + level / 2.0)) * float(values.std(ddof=1)) * float(np.sqrt(n))
    return DaySum(total, total - reach, total + reach, n)


def _floats(events: Columns, name: str) -> Floats:
    return np.asarray(events[name], dtype=np.float64)
