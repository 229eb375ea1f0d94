"""The gate of earned trust in one window: which level fired, what the gates add to the logit, and how far they may.

Without a level of one or more no gate is read, so every bit is as it was. The sum of the gates
stays within +-2; with the tilt of theta and phi it stays within the cap of the highest level that fired and half a
logit, at most 3. Kernels as in `lotus.priors.compiled`; the readable form is `lotus.priors.trace`.
"""

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.priors.compiled import ATTENUATE, CAP_TILT, INTERSECT, LIFT_ONLY, PENALTY_ONLY, RULE, UNION
from lotus.priors.types import MAX_GATE


@kernel
def level_of(
    braids: NDArray[np.void],
    first: NDArray[np.int64],
    count: NDArray[np.int64],
    version: int,
    detector: int,
    fired: int,
) -> int:
    """Return the highest level of trust among the braids that fired, those replaced by a meta braid too."""
    level = 0
    for k in range(count[version, detector]):
        if fired >> k & 1:
            level = max(level, braids[first[version, detector] + k]["level"])
    return level


@kernel
def gate_of(
    braids: NDArray[np.void],
    first: NDArray[np.int64],
    count: NDArray[np.int64],
    version: int,
    detector: int,
    fired: int,
) -> float:
    """Return the sum of the gates of the braids that act where `fired` did, in logits within +-2."""
    start = first[version, detector]
    replaced = np.uint64(0)
    for k in range(count[version, detector]):
        if fired >> k & 1:
            replaced |= braids[start + k]["parents"]
    total = 0.0
    for k in range(count[version, detector]):
        bit = np.uint64(1) << np.uint64(k)
        if np.uint64(fired) & bit != np.uint64(0) and replaced & bit == np.uint64(0):
            total += _share(braids, start, k, fired)
    return min(max(total, -MAX_GATE), MAX_GATE)


@kernel
def cap_gate(gate: float, tilt: float, level: int, caps: NDArray[np.float64]) -> float:
    """Return the gate that is realised beside the tilt of theta and phi (logit): their sum within the level's cap."""
    limit = caps[CAP_TILT + level]
    held: float = min(max(gate, -limit - tilt), limit - tilt)
    return held


@kernel
def _share(braids: NDArray[np.void], start: int, at: int, fired: int) -> float:
    """Return what one braid adds: gates compose as tilts do; LIFT_ONLY keeps what lifts, PENALTY_ONLY what lowers."""
    braid = braids[start + at]
    op = braid["op"]
    if op == RULE:
        gate: float = braid["gate"]
        return gate
    if op in (UNION, INTERSECT):
        sum_of_gates = 0.0
        total = 0.0
        hit = np.uint64(fired) & braid["parents"]
        for k in range(at):
            if hit >> np.uint64(k) & np.uint64(1):
                total += braid["weights"][k]
        for k in range(at):
            if hit >> np.uint64(k) & np.uint64(1):
                share = braid["weights"][k] / total if op == UNION else 1.0
                sum_of_gates += share * braids[start + k]["gate"]
        return sum_of_gates
    parent: float = braids[start + braid["first_parent"]]["gate"]
    if op == LIFT_ONLY:
        return max(parent, 0.0)
    if op == PENALTY_ONLY:
        return min(parent, 0.0)
    strength: float = braid["strength"] if op == ATTENUATE else 1.0
    return strength * parent
