"""Decayed 64-bin histograms: trailing quantiles and ranks in O(log 64) without remembering values.

Bins are quarter octaves from 2**low_exponent on, values outside fall into the edge bins. Old mass fades because new
mass grows: the weight of one observation is multiplied by `growth` each frame and everything is divided by 2**40 when
it gets large (exact). Beside the mass f8[64] of the bins stand the sums `below` f8[65] of all mass before each bin,
always summed first bin first. Idea: cumulative histograms; exponential histograms (forward decay, Cormode et al. 2009).
No frame logic here.
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
def add_to(mass: Mass, below: Mass, k: int, weight: float) -> None:
    """Add an observation to bin k; the sums below the bins after it are made again, so that they never drift."""
    mass[k] += weight
    sum_from(mass, below, k)


@kernel
def sum_from(mass: Mass, below: Mass, first: int) -> None:
    """Make `below[k]`, the mass of all bins before k, first bin first, for every k after `first`."""
    total = below[first]
    for k in range(first, BINS):
        total += mass[k]
        below[k + 1] = total


@kernel
def quantile_of(mass: Mass, below: Mass, q: float, low_exponent: int) -> float:
    """Return the q-quantile, 0 < q <= 1, linear inside its bin; NaN without mass."""
    wanted = q * below[BINS]
    if not wanted > 0.0:
        return math.nan
    k, stop = 0, BINS - 1
    while k < stop:
        middle = (k + stop) >> 1
        if below[middle + 1] >= wanted:
            stop = middle
        else:
            k = middle + 1
    low = edge_of(k, low_exponent)
    return low + (edge_of(k + 1, low_exponent) - low) * float((wanted - below[k]) / mass[k])


@kernel
def rank_of(mass: Mass, below: Mass, x: float, low_exponent: int) -> float:
    """Return the share of mass below x, half of its own bin counted; NaN without mass."""
    total = below[BINS]
    if not total > 0.0:
        return math.nan
    mine = bin_of(x, low_exponent)
    return min(float((below[mine] + 0.5 * mass[mine]) / total), 1.0)


@kernel
def rescale(mass: Mass, below: Mass, weight: float) -> bool:
    """Divide the mass by 2**40 when the weight of a new observation reached it; return whether it did."""
    if weight < RESCALE:
        return False
    for k in range(BINS):
        mass[k] /= RESCALE
    sum_from(mass, below, 0)
    return True
