"""Entanglement: how much the outcomes of one module tell about those of another, now or some steps later.

Both series are cut into thirds by rank; their mutual information in bits is taken at every lag up to `MOST_LAGS`
steps. The null turns one series against the other in a circle, which keeps what each series does by itself and breaks
only what binds them; the chance is that of the largest value over all lags. Nothing here is causal.
References: Cover and Thomas (2006), ch. 2; Theiler et al. (1992), surrogate data.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LedgerError
from lotus.hashing import round_learned

Floats = NDArray[np.float64]
Levels = NDArray[np.int64]
LEVELS, LEAST_STEPS, MOST_LAGS, MOST_TURNS = 3, 100, 6, 400


@dataclass(frozen=True, slots=True)
class Entanglement:
    """The strongest lag (positive: the first series leads), its information in bits, the null's 95 % mark, its chance.

    `steps` is the number of steps at which both series have a value; None elsewhere without enough of them.
    """

    steps: int
    lag: int | None = None
    bits: float | None = None
    null95: float | None = None
    chance: float | None = None

    @property
    def reason(self) -> str:
        """Why there is no result; empty when there is one."""
        return "" if self.bits is not None else f"{self.steps} steps with both, {LEAST_STEPS} are needed"


def entanglement(one: Floats, two: Floats) -> Entanglement:
    """Return how two series [n] on the same steps of time go together; NaN is a step without outcome.

    Steps at which either is NaN are left out before lags are counted. Raises `LedgerError` for lengths that differ.
    """
    if one.shape != two.shape:
        raise LedgerError(f"{len(one)} and {len(two)} steps", "two series on the same steps")
    is_finite = np.isfinite(one) & np.isfinite(two)
    n = int(is_finite.sum())
    if n < LEAST_STEPS:
        return Entanglement(n)
    a, b = (_thirds(x[is_finite]) for x in (one, two))
    lags = range(-MOST_LAGS, MOST_LAGS + 1)
    information = round_learned(np.array([mutual_information(*_lagged(a, b, lag)) for lag in lags]))
    turns = np.unique(np.linspace(2 * MOST_LAGS + 1, n - 2 * MOST_LAGS - 1, MOST_TURNS).astype(np.int64))
    turned = (np.roll(b, turn) for turn in turns)
    null = round_learned(np.array([max(mutual_information(*_lagged(a, c, lag)) for lag in lags) for c in turned]))
    best = int(np.argmax(information))
    chance = (1 + int((null >= information[best]).sum())) / (len(turns) + 1)
    return Entanglement(n, best - MOST_LAGS, float(information[best]), float(np.quantile(null, 0.95)), chance)


def mutual_information(a: Levels, b: Levels) -> float:
    """Return the mutual information of two series of levels 0..LEVELS-1, bits (plug-in).

    >>> mutual_information(np.array([0, 1, 2] * 50), np.array([0, 1, 2] * 50)).__round__(3)
    1.585
    """
    joint = np.bincount(a * LEVELS + b, minlength=LEVELS * LEVELS).reshape(LEVELS, LEVELS) / len(a)
    apart = joint.sum(axis=1)[:, None] * joint.sum(axis=0)[None, :]
    seen = joint > 0.0
    return float((joint[seen] * np.log2(joint[seen] / apart[seen])).sum())


def _lagged(a: Levels, b: Levels, lag: int) -> tuple[Levels, Levels]:
    return (a[: len(a) - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[: len(b) + lag])


def _thirds(values: Floats) -> Levels:
    """Return the third, by rank, in which each value lies; equal values share the lower rank."""
    ordered = np.sort(values)
    return np.asarray(np.searchsorted(ordered, values, side="left") * LEVELS // len(values), dtype=np.int64)
