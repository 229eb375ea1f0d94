"""When patterns happen: exogenous episodes of each detector family, per asset, one at a time.

An episode shows its pattern for `signal_ms`; what it pays, if anything, is decided later from the context. Directions
are fair coins. The times here know nothing of prices, so no pattern can depend on what the market did.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.simulation.rng import below, streams


@dataclass(frozen=True, slots=True)
class PatternFamily:
    """One pattern that a shipped detector recognises."""

    detector_id: str
    spacing_ms: int  # mean time between onsets
    signal_ms: int  # how long the pattern shows
    hold_ms: int  # how long no other pattern may begin


IMBALANCE, SWEEP, VACUUM, DRIFT, BASIS, RANGE = range(6)
FAMILIES = (
    PatternFamily("imbalance_persistence", 150_000, 14_000, 32_000),
    PatternFamily("sweep_stall_reversal", 150_000, 15_000, 32_000),
    PatternFamily("depth_vacuum_momentum", 150_000, 13_000, 32_000),
    PatternFamily("micro_drift", 450_000, 20_000, 22_000),
    PatternFamily("basis_shock", 450_000, 15_000, 32_000),
    PatternFamily("compressed_range", 420_000, 75_000, 0),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """One pattern: times in ms from the span's start, direction +1 or -1."""

    asset: int
    family: int
    onset_ms: int
    direction: int


def episodes(asset: int, length_ms: int, *key: str | int) -> list[Episode]:
    """Return the episodes of one asset in a span of `length_ms`, in order of onset."""
    wished = []
    for family, shape in enumerate(FAMILIES):
        state = streams(1, *key, "episodes", asset, family)
        onset = below(state, 0, shape.spacing_ms)
        while onset < length_ms:
            direction = 1 - 2 * below(state, 0, 2)
            wished.append(Episode(asset, family, onset, direction))
            onset += shape.spacing_ms * 3 // 5 + below(state, 0, shape.spacing_ms * 4 // 5)
    wished.sort(key=lambda e: (e.onset_ms, e.family))
    return _one_at_a_time(wished, length_ms)


def _one_at_a_time(wished: list[Episode], length_ms: int) -> list[Episode]:
    """Push an episode back while another one holds the asset; compressed ranges only calm and hold nothing."""
    placed, free = [], 20_000
    for wish in wished:
        shape = FAMILIES[wish.family]
        onset = wish.onset_ms if shape.hold_ms == 0 else max(wish.onset_ms, free)
        if onset + 60_000 > length_ms:
            continue
        placed.append(Episode(wish.asset, wish.family, onset, wish.direction))
        if shape.hold_ms:
            free = onset + shape.hold_ms
    return sorted(placed, key=lambda e: (e.onset_ms, e.family))


def bag_order(state: NDArray[np.uint64], size: int) -> list[int]:
    """Return a shuffled bag of `size` draws of which exactly one is 1 (the loss)."""
    bag = [0] * size
    bag[below(state, 0, size)] = 1
    return bag
