"""Signs of the sign-flip draws: one per day and path, from a counter-based generator keyed by (seed, day).

Draw j of a day is word j of its stream, so paths are the same for every detector, night and number of draws.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64


def day_signs(seed: int, days: Sequence[str], draws: int) -> NDArray[np.float64]:
    """Return signs +-1, float64 [days, draws].

    >>> bool((day_signs(7, ["2025-01-01"], 4) == day_signs(7, ["2025-01-01"], 9)[:, :4]).all())
    True
    """
    out = np.empty((len(days), draws))
    for row, day in zip(out, days, strict=True):
        stream = np.random.Philox(key=np.array([seed, key64("signs", day)], dtype=np.uint64))
        row[:] = 1.0 - 2.0 * (stream.random_raw(draws) >> np.uint64(63)).astype(np.float64)
    return out
