"""Decayed 64-bin histograms: trailing quantiles and ranks in O(64) without remembering values.

Bins are quarter octaves from 2**low_exponent on, values outside fall into the edge bins. Old mass fades because new
mass grows: the weight of one observation is multiplied by `growth` each frame and everything is divided by 2**40 when
it gets large (exact). Idea: exponential histograms (forward decay, Cormode et al. 2009). No frame logic here.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel

BINS: Final[int] = 64
_QUARTER = (1.0, 1.189207115002721, 1.4142135623730951, 1.681792830507429)
RESCALE: Final[float] = 1099511627776.0  # 2**40

Mass = NDArray[np.float64]


@kernel
def bin_of(x: float, low_exponent: int) -> int:
    """Return the bin of a value: bin k holds [2**(low + k/4), 2**(low + (k+1)/4)); 0 for x below and for x <= 0."""
    if not x > 0.0:
        return 0
    m, e = math.frexp(x)
    m *= 2.0
    quarter = 0
    if m >= _QUARTER[3]:
        quarter = 3
    elif m >= _QUARTER[2]:
        quarter = 2
    elif m >= _QUARTER[1]:
        quarter = 1
    k = 4 * (e - 1 - low_exponent) + quarter
    return min(max(k, 0), BINS - 1)


@kernel
def edge_of(k: int, low_exponent: int) -> float:
    """Return the lower edge of bin k."""
    return math.ldexp(_QUARTER[k & 3], low_exponent + (k >> 2))


@kernel
def total_of(mass: Mass) -> float:
    """Return the sum of the mass, first bin first."""
    total = 0.0
    for k in range(BINS):
        total += mass[k]
    return total


@kernel
def quantile_of(mass: Mass, q: float, low_exponent: int) -> float:
    """Return the q-quantile, linear inside its bin; NaN without mass."""
    wanted = q * total_of(mass)
    if not wanted > 0.0:
        return math.nan
    below = 0.0
    for k in range(BINS):
        if below + mass[k] >= wanted and mass[k] > 0.0:
            low = edge_of(k, low_exponent)
            return low + (edge_of(k + 1, low_exponent) - low) * float((wanted - below) / mass[k])
        below += mass[k]
    return edge_of(BINS, low_exponent)


@kernel
def rank_of(mass: Mass, x: float, low_exponent: int) -> float:
    """Return the share of mass below x, half of its own bin counted; NaN without mass."""
    total = total_of(mass)
    if not total > 0.0:
        return math.nan
    mine = bin_of(x, low_exponent)
    below = 0.0
    for k in range(mine):
        below += mass[k]
    return min(float((below + 0.5 * mass[mine]) / total), 1.0)


@kernel
def rescale(mass: Mass, weight: float) -> bool:
    """Divide the mass by 2**40 when the weight of a new observation reached it; return whether it did."""
    if weight < RESCALE:
        return False
    for k in range(BINS):
        mass[k] /= RESCALE
    return True
