"""Normal-normal pooling of means with errors of their own, by the method of moments.

x_c ~ N(theta_c, v_c), theta_c ~ N(mu, tau^2). With w = 1/v, Q = sum w (x - x_w)^2: tau^2 = max(0, (Q - (k - 1)) /
(sum w - sum w^2 / sum w)), mu the mean under 1/(v + tau^2), theta_c drawn towards mu by v / (v + tau^2). Literature:
R. DerSimonian, N. Laird, 1986; C. Morris, "Parametric empirical Bayes inference", 1983. Errors of cells take tau for
known, so an interval of two of them covers a little less than it says: nothing is decided by it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pooled:
    """Mean of all cells with its error, spread tau between them; each cell f8[k] drawn towards the mean."""

    mean: float
    error: float
    tau: float
    cells: Floats
    errors: Floats


def normal_normal(means: Floats, variances: Floats) -> Pooled:
    """Return cells f8[k] pooled; one of unknown or no variance (NaN, 0) has no say and gets the mean.

    >>> normal_normal(np.array([1.0, 3.0]), np.array([1.0, 1.0])).mean
    2.0
    """
    has_error = np.isfinite(means) & (variances > 0.0) & np.isfinite(variances)
    x, v = means[has_error], variances[has_error]
    if not len(x):
        nothing = np.full(len(means), np.nan)
        return Pooled(float("nan"), float("nan"), 0.0, nothing, nothing)
    w = 1.0 / v
    centre = float((w * x).sum() / w.sum())
    spread = float(w.sum() - (w * w).sum() / w.sum())
    tau2 = max(0.0, (float((w * (x - centre) ** 2).sum()) - (len(x) - 1)) / spread) if len(x) > 1 else 0.0
    w = 1.0 / (v + tau2)
    mean, error = float((w * x).sum() / w.sum()), float(np.sqrt(1.0 / w.sum()))
    share = np.where(has_error, np.divide(tau2, variances + tau2, out=np.zeros(len(means)), where=has_error), 0.0)
    cells = np.where(has_error, share * np.where(has_error, means, 0.0) + (1.0 - share) * mean, mean)
    errors = np.sqrt(share * np.where(has_error, variances, 0.0) + ((1.0 - share) * error) ** 2)
    return Pooled(mean, error, float(np.sqrt(tau2)), cells, np.where(has_error, errors, np.hypot(error, np.sqrt(tau2))))
