"""Series of outcomes by module, from scored windows: which windows count, and what their quality is.

Time is cut into steps. A step's value is the mean over the published windows whose whole outcome, from the window's end
to its horizon, lies inside the step, so that no price move is counted in two steps and unrelated moves give unrelated
values. What is read from a series is in `resonance`, `observer` and `entanglement`.
(Literature: non-overlapping returns; Hansen and Hodrick, 1980.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
STEP_MS = 600_000  # ten minutes: twice the horizon on which most detectors decide


@dataclass(frozen=True, slots=True)
class MaturedWindows:
    """Scored windows [n] whose outcome is known: end and horizon in ms, propensity of publication, whether published,
    paper payoff P and executed payoff Y in bps (NaN: not modelled, not executed).
    """

    end_ms: Times
    horizon_ms: Times
    p: Floats
    published: NDArray[np.bool_]
    paper: Floats
    executed: Floats


def paper_quality(windows: MaturedWindows) -> Floats:
    """Return P of published windows, bps, NaN elsewhere: what the alpha detector's words were worth on paper."""
    return np.where(windows.published, windows.paper, np.nan)


def execution_quality(windows: MaturedWindows) -> Floats:
    """Return Y - P of executed windows, bps, NaN elsewhere: what execution gained on paper (shortfall: below 0)."""
    return np.where(windows.published, windows.executed - windows.paper, np.nan)


def stepped(windows: MaturedWindows, quality: Floats) -> tuple[Times, Floats]:
    """Return the steps that have a value, as their number since 1970, ascending [k], and their means [k]."""
    step = windows.end_ms // STEP_MS
    whole = np.isfinite(quality) & (windows.end_ms + windows.horizon_ms <= (step + 1) * STEP_MS)
    names, lane = np.unique(step[whole], return_inverse=True)
    total = np.bincount(lane, weights=quality[whole], minlength=len(names))
    return names, total / np.bincount(lane, minlength=len(names))


def together(one: tuple[Times, Floats], two: tuple[Times, Floats]) -> tuple[Floats, Floats]:
    """Return two stepped series on the steps that both have [m]."""
    _, a, b = np.intersect1d(one[0], two[0], assume_unique=True, return_indices=True)
    return one[1][a], two[1][b]
