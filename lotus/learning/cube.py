"""The cube (step C): additive sums of a number per window over (block, subset of features, cell).

Every rule of at most three literals is a box in one of the sub-cubes, so its sums are exact without going back to the
windows. A null bin (255) counts in no cell of any subset that reads its feature. Blocks are blocks of time over all
assets together. Its lake form is `atoms`. In the literature: a data cube with additive aggregates.
"""

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel


@kernel
def accumulate(
    bins: NDArray[np.uint8],
    lane: NDArray[np.int64],
    value: NDArray[np.float64],
    n_lanes: int,
    subsets: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return sums [n_lanes, subsets, 125] of `value` over windows with bins uint8 [n, 12] and lane (block) [n]."""
    out = np.zeros((n_lanes, subsets.shape[0], 125))
    digit = np.zeros(13, dtype=np.int64)
    for i in range(len(value)):
        v = value[i]
        if v == 0.0:
            continue
        for f in range(12):
            digit[f] = bins[i, f] if bins[i, f] < 5 else -1000
        sums = out[lane[i]]
        for k in range(subsets.shape[0]):
            cell = 25 * digit[subsets[k, 0]] + 5 * digit[subsets[k, 1]] + digit[subsets[k, 2]]
            if cell >= 0:
                sums[k, cell] += v
    return out
