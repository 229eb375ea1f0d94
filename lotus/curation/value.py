"""What acts are worth: the same stored windows, drawn with another propensity, and what they would have paid.

pi' is the propensity of a window whose ln sigma is moved by a number, all else as it was logged; dV = sum (pi - pi')
[P + (A/p)(Y - P)] in bps, p the logged propensity. Where nothing was executed the modelled payoff P stands alone. An
interval is Student's over days, none below five. (Literature: off-policy evaluation, doubly robust estimator.)
"""

from collections.abc import Mapping, Sequence
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


def moved_propensity(events: Columns, change: Floats, epsilon: float) -> Floats:
    """Return pi of windows [n] whose ln sigma is moved by `change` [n]; 0 stays 0.

    A window that was not drawn as its logged numbers give, being held at a floor, keeps its propensity.
    """
    pi, temperature = _floats(events, "pi"), _floats(events, "temperature")
    is_step = temperature <= 0.0
    distance = _floats(events, "ln_sigma_tilde") - np.log(np.maximum(_floats(events, "tau_pub"), 1e-300))

    def drawn(shift: Floats) -> Floats:
        z = (distance + shift) / np.where(is_step, 1.0, temperature) + _floats(events, "gate")
        free = np.clip(1.0 / (1.0 + np.exp(-np.clip(z, -700.0, 700.0))), epsilon, 1.0 - epsilon)
        return np.where(is_step, (distance + shift >= 0.0).astype(np.float64), free)

    is_free = np.abs(drawn(np.zeros(len(pi))) - pi) <= _AS_LOGGED
    return np.where((pi > 0.0) & is_free & (change != 0.0), drawn(change), pi)


def propensity_without_veto(events: Columns) -> Floats:
    """Return the propensity that windows would have had without any veto, from the logit that is logged for all."""
    return np.array([mathx.logistic(u) for u in _floats(events, "u").tolist()])


def gained(pi: Floats, other: Floats, published: NDArray[np.bool_], paper: Floats, executed: Floats) -> Floats:
    """Return (pi - other)[P + (A/p)(Y - P)] of windows [n], bps; 0 where P is null."""
    surprise = np.where(published & np.isfinite(executed), executed - paper, 0.0)
    weighted = np.divide(surprise, pi, out=np.zeros(len(pi)), where=pi > 0.0)
    return np.where(np.isfinite(paper), (pi - other) * (np.nan_to_num(paper) + np.nan_to_num(weighted)), 0.0)


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
