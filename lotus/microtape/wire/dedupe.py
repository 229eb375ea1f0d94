"""Bounded memory of the prints already seen on one asset: a ring with a chained hash index.

The last `MEMORY` distinct (time, tid) pairs are known exactly (an exact FIFO set, not a Bloom filter); older ones are
forgotten. The venue replays about 30 prints after every subscription. Only numbers in one int64 row live here.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel

MEMORY: Final = 4096
_HEADS: Final = 4096  # power of two
_COUNT: Final = 0
_HEAD: Final = 1
_NEXT: Final = _HEAD + _HEADS
_TIME: Final = _NEXT + MEMORY
_TID: Final = _TIME + MEMORY
ROW_WIDTH: Final = _TID + MEMORY


def remembers_as(row: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Tell whether two full memories hold the same prints in the same order of age; one that is not full never does."""
    if min(row[_COUNT], other[_COUNT]) < MEMORY:
        return False

    def by_age(own: NDArray[np.int64], at: int) -> NDArray[np.int64]:
        return np.roll(own[at : at + MEMORY], -(own[_COUNT] % MEMORY))

    return all(np.array_equal(by_age(row, at), by_age(other, at)) for at in (_TIME, _TID))


@kernel
def first_seen(row: NDArray[np.int64], time_ms: int, tid: int) -> bool:
    """Return whether the print is new, and remember it; `row` is int64[ROW_WIDTH], zeros at the start."""
    head = _HEAD + _bucket(time_ms, tid)
    slot = row[head]
    while slot > 0:
        if row[_TID + slot - 1] == tid and row[_TIME + slot - 1] == time_ms:
            return False
        slot = row[_NEXT + slot - 1]
    position = row[_COUNT] % MEMORY
    if row[_COUNT] >= MEMORY:
        _forget(row, position)
    row[_TIME + position] = time_ms
    row[_TID + position] = tid
    row[_NEXT + position] = row[head]
    row[head] = position + 1
    row[_COUNT] += 1
    return True


@kernel
def _bucket(time_ms: int, tid: int) -> int:
    return (((tid ^ (time_ms << 13)) * 0x9E3779B97F4A7C) >> 20) & (_HEADS - 1)


@kernel
def _forget(row: NDArray[np.int64], position: int) -> None:
    link = _HEAD + _bucket(row[_TIME + position], row[_TID + position])
    while row[link] != position + 1:
        link = _NEXT + row[link] - 1
    row[link] = row[_NEXT + position]
