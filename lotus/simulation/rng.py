"""Integer random numbers: splitmix64 streams (Steele, Lea and Flood, 2014), the same on every CPU.

A stream is one `uint64` slot of a state array, keyed by `lotus.hashing.key64` of what it is for. No floating point and
no library call belongs here: a draw is adds, shifts and multiplications modulo 2^64.
"""

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64
from lotus.jit import kernel

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_M1, _M2, _M4 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_H1 = np.uint64(0x0101010101010101)
_ONE, _TWO, _FOUR, _S56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)


def streams(count: int, *key: str | int) -> NDArray[np.uint64]:
    """Return the states of `count` independent streams named by `key`."""
    return np.array([key64(*key, i) for i in range(count)], dtype=np.uint64)


@kernel
def next_u64(state: NDArray[np.uint64], slot: int) -> np.uint64:
    """Return the next 64 random bits of one stream."""
    z = state[slot] + _GAMMA
    state[slot] = z
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return np.uint64(z ^ (z >> _S31))


@kernel
def below(state: NDArray[np.uint64], slot: int, bound: int) -> int:
    """Return a uniform integer in [0, bound); `bound` below 2^32 (bias below 2^-32 x bound)."""
    return int(np.int64(((next_u64(state, slot) >> _S32) * np.uint64(bound)) >> _S32))


@kernel
def bell(state: NDArray[np.uint64], slot: int) -> int:
    """Return a binomial(64, 1/2) draw minus 32: symmetric, standard deviation exactly 4."""
    x = next_u64(state, slot)
    x = x - ((x >> _ONE) & _M1)
    x = (x & _M2) + ((x >> _TWO) & _M2)
    x = (x + (x >> _FOUR)) & _M4
    return int(np.int64((x * _H1) >> _S56)) - 32


@kernel
def fat_bell(state: NDArray[np.uint64], slot: int) -> int:
    """Return a symmetric fat-tailed draw (scale mixture of `bell`), standard deviation 1024 within one per cent."""
    pick = below(state, slot, 256)
    scale = 185
    if pick >= 244:
        scale = 606
    elif pick >= 180:
        scale = 312
    return bell(state, slot) * scale
