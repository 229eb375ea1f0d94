"""The nightly movement of patches: a contraction toward the target with a limit per detector and night.

T(p) = (1 - kappa) p + kappa clip(target), so ||T(p) - T(q)|| <= (1 - kappa) ||p - q||; then the summed move of each
detector is scaled down to the nightly limits. A revert to the identity is exempt and does not come through here.
"""

import math
from collections.abc import Sequence

import numpy as np

from lotus.hashing import round_learned
from lotus.manifest import WeaveDefaults
from lotus.priors.types import Patch


def contract(current: Patch, target: Patch, weave: WeaveDefaults) -> Patch:
    """Return one contracted step of one patch, in the coordinates (theta_delta, ln phi)."""
    kappa = weave.contraction
    limit = math.log(weave.phi_step)
    theta = (1.0 - kappa) * current.theta_delta + kappa * _clip(target.theta_delta, weave.theta_step)
    ln_phi = (1.0 - kappa) * math.log(current.phi_mult) + kappa * _clip(math.log(target.phi_mult), limit)
    return Patch(theta, math.exp(ln_phi))


def night_moves(current: Sequence[Patch], target: Sequence[Patch], weave: WeaveDefaults) -> list[Patch]:
    """Return the patches of one detector after tonight; their summed moves stay within the nightly limits."""
    wanted = [contract(c, t, weave) for c, t in zip(current, target, strict=True)]
    theta_moves = [w.theta_delta - c.theta_delta for w, c in zip(wanted, current, strict=True)]
    phi_moves = [math.log(w.phi_mult / c.phi_mult) for w, c in zip(wanted, current, strict=True)]
    theta_scale = _scale(theta_moves, weave.night_theta)
    phi_scale = _scale(phi_moves, math.log1p(weave.night_phi))
    return [
        _rounded(c.theta_delta + theta_scale * t, c.phi_mult * math.exp(phi_scale * p))
        for c, t, p in zip(current, theta_moves, phi_moves, strict=True)
    ]


def _scale(moves: Sequence[float], limit: float) -> float:
    up, down = sum(max(m, 0.0) for m in moves), sum(max(-m, 0.0) for m in moves)
    worst = max(up, down)
    return limit / worst if worst > limit else 1.0


def _rounded(theta_delta: float, phi_mult: float) -> Patch:
    theta, phi = round_learned(np.array([theta_delta, phi_mult]))
    return Patch(float(theta), float(phi))


def _clip(x: float, limit: float) -> float:
    return max(-limit, min(limit, x))
