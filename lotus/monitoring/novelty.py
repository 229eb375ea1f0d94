"""`novel_share`: how many windows hold a pair of context bins that was not seen in the 28 days before.

In the literature: dissimilarity index, applicability domain. It is a number to look at and to test; it gates nothing.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.priors.vocabulary import BIN_COLUMNS

DAYS: Final = 28
_LEVELS: Final = 6  # five bins and null
_PAIRS: Final = tuple(combinations(range(len(BIN_COLUMNS)), 2))
_CELLS: Final = _LEVELS * _LEVELS
SEEN_BITS: Final = len(_PAIRS) * _CELLS


def pair_cells(bins: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the cell of each pair of bins, i2 [n, 66], of windows u1 [n, 12]; 255 is null."""
    level = np.minimum(bins, _LEVELS - 1).astype(np.int16)
    first, second = (np.array(side) for side in zip(*_PAIRS, strict=True))
    return np.asarray(level[:, first] * _LEVELS + level[:, second] + np.arange(len(_PAIRS), dtype=np.int16) * _CELLS)


def seen_in(cells: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return which cells a day's windows hold, bool [2376]."""
    seen = np.zeros(SEEN_BITS, np.bool_)
    seen[cells.ravel()] = True
    return seen


def novel_share(cells: NDArray[np.int16], before: NDArray[np.bool_]) -> float:
    """Return the share of windows with a cell outside `before`; NaN without a window."""
    return float((~before[cells]).any(axis=1).mean()) if len(cells) else float("nan")


def as_text(seen: NDArray[np.bool_]) -> str:
    """Return which cells were seen, as it is stored."""
    return np.packbits(seen).tobytes().hex()


def of_texts(texts: Iterable[str]) -> NDArray[np.bool_]:
    """Return the cells that any of the stored days saw."""
    seen = np.zeros(SEEN_BITS, np.bool_)
    for text in texts:
        seen |= np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))[:SEEN_BITS].astype(np.bool_)
    return seen
