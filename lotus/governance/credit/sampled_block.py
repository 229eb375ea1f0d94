"""Which six hours of a day are looked at for credit: one of four blocks, each with probability 1/4, by Philox."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64
from lotus.timebase import BLOCK_MS, DAY_MS

BLOCKS: Final = DAY_MS // BLOCK_MS
SHARE: Final = 1.0 / BLOCKS  # q of every block
TENTH: Final = 10  # of the windows one in so many is looked at closely


def drawn_block(branch: str, day: str) -> int:
    """Return the block of a day that is looked at, 0 to 3; a function of branch and day alone."""
    word = np.random.Philox(key=key64("credit block", branch, day)).random_raw(1)
    return int(word[0] % BLOCKS)


def in_block(end_ms: NDArray[np.int64], first_ms: int, block: int) -> NDArray[np.bool_]:
    """Return which windows bool[n] lie in a block, counted from `first_ms`, the first end that matures on the day."""
    place = np.clip((end_ms - first_ms) // BLOCK_MS, 0, BLOCKS - 1)
    return np.asarray(place == block)


def is_tenth(end_ms: NDArray[np.int64], window_ms: int) -> NDArray[np.bool_]:
    """Return every tenth window bool[n] by its end, on all coins at once."""
    return np.asarray((end_ms // window_ms) % TENTH == 0)
