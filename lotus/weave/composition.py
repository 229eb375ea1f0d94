"""What a composition of braids would earn over its best parent alone, block by block.

Each parent tilts the logit of publication by its frozen delta inside its rule; the operator says what the composition
tilts on the windows where it fires. To first order in the tilt a policy gains sum r delta, r the score demeaned at the
propensity without braids, so the contrast of two policies is sum r (delta_composition - delta_best). Nothing is chosen
here. In the literature: off-policy value of a policy difference, linearised.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.learning.monitor import Blocks, blocks_of, unpatched_residuals
from lotus.learning.rows import DetectorRows
from lotus.priors.types import Op, Rule
from lotus.weave.braid import Braid

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Rules, frozen tilts (logit) and weights of the parents of a composition; the first is the best parent."""

    rules: tuple[Rule, ...]
    tilts: tuple[float, ...]
    weights: tuple[float, ...]


def parts_of(parents: Sequence[Braid], weights: Sequence[float]) -> Parts:
    """Return the parts of a composition of braids, best parent first; `weights` are those of a UNION."""
    tilts = tuple(parent.delta_wanted * parent.strength * parent.tilt_share for parent in parents)
    return Parts(tuple(parent.rule for parent in parents), tilts, tuple(weights))


def tilt_of(op: Op, parts: Parts, hit: NDArray[np.bool_]) -> Floats:
    """Return the tilt of the composition on windows [n] where `hit` [n, parents] says which rules hold; 0 elsewhere."""
    tilts, inside = np.array(parts.tilts), hit.astype(np.float64)
    if op == "UNION":
        weight = inside * np.array(parts.weights)
        total = weight.sum(axis=1)
        return np.asarray((weight @ tilts) / np.where(total > 0.0, total, 1.0), dtype=np.float64)
    if op == "INTERSECT":
        return np.asarray(np.where(hit.all(axis=1), tilts.sum(), 0.0), dtype=np.float64)
    alone = hit[:, 0] & ~hit[:, 1:].any(axis=1)
    return np.asarray(np.where(alone, tilts[0], 0.0), dtype=np.float64)


def family_parts(rule: Rule, tilt: float, members: Sequence[Braid], detector_id: str) -> Parts:
    """Return the parts of a family in one detector: its rule and tilt, then the detector's own members."""
    own = parts_of([b for b in members if b.detector_id == detector_id], ())
    return Parts((rule, *own.rules), (tilt, *own.tilts), ())


def family_tilt(parts: Parts, hit: NDArray[np.bool_]) -> Floats:
    """Return by how much a family moves the tilt of windows [n]; `hit` [n, parts] says which rules hold.

    In its rule its tilt stands in the place of those of the detector's own members.
    """
    own = hit[:, 1:].astype(np.float64) @ np.array(parts.tilts[1:], dtype=np.float64)
    return np.asarray(np.where(hit[:, 0], parts.tilts[0] - own, 0.0), dtype=np.float64)


def contrast_blocks(op: Op, parts: Parts, others: Sequence[Rule], rows: DetectorRows) -> Blocks:
    """Return per block D = sum r (delta_c - delta_best), bps, and H = sum h |delta_c - delta_best|.

    Of a family (RULE) it is the difference to what the detector's own members do as they are.

    `others` are the active rules of the detector beside the parents; they join the baseline.
    """
    left = unpatched_residuals(rows, [o for o in others if o not in parts.rules])
    hit = np.stack([rows.covered(rule) for rule in parts.rules], axis=1)
    if op == "RULE":
        moved = family_tilt(parts, hit)
    else:
        moved = tilt_of(op, parts, hit) - np.where(hit[:, 0], parts.tilts[0], 0.0)
    return blocks_of(rows, left, moved, np.abs(moved))
