"""Which style of entry a probe is tried in: a draw whose probability is logged.

Keyed by the window's name alone, so that the daemon, a restart, a replay and the batch draw the same. A probe that is
not tried is entered as its detector declares. In the literature: randomised exploration with logged propensities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.entry_style import EntryStyle
from lotus.hashing import key64

# who owns each step of the knob `execution:entry_style`, and the style that the step goes up to
STEPS: Final = (("execution.entry_style", EntryStyle.JOIN), ("execution.entry_style.improve", EntryStyle.IMPROVE))
_UNIT: Final = 2.0**-53
# multipliers and Weyl steps of Philox 4x64 (Salmon et al. 2011), and the halves of a word
_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_LOW, _HALF, _ROUNDS = np.uint64(0xFFFFFFFF), np.uint64(32), 10
Words = NDArray[np.uint64]


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


def drawn_styles(names: Sequence[str], shares: Sequence[float], seed: int) -> list[StyleDraw]:
    """Return what `drawn_style` returns for each name, all drawn at once; empty where nothing is tried.

    >>> names = ["a window", "another"]
    >>> drawn_styles(names, (0.4, 0.2), 7) == [drawn_style(name, (0.4, 0.2), 7) for name in names]
    True
    """
    join, improve = shares
    if join <= 0.0 and improve <= 0.0:
        return []
    keys = np.array([key64("entry style", name) for name in names], dtype=np.uint64)
    draw = (_first_words(np.uint64(seed), keys) >> np.uint64(11)).astype(np.float64) * _UNIT
    at = np.where(draw < improve, 2, np.where(draw < improve + join, 1, 0))
    whole = (1.0 - join - improve, join, improve)
    each = [StyleDraw(style, whole) for style in EntryStyle]
    return [each[i] for i in at.tolist()]


def _first_words(seed: np.uint64, keys: Words) -> Words:
    """Return the first word [n] that `numpy.random.Philox` gives under each key (seed, keys [n])."""
    zero, one = np.zeros(len(keys), dtype=np.uint64), np.ones(len(keys), dtype=np.uint64)
    c0, c1, c2, c3 = one, zero, zero, zero
    key0, key1 = zero + seed, keys
    for _ in range(_ROUNDS):
        high0, low0, high1, low1 = _high(_M0, c0), _M0 * c0, _high(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = high1 ^ c1 ^ key0, low1, high0 ^ c3 ^ key1, low0
        key0, key1 = key0 + _W0, key1 + _W1
    return c0


def _high(a: np.uint64, b: Words) -> Words:
    """Return the upper 64 bits of a times b [n]."""
    a_low, a_high, b_low, b_high = a & _LOW, a >> _HALF, b & _LOW, b >> _HALF
    middle = a_high * b_low + (a_low * b_low >> _HALF)
    carry: Words = (middle & _LOW) + a_low * b_high >> _HALF
    return np.asarray(a_high * b_high + (middle >> _HALF) + carry, dtype=np.uint64)
