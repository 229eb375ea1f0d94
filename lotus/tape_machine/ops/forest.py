"""Streaming half-space trees: how unusual a row is beside the window of rows before it, O(trees * depth) per row.

A tree halves the unit cube along random dimensions, whatever the data; its leaves count the rows that fall into them.
Rows are judged by the counts of the last full window (the reference) while the next window is being counted: what each
leaf is worth is worked out once, when a window is full (a few microseconds). Only the kernels and the cuts of the trees
may be put here. S. C. Tan, K. M. Ting, T. F. Liu, "Fast anomaly detection for streaming data", IJCAI 2011.
"""

import math
import struct

import numpy as np
from numpy.typing import NDArray

from lotus.jit import inlined_kernel, kernel

Column = NDArray[np.float64]
Code = NDArray[np.uint32]
Ints = NDArray[np.int64]

# ints: rows of the present window, its known rows, those of the reference; the leaf of each tree; then tree by tree the
# leaves' counts in the present window, and after those of all trees what each leaf is worth by the reference
FILLED, KNOWN, REFERENCE, LEAVES = 0, 1, 2, 3
LIMIT = 10  # a node with at most a tenth of the reference is not looked into (sizeLimit of the paper)


def forest_cuts(seed: int, trees: int, depth: int, dimensions: int) -> tuple[float, ...]:
    """Return (dimension, cut) of the inner nodes of every tree, by levels; the children of node k are 2k+1 and 2k+2.

    A dimension stands as the float of its bits, which is not a number to reckon with: so it is an index as it is read.

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
            out += (struct.unpack("<d", struct.pack("<q", along))[0], cut)
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


@inlined_kernel
def below(cuts: Column, first: int, node: int, row: Column) -> int:
    """Return the child of a node that a row falls into; the cuts of its tree begin at cuts[first]."""
    at = first + 2 * node
    along = np.uint64(cuts.view(np.int64)[np.uint64(at)])
    return 2 * node + 1 + int(row[along] >= cuts[np.uint64(at + 1)])


@kernel
def find_leaves(cuts: Column, row: Column, depth: int, leaves: Ints) -> None:
    """Write the leaf of every tree, 0 to 2^depth - 1, that a row falls into.

    Eight trees are gone down side by side, so that none waits for the loads of another.
    """
    inner = (1 << depth) - 1
    wide, tree = 2 * inner, 0
    while tree + 8 <= len(leaves):
        a, b, c, d, e, f, g, h = 0, 0, 0, 0, 0, 0, 0, 0
        first = tree * wide
        for _ in range(depth):
            a = below(cuts, first, a, row)
            b = below(cuts, first + wide, b, row)
            c = below(cuts, first + 2 * wide, c, row)
            d = below(cuts, first + 3 * wide, d, row)
            e = below(cuts, first + 4 * wide, e, row)
            f = below(cuts, first + 5 * wide, f, row)
            g = below(cuts, first + 6 * wide, g, row)
            h = below(cuts, first + 7 * wide, h, row)
        leaves[tree], leaves[tree + 1], leaves[tree + 2], leaves[tree + 3] = a - inner, b - inner, c - inner, d - inner
        tree += 4
        leaves[tree], leaves[tree + 1], leaves[tree + 2], leaves[tree + 3] = e - inner, f - inner, g - inner, h - inner
        tree += 4
    while tree < len(leaves):
        a = 0
        for _ in range(depth):
            a = below(cuts, tree * wide, a, row)
        leaves[tree] = a - inner
        tree += 1


@kernel
def take_worths(counts: Ints, worths: Ints, depth: int, reference: int) -> None:
    """Work out what every leaf of one tree is worth, r 2^level of the node at which looking ends, and blank the counts.

    Looking ends at a leaf, or at the first node on the way to it with r at most a tenth of the reference.
    """
    for leaf in range(len(counts)):
        worths[leaf] = -1
    for level in range(depth + 1):
        wide = 1 << (depth - level)
        for first in range(0, len(counts), wide):
            if worths[first] >= 0:
                continue
            r = 0
            for leaf in range(first, first + wide):
                r += counts[leaf]
            if LIMIT * r <= reference or level == depth:
                for leaf in range(first, first + wide):
                    worths[leaf] = r << level
    for leaf in range(len(counts)):
        counts[leaf] = 0


@kernel
def half_space(
    out: Column, registers: NDArray[np.float64], args: Code, params: Column, row: Column, ints: Ints, n: int
) -> None:
    """Anomaly in [0, 1] of each row, judged before it is counted: 1 / (1 + mean over trees of r 2^level / known rows).

    r and level are those of the deepest node that the row reaches (`take_worths`). 1/2 is the density of uniform rows,
    1 an empty place. Null where an operand is null (the row is not counted), in the first window, and after a window
    of which fewer than half the rows were known. params: trees, depth, window, then `forest_cuts`. `row`: room for the
    operands.
    """
    trees, depth, window = int(params[0]), int(params[1]), int(params[2])
    cuts, found, wide = params[3:], ints[LEAVES : LEAVES + trees], 1 << depth
    counts = ints[LEAVES + trees : LEAVES + trees + trees * wide]
    worths = ints[LEAVES + trees + trees * wide :]
    for i in range(n):
        if ints[FILLED] == window:
            for tree in range(trees):
                mine = slice(tree * wide, (tree + 1) * wide)
                take_worths(counts[mine], worths[mine], depth, ints[KNOWN])
            ints[REFERENCE] = ints[KNOWN]
            ints[FILLED], ints[KNOWN] = 0, 0
        ints[FILLED] += 1
        known = True
        for k in range(len(args)):
            row[k] = registers[args[k], i]
            known &= row[k] == row[k]
        if not known:
            out[i] = math.nan
            continue
        ints[KNOWN] += 1
        find_leaves(cuts, row, depth, found)
        reference, total = ints[REFERENCE], 0
        for tree in range(trees):
            leaf = tree * wide + found[tree]
            total += worths[leaf]
            counts[leaf] += 1
        judged = reference > 0 and 2 * reference >= window
        out[i] = (trees * reference) / float(trees * reference + total) if judged else math.nan
