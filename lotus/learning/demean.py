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
    gram, moment = _normal_equations(basis.left, basis.share, basis.inside, h, f, day, n_days)
    gram += RIDGE * np.eye(basis.width)
    beta = round_learned(np.linalg.solve(gram, moment[:, :, None])[:, :, 0])
    out = np.empty(len(h))
    _residual(basis.left, basis.share, basis.inside, h, f, day, beta, *_order(basis.width), out)
    return out


def _order(width: int) -> tuple[Ints, Ints]:
    """Return the columns of rules that are added before the hats, and after them, in their order.

    The order of `numpy.einsum`: pairs of columns, four pairs at a time from the last, even and odd columns apart.
    """
    pairs = -(-width // 2)
    whole = width // 8 * 4
    first = [4 * block + k for block in range(whole // 4) for k in (3, 2, 1, 0)]
    columns = [2 * pair + side for pair in (*first, *range(whole, pairs)) for side in (0, 1)]
    at = columns.index(0)
    parts = ([c for c in part if N_HATS <= c < width] for part in (columns[:at], columns[at:]))
    before, after = (np.array(part, dtype=np.int64) for part in parts)
    return before, after


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
    before: Ints,
    after: Ints,
    out: Floats,
) -> None:
    for i in range(len(h)):
        own, k = beta[day[i]], np.int64(left[i])
        a, b = (1.0 - share[i]) * own[k], share[i] * own[k + 1]
        even, odd = 0.0, 0.0
        for column in before:
            if inside[column - N_HATS, i]:
                if column % 2 == 0:
                    even += own[column]
                else:
                    odd += own[column]
        even, odd = (even + a, odd + b) if k % 2 == 0 else (even + b, odd + a)
        for column in after:
            if inside[column - N_HATS, i]:
                if column % 2 == 0:
                    even += own[column]
                else:
                    odd += own[column]
        out[i] = f[i] - h[i] * (even + odd)
