"""Which style of entry a probe is tried in: a draw whose probability is logged.

Keyed by the window's name alone, so that the daemon, a restart, a replay and the batch draw the same. A probe that is
not tried is entered as its detector declares. In the literature: randomised exploration with logged propensities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lotus.detectors.entry_style import EntryStyle
from lotus.hashing import key64

# who owns each step of the knob `execution:entry_style`, and the style that the step goes up to
STEPS: Final = (("execution.entry_style", EntryStyle.JOIN), ("execution.entry_style.improve", EntryStyle.IMPROVE))
_UNIT: Final = 2.0**-53


@dataclass(frozen=True, slots=True)
class StyleDraw:
    """The style drawn for a probe, and the probability with which each style was: cross, join, improve."""

    style: EntryStyle
    shares: tuple[float, float, float]

    def against(self, lower: EntryStyle, upper: EntryStyle) -> float | None:
        """Return the probability of `upper` among the two where one of them was drawn, else None.

        >>> StyleDraw(EntryStyle.CROSS, (0.75, 0.2, 0.05)).against(EntryStyle.CROSS, EntryStyle.JOIN)
        0.21052631578947367
        >>> StyleDraw(EntryStyle.CROSS, (0.75, 0.2, 0.05)).against(EntryStyle.JOIN, EntryStyle.IMPROVE) is None
        True
        """
        by_style = dict(zip(EntryStyle, self.shares, strict=True))
        low, high = by_style[lower], by_style[upper]
        if self.style not in (lower, upper) or not (low > 0.0 and high > 0.0):
            return None
        return high / (low + high)


def drawn_style(name: str, shares: Sequence[float], seed: int) -> StyleDraw | None:
    """Return the draw of a window by its `name`; `shares`: of joining, of improving. None where nothing is tried.

    >>> drawn_style("a window", (0.0, 0.0), 7) is None
    True
    """
    join, improve = shares
    if join <= 0.0 and improve <= 0.0:
        return None
    stream = np.random.Philox(key=np.array([seed, key64("entry style", name)], dtype=np.uint64))
    draw = (int(stream.random_raw()) >> 11) * _UNIT
    style = EntryStyle.IMPROVE if draw < improve else EntryStyle.JOIN if draw < improve + join else EntryStyle.CROSS
    return StyleDraw(style, (1.0 - join - improve, join, improve))
