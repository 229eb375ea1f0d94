"""The baseline inside the day (step D): what is left of a score once the window's own strength is accounted for.

r = f - h B'beta_d with beta_d the h-weighted ridge regression of f / h on B, fitted on the same detector and day over
all assets together; B holds the hats of u0 and the indicators of rules already believed (Frisch-Waugh).
"""

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.jit import allocating_kernel

RIDGE = 1e-3


@allocating_kernel
def _normal_equations(
    basis: NDArray[np.float64], h: NDArray[np.float64], f: NDArray[np.float64], day: NDArray[np.int64], n_days: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width = basis.shape[1]
    gram = np.zeros((n_days, width, width))
    moment = np.zeros((n_days, width))
    for i in range(len(h)):
        d = day[i]
        for a in range(width):
            x = basis[i, a]
            if x != 0.0:
                moment[d, a] += x * f[i]
                for b in range(width):
                    gram[d, a, b] += h[i] * x * basis[i, b]
    return gram, moment


def demean(
    basis: NDArray[np.float64], h: NDArray[np.float64], f: NDArray[np.float64], day: NDArray[np.int64], n_days: int
) -> NDArray[np.float64]:
    """Return r [n] of windows with basis [n, k], overlap weight h [n], score f [n] and day index [n] (0..n_days-1)."""
    gram, moment = _normal_equations(basis, h, f, day, n_days)
    gram += RIDGE * np.eye(basis.shape[1])
    beta = round_learned(np.linalg.solve(gram, moment[:, :, None])[:, :, 0])
    fitted: NDArray[np.float64] = np.einsum("nk,nk->n", basis, beta[day])
    return f - h * fitted
