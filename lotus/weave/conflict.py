"""Which braids may act together: a small mixed-integer programme (HiGHS through SciPy) and its greedy oracle.

Maximise the summed quality of the chosen braids of one detector, subject to the caps on their joint effect (log-linear
in phi) and to "no two rules with Jaccard overlap above the limit". Sizes are a few dozen braids.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LotusError
from lotus.manifest import WeaveDefaults
from lotus.priors.types import Patch
from lotus.weave.braid import Braid


def jaccard(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return |A and B| / |A or B| of two window masks; 0 when both are empty."""
    union = int(np.count_nonzero(first | second))
    return float(np.count_nonzero(first & second) / union) if union else 0.0


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rules in force of one detector and the Jaccard overlap of their windows."""

    detector_id: str
    first: str
    second: str
    jaccard: float


def conflict_map(braids: Sequence[Braid], masks: Mapping[str, NDArray[np.bool_]]) -> tuple[Overlap, ...]:
    """Return the overlap of every pair of micro braids in force of one detector, by detector and names."""
    acting = sorted(
        (b for b in braids if b.braid_type == "micro" and b.in_force and b.braid_id in masks),
        key=lambda b: (b.detector_id, b.braid_id),
    )
    return tuple(
        Overlap(a.detector_id, a.braid_id, b.braid_id, jaccard(masks[a.braid_id], masks[b.braid_id]))
        for a, b in combinations(acting, 2)
        if a.detector_id == b.detector_id
    )


def choose(
    worth: Sequence[float], patches: Sequence[Patch], masks: Sequence[NDArray[np.bool_]], weave: WeaveDefaults
) -> list[bool]:
    """Return which braids act, the best total worth under the constraints; ties go to the earlier braid.

    `worth` is positive (claimed uplift in payoff deviations), `masks` are bool [n_windows] of the last learning day.
    """
    if not worth:
        return []
    from scipy.optimize import Bounds, LinearConstraint, milp

    rows, upper = _constraints(patches, masks, weave)
    tie_break = 1e-9 * np.arange(len(worth))
    solved = milp(
        -np.asarray(worth) + tie_break,
        constraints=LinearConstraint(rows, -np.inf, upper) if len(rows) else None,
        integrality=np.ones(len(worth)),
        bounds=Bounds(0, 1),
    )
    if solved.x is None:
        raise LotusError(f"conflict resolution ended with {solved.message!r}", "a solution (choosing none is feasible)")
    return [bool(x > 0.5) for x in solved.x]


def feasible(
    chosen: Sequence[bool], patches: Sequence[Patch], masks: Sequence[NDArray[np.bool_]], weave: WeaveDefaults
) -> bool:
    """Return whether a choice keeps every constraint: the plain statement that the programme is tested against."""
    rows, upper = _constraints(patches, masks, weave)
    return bool(np.all(rows @ np.asarray(chosen, dtype=float) <= upper + 1e-9)) if len(rows) else True


def _constraints(
    patches: Sequence[Patch], masks: Sequence[NDArray[np.bool_]], weave: WeaveDefaults
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows: list[NDArray[np.float64]] = []
    upper: list[float] = []
    ln_phi = np.array([math.log(p.phi_mult) for p in patches])
    theta = np.array([p.theta_delta for p in patches])
    keys = sorted({knob.key for p in patches for knob in p.knobs})
    ln_knobs = [np.array([math.log(p.knob(key)) for p in patches]) for key in keys]
    shared = ((effect, math.log(weave.phi_total)) for effect in (ln_phi, *ln_knobs))
    for effect, limit in (*shared, (theta, weave.theta_total)):
        for row in (np.maximum(effect, 0.0), np.maximum(-effect, 0.0)):
            if row.sum() > limit:
                rows.append(row)
                upper.append(limit)
    for i in range(len(masks)):
        for j in range(i + 1, len(masks)):
            if jaccard(masks[i], masks[j]) > weave.max_overlap:
                row = np.zeros(len(masks))
                row[[i, j]] = 1.0
                rows.append(row)
                upper.append(1.0)
    return np.array(rows).reshape(len(rows), len(patches)), np.array(upper)
