"""The nightly movement of patches: a contraction toward the target with a limit per detector and night.

T(p) = (1 - kappa) p + kappa clip(target), so ||T(p) - T(q)|| <= (1 - kappa) ||p - q||; then the summed move of each
detector is scaled down to the nightly limits. Gates move by the same law within a limit of their own, knobs of policy
and execution each within the limit of phi. A revert to the identity is exempt and does not come through here.
"""

import math
from collections.abc import Sequence

import numpy as np

from lotus.hashing import round_learned
from lotus.manifest import WeaveDefaults
from lotus.priors.types import MAX_GATE, Knob, Patch


def contract(current: Patch, target: Patch, weave: WeaveDefaults, cap_mult: float = 1.0) -> Patch:
    """Return one contracted step of one patch, in the coordinates (theta_delta, ln phi, ln knobs, gate).

    `cap_mult` widens the bounds of this one braid, but for the gate's.
    """
    kappa = weave.contraction
    limit = cap_mult * math.log(weave.phi_step)

    def step(now: float, goal: float) -> float:
        return (1.0 - kappa) * math.log(now) + kappa * _clip(math.log(goal), limit)

    theta_limit = cap_mult * weave.theta_step
    theta = (1.0 - kappa) * current.theta_delta + kappa * _clip(target.theta_delta, theta_limit)
    mults = _knobs(current), _knobs(target)
    keys = sorted(mults[0] | mults[1])
    knobs = tuple(Knob(k, math.exp(step(mults[0].get(k, 1.0), mults[1].get(k, 1.0)))) for k in keys)
    gate = (1.0 - kappa) * current.gate + kappa * _clip(target.gate, MAX_GATE)
    return Patch(theta, math.exp(step(current.phi_mult, target.phi_mult)), knobs, gate)


def held_to(patch: Patch, limit: Patch) -> Patch:
    """Return the patch with no part farther from the identity than the same part of `limit`, or on its other side."""
    theta = _towards(patch.theta_delta, limit.theta_delta)
    knobs = {knob.key: knob.mult for knob in limit.knobs}
    kept = tuple(Knob(k.key, _between(k.mult, knobs[k.key])) for k in patch.knobs if k.key in knobs)
    return Patch(theta, _between(patch.phi_mult, limit.phi_mult), kept, _towards(patch.gate, limit.gate))


def _towards(value: float, limit: float) -> float:
    return min(max(value, min(0.0, limit)), max(0.0, limit))


def _between(mult: float, limit: float) -> float:
    return min(max(mult, min(1.0, limit)), max(1.0, limit))


def night_moves(
    current: Sequence[Patch],
    target: Sequence[Patch],
    weave: WeaveDefaults,
    cap_mults: Sequence[float] = (),
    levels: Sequence[int] = (),
) -> list[Patch]:
    """Return the patches of one detector after tonight; their summed moves stay within the nightly limits.

    Gates have the limit of the highest of their `levels`, so many times that of one.
    """
    caps = cap_mults or [1.0] * len(current)
    wanted = [contract(c, t, weave, cap) for c, t, cap in zip(current, target, caps, strict=True)]
    theta_moves = [w.theta_delta - c.theta_delta for w, c in zip(wanted, current, strict=True)]
    phi_moves = [math.log(w.phi_mult / c.phi_mult) for w, c in zip(wanted, current, strict=True)]
    gate_moves = [w.gate - c.gate for w, c in zip(wanted, current, strict=True)]
    limit = math.log1p(weave.night_phi)
    theta_scale = _scale(theta_moves, weave.night_theta)
    phi_scale, gate_scale = _scale(phi_moves, limit), _scale(gate_moves, weave.night_gate * max((1, *levels)))
    knobs = _knob_moves(current, wanted, limit)
    return [
        _rounded(c.theta_delta + theta_scale * t, c.phi_mult * math.exp(phi_scale * p), moved, c.gate + gate_scale * g)
        for c, t, p, moved, g in zip(current, theta_moves, phi_moves, knobs, gate_moves, strict=True)
    ]


def _knobs(patch: Patch) -> dict[str, float]:
    return {knob.key: knob.mult for knob in patch.knobs}


def _knob_moves(current: Sequence[Patch], wanted: Sequence[Patch], limit: float) -> list[dict[str, float]]:
    """Return the multipliers of every patch after tonight; no knob moves by more than the limit over all patches."""
    now, goal = [_knobs(c) for c in current], [_knobs(w) for w in wanted]
    out: list[dict[str, float]] = [{} for _ in goal]
    for key in sorted({k for g in goal for k in g}):
        moves = [math.log(g.get(key, 1.0) / n.get(key, 1.0)) for n, g in zip(now, goal, strict=True)]
        scale = _scale(moves, limit)
        for mine, n, g, move in zip(out, now, goal, moves, strict=True):
            if key in g:
                mine[key] = n.get(key, 1.0) * math.exp(scale * move)
    return out


def _scale(moves: Sequence[float], limit: float) -> float:
    up, down = sum(max(m, 0.0) for m in moves), sum(max(-m, 0.0) for m in moves)
    worst = max(up, down)
    return limit / worst if worst > limit else 1.0


def _rounded(theta_delta: float, phi_mult: float, knobs: dict[str, float], gate: float) -> Patch:
    theta, phi, logits, *mults = round_learned(np.array([theta_delta, phi_mult, gate, *knobs.values()])).tolist()
    return Patch(theta, phi, tuple(Knob(key, mult) for key, mult in zip(knobs, mults, strict=True)), logits)


def _clip(x: float, limit: float) -> float:
    return max(-limit, min(limit, x))
