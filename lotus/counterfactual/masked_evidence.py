"""The experts' evidence of windows with some of them left out, from what every expert said at the close.

llr' = sum of w z over the experts that remain and are not null (null when all are); evidence = the set's calibration of
logistic(llr'). What an expert's state machine did is untouched: it is masked, not removed. (Literature: leave-one-out
attribution.)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.experts.fusion import ExpertSet

Floats = NDArray[np.float64]


def evidence_without(z: Floats, experts: ExpertSet, left_out: Sequence[str]) -> Floats:
    """Return P(up) f8[n] of z f8[n, experts] with experts left out; NaN where nobody speaks."""
    weights = np.array([0.0 if name in left_out else w for name, w in zip(experts.names, experts.weights, strict=True)])
    stays = np.array([name not in left_out for name in experts.names])
    speaks = np.isfinite(z) & stays
    llr = (np.where(speaks, z, 0.0) * weights).sum(axis=1)
    raw = 1.0 / (1.0 + np.exp(-llr))
    knots = experts.fusion.evidence
    fitted = np.interp(raw, [x for x, _ in knots], [y for _, y in knots]) if knots else raw
    return np.where(speaks.any(axis=1), fitted, np.nan)


def of_side(up: Floats, s: Floats) -> Floats:
    """Return the evidence of the signal's direction: P(up), or P(down) for a signal below 0."""
    return np.where(s < 0.0, 1.0 - up, up)
