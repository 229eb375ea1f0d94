"""Streaming half-space trees: how unusual a row is beside the window of rows before it, O(trees * depth) per row.

A tree halves the unit cube along random dimensions, whatever the data; its nodes count the rows that fall into them.
Rows are judged by the counts of the last full window (the reference) while the next window is being counted. A window
takes over lazily: a node does it when it is next visited, so no row pays for all nodes. Only the kernel and the cuts of
the trees may be put here. S. C. Tan, K. M. Ting, T. F. Liu, "Fast anomaly detection for streaming data", IJCAI 2011.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel

Column = NDArray[np.float64]
Ints = NDArray[np.int64]

# ints: rows of the present window, its number, its known rows, those of the reference; the node each tree is at; then
# per node: the number of the window it was last visited in, its count in that window, its count in the window before
FILLED, WINDOW, KNOWN, REFERENCE, PLACES = 0, 1, 2, 3, 4
NODE_INTS = 3
LIMIT = 10  # a node with at most a tenth of the reference is not looked into (sizeLimit of the paper)


def forest_cuts(seed: int, trees: int, depth: int, dimensions: int) -> tuple[float, ...]:
    """Return (dimension, cut) of the inner nodes of every tree, by levels; the children of node k are 2k+1 and 2k+2.

    Each dimension has a working range centred on a point s of [0, 1], of half-width 2 max(s, 1 - s); a node halves its
    part of it along one dimension. Drawn from `seed` by splitmix64.
    """
    draw = _Splitmix(seed)
    out: list[float] = []
    for _ in range(trees):
        centres = [draw.uniform() for _ in range(dimensions)]
        ranges = [[(s - 2.0 * max(s, 1.0 - s), s + 2.0 * max(s, 1.0 - s)) for s in centres]]
        for k in range((1 << depth) - 1):
            along = int(draw.uniform() * dimensions)
            low, high = ranges[k][along]
            cut = 0.5 * (low + high)
            out += (float(along), cut)
            for half in ((low, cut), (cut, high)):
                ranges.append([half if d == along else whole for d, whole in enumerate(ranges[k])])
    return tuple(out)


class _Splitmix:
    """G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014."""

    def __init__(self, seed: int) -> None:
        self._state = seed & 0xFFFFFFFFFFFFFFFF

    def uniform(self) -> float:
        """Return the next number of [0, 1)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        return float((z ^ (z >> 31)) >> 11) * 2.0**-53


@kernel
def half_space(out: Column, registers: NDArray[np.float64], args: Ints, params: Column, ints: Ints, n: int) -> None:
    """Anomaly in [0, 1] of each row, judged before it is counted: 1 / (1 + mean over trees of r 2^level / known rows).

    r and level are those of the deepest node that the row reaches: a leaf, or the first with r at most a tenth of the
    reference. 1/2 is the density of uniform rows, 1 an empty place. Null where an operand is null (the row is not
    counted), in the first window, and after a window of which fewer than half the rows were known.
    params: trees, depth, window, then `forest_cuts`.
    """
    trees, depth, window = int(params[0]), int(params[1]), int(params[2])
    inner = (1 << depth) - 1
    for i in range(n):
        if ints[FILLED] == window:
            ints[WINDOW] += 1
            ints[REFERENCE] = ints[KNOWN]
            ints[FILLED], ints[KNOWN] = 0, 0
        ints[FILLED] += 1
        out[i] = math.nan
        known = True
        for k in range(len(args)):
            known &= registers[args[k], i] == registers[args[k], i]
        if not known:
            continue
        ints[KNOWN] += 1
        now, reference, total = ints[WINDOW], ints[REFERENCE], 0
        looking = (1 << trees) - 1  # bit k: tree k is still being searched
        for tree in range(trees):
            ints[PLACES + tree] = 0
        for level in range(depth + 1):
            for tree in range(trees):  # side by side, so that one tree need not wait for the loads of another
                node = ints[PLACES + tree]
                at = PLACES + trees + NODE_INTS * ((2 * inner + 1) * tree + node)
                if ints[at] != now:
                    ints[at + 2] = ints[at + 1] if ints[at] == now - 1 else 0
                    ints[at], ints[at + 1] = now, 0
                ints[at + 1] += 1
                here = ints[at + 2]
                ends = (looking >> tree) & (int(LIMIT * here <= reference) | int(level == depth))
                total += (ends * here) << level
                looking ^= ends << tree
                if level < depth:
                    cut = 3 + 2 * (inner * tree + node)
                    beyond = int(registers[args[int(params[cut])], i] >= params[cut + 1])
                    ints[PLACES + tree] = 2 * node + 1 + beyond
        if reference > 0 and 2 * reference >= window:
            out[i] = (trees * reference) / float(trees * reference + total)
