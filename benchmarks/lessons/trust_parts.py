"""What the closed loop of trust does window by window and block by block: tilts under their bounds, sums of days."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.learning.monitor import Blocks
from lotus.manifest import WeaveDefaults
from lotus.timebase import BLOCKS_PER_DAY
from lotus.weave import trust as law

Floats = NDArray[np.float64]
Acting = tuple[float, int, float, NDArray[np.bool_]]  # a rule in force: tilt, level, cap (logits), its windows


def tilts(u0: Floats, rules: Sequence[Acting], weave: WeaveDefaults) -> Floats:
    """Return the tilt of each window [n]; `rules`: (tilt, level, cap, mask) in force, logits.

    The sum is bounded by the largest cap that fires + .5, and inside rules of level >= 1 by their floor.
    """
    total, cap, raised = np.zeros(len(u0)), np.zeros(len(u0)), np.zeros(len(u0), np.bool_)
    for tilt, level, limit, inside in rules:
        total += tilt * inside
        cap = np.maximum(cap, limit * inside)
        raised |= inside if level else False
    bound = np.array([law.total_cap((float(x),), weave) for x in np.unique(cap)])[
        np.unique(cap, return_inverse=True)[1]
    ]
    u = u0 + np.clip(total, -bound, bound)
    edge = float(np.log((1.0 - law.LEAST_FLOOR) / law.LEAST_FLOOR))
    return np.asarray(np.where(raised, np.clip(u, -edge, edge), u) - u0)


def smaller(sign: int, blocks: Blocks) -> tuple[float, float]:
    """Return s D of the smaller lane and H of one day's blocks."""
    rest = blocks.rest or blocks
    return min(sign * float(blocks.gain.sum()), sign * float(rest.gain.sum())), float(blocks.weight.sum())


def joined(days: Sequence[Blocks]) -> Blocks:
    """Return the blocks of several days as one."""
    names = tuple(name for blocks in days for name in blocks.day)
    rest = [blocks.rest for blocks in days if blocks.rest is not None]
    later = joined(rest) if len(rest) == len(days) and rest else None
    gain, weight = (np.concatenate([getattr(b, part) for b in days]) for part in ("gain", "weight"))
    return Blocks(names, gain, weight, later)


def parts_of_day(windows: int, parts: int) -> NDArray[np.int64]:
    """Return the part of its day in which each of the windows of a day lies [n], of `parts` equal ones."""
    return np.arange(windows, dtype=np.int64) * parts // windows


def blocks_of_day(name: str, r: Floats, h: Floats) -> Blocks:
    """Return the six-hour sums of a day's windows, lane S alone."""
    gain, weight = (np.bincount(parts_of_day(len(r), BLOCKS_PER_DAY), weights=x).astype(np.float64) for x in (r, h))
    return Blocks((name,) * BLOCKS_PER_DAY, gain, weight)


def unpatched(u0: Floats) -> Floats:
    """Return the overlap weight p (1 - p) without braids."""
    p0 = 1.0 / (1.0 + np.exp(-u0))
    return np.asarray(p0 * (1.0 - p0))
