"""The publication draw: Philox 4x64-10, a counter-based generator, and its keys.

A draw depends on (seed, detector, spec version, asset) as key and the window's start as counter, never on a position,
so any replay repeats it; `numpy.random.Philox(key=key, counter=[start - 1, 0, 0, 0])` gives the same bits.
J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.spec import DetectorSpec
from lotus.hashing import natural_id
from lotus.jit import kernel
from lotus.manifest import Asset

_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_SHIFT = np.uint64(11)
_ZERO = np.uint64(0)
_UNIT = 1.0 / 9007199254740992.0  # 2**-53


def draw_keys(seed: int, universe: Sequence[Asset], detectors: Sequence[DetectorSpec]) -> NDArray[np.uint64]:
    """Return the 128-bit keys, uint64 [assets, detectors, 2]."""
    out = np.zeros((len(universe), len(detectors), 2), np.uint64)
    for a, asset in enumerate(universe):
        for d, spec in enumerate(detectors):
            name = natural_id("draw", seed, spec.detector_id, spec.version, asset.name)
            out[a, d] = int(name[:16], 16), int(name[16:], 16)
    return out


@kernel
def _multiply_high(a: np.uint64, b: np.uint64) -> np.uint64:
    a_low, a_high = a & _LOW, a >> _HALF
    b_low, b_high = b & _LOW, b >> _HALF
    middle = a_high * b_low + (a_low * b_low >> _HALF)
    carry = (middle & _LOW) + a_low * b_high
    return a_high * b_high + (middle >> _HALF) + (carry >> _HALF)


@kernel
def philox(key0: np.uint64, key1: np.uint64, counter: np.uint64) -> np.uint64:
    """Return the first 64-bit word of the block at counter [counter, 0, 0, 0]."""
    c0, c1, c2, c3 = counter, _ZERO, _ZERO, _ZERO
    for _ in range(10):
        high0, low0 = _multiply_high(_M0, c0), _M0 * c0
        high1, low1 = _multiply_high(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = high1 ^ c1 ^ key0, low1, high0 ^ c3 ^ key1, low0
        key0 = key0 + _W0
        key1 = key1 + _W1
    return c0


@kernel
def uniform(key0: np.uint64, key1: np.uint64, window_start_ms: int) -> float:
    """Return the draw of a window in [0, 1): the upper 53 bits of `philox`."""
    return np.float64(philox(key0, key1, np.uint64(window_start_ms)) >> _SHIFT) * _UNIT
