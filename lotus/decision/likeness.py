"""How alike sources are: correlations of what they said on the same coin and window, for the fusion's blocks.

Pairs with too little in common count as not alike. In the literature: pairwise-complete correlation.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from lotus.hashing import round_learned

Spoken = Mapping[tuple[str, int], float]  # (coin, window_end_ms) -> signed score
MIN_COMMON: Final = 30


def correlations(spoken: Mapping[str, Spoken], min_common: int = MIN_COMMON) -> dict[tuple[str, str], float]:
    """Return the correlation of signed scores for each pair of sources (names rising) with enough common windows.

    Windows on which only one of the two spoke are left out, so that silence makes nobody alike.
    """
    names, found = sorted(spoken), dict[tuple[str, str], float]()
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            common = sorted(spoken[one].keys() & spoken[other].keys())
            if len(common) < min_common:
                continue
            pair = np.array([[spoken[name][key] for key in common] for name in (one, other)])
            deviation = pair - pair.mean(axis=1, keepdims=True)
            size = float(np.sqrt((deviation**2).sum(axis=1).prod()))
            if size > 0.0:
                rho = float(deviation[0] @ deviation[1]) / size
                found[(one, other)] = float(round_learned(np.array([min(max(rho, -1.0), 1.0)]))[0])
    return found
