"""The baseline inside the day (step D): what is left of a score once the window's own strength is accounted for.

r = f - h B'beta_d with beta_d the h-weighted ridge regression of f / h on B, fitted on the same detector and day over
all assets together; B holds the hats of u0 and the indicators of rules already believed (Frisch-Waugh). Which windows
and rules is decided by the caller.
"""

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.jit import allocating_kernel, kernel
from lotus.learning.basis import N_HATS, Basis

RIDGE = 1e-3

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def demean(basis: Basis, h: Floats, f: Floats, day: Ints, n_days: int) -> Floats:
    """Return r [n] of windows with a basis, overlap weight h [n], score f [n] and day index [n] (0..n_days-1)."""
    share = np.clip(basis.share, 0.0, 1.0)
    gram, moment = _normal_equations(basis.left, share, basis.inside, h, f, day, n_days)
    gram += RIDGE * np.eye(basis.width)
    beta = round_learned(np.linalg.solve(gram, moment[:, :, None])[:, :, 0])
    out = np.empty(len(h))
    _residual(basis.left, share, basis.inside, h, f, day, beta, out)
    return out


def demean_by_others(basis: Basis, h: Floats, f: Floats, day: Ints, n_days: int) -> Floats:
    """Return r [n] as `demean` does, beta of a day fitted on all other days together."""
    share = np.clip(basis.share, 0.0, 1.0)
    gram, moment = _normal_equations(basis.left, share, basis.inside, h, f, day, n_days)
    gram, moment = gram.sum(axis=0) - gram + RIDGE * np.eye(basis.width), moment.sum(axis=0) - moment
    beta = round_learned(np.linalg.solve(gram, moment[:, :, None])[:, :, 0])
    out = np.empty(len(h))
    _residual(basis.left, share, basis.inside, h, f, day, beta, out)
    return out


@allocating_kernel
def _normal_equations(
    left: NDArray[np.uint8], share: Floats, inside: NDArray[np.bool_], h: Floats, f: Floats, day: Ints, n_days: int
) -> tuple[Floats, Floats]:
    """Return B'hB [days, k, k] and B'f [days, k]; of a window only its columns that are not zero are visited."""
    width = N_HATS + inside.shape[0]
    gram = np.zeros((n_days, width, width))
    moment = np.zeros((n_days, width))
    column = np.zeros(width, dtype=np.int64)
    value = np.ones(width)
    for i in range(len(h)):
        column[0], column[1] = left[i], left[i] + 1
        value[0], value[1] = 1.0 - share[i], share[i]
        used = 2
        for k in range(inside.shape[0]):
            if inside[k, i]:
                column[used] = N_HATS + k
                used += 1
        own, right = gram[day[i]], moment[day[i]]
        for a in range(used):
            weight = h[i] * value[a]
            right[column[a]] += value[a] * f[i]
            for b in range(used):
                own[column[a], column[b]] += weight * value[b]
    return gram, moment


@kernel
def _residual(
    left: NDArray[np.uint8],
    share: Floats,
    inside: NDArray[np.bool_],
    h: Floats,
    f: Floats,
    day: Ints,
    beta: Floats,
    out: Floats,
) -> None:
    for i in range(len(h)):
        own, k = beta[day[i]], np.int64(left[i])
        level = (1.0 - share[i]) * own[k] + share[i] * own[k + 1]
        for rule in range(inside.shape[0]):
            if inside[rule, i]:
                level += own[N_HATS + rule]
        out[i] = f[i] - h[i] * level
