"""The readable trace of one application of priors: every braid that fired, what it replaced, every cap that clipped.

It recomputes in plain Python what `lotus.priors.compiled` did, in the same order of operations, so that its result can
be compared bit for bit with what was stored. Nothing is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.priors.asset_context import describe_with
from lotus.priors.compiled import apply_caps, attenuate
from lotus.priors.types import EXPLORATION, MAX_GATE, ActiveBraid, Op, PriorsVersion, scoring
from lotus.priors.vocabulary import DEFAULT, NULL_BIN, Vocabulary


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step: kind (braid | gate | replaced | field | clip), the braid or cap, and what it adds and multiplies.

    `gate` is what it adds to the logit after the temperature; only steps of kind gate, and their clip, have one.
    """

    kind: str
    name: str
    theta_delta: float
    phi_mult: float
    note: str
    gate: float = 0.0


@dataclass(frozen=True, slots=True)
class Trace:
    """All steps of one window and detector; `theta2`, `phi` are what the steps make of `theta1`.

    `level` is the highest level of trust that fired, `gate` the sum of the gates, 0 without a level, before it is
    capped together with the tilt of theta and phi (`lotus.priors.gate.cap_gate`).
    """

    steps: tuple[TraceStep, ...]
    theta1: float
    theta2: float
    phi: float
    fired: int
    level: int = 0
    gate: float = 0.0

    @property
    def summed(self) -> tuple[float, float]:
        """Sum of theta deltas and product of phi multipliers over every step but clips, in order."""
        delta, phi = 0.0, 1.0
        for step in self.steps:
            if step.kind == "braid":
                delta += step.theta_delta
                phi *= step.phi_mult
        return delta, phi


def trace_priors(
    version: PriorsVersion,
    detector_id: str,
    bins: Sequence[int],
    theta1: float,
    window_end_ms: int,
    caps: NDArray[np.float64],
    group: int = NULL_BIN,
    words: Vocabulary = DEFAULT,
) -> Trace:
    """Return the steps by which `version` turns theta1 into (theta', phi') on twelve bins; `caps` from `caps_of`.

    `group` is that of the coin (`lotus.priors.asset_context`), `words` name it.
    """
    own_braids = scoring(version, detector_id)
    fired: dict[str, ActiveBraid] = {}
    for braid in own_braids:
        if braid.effective_from_ms <= window_end_ms < braid.expires_at_ms and _fires(braid, (*bins, group), fired):
            fired[braid.braid_id] = braid
    mask = sum(1 << k for k, b in enumerate(own_braids) if b.braid_id in fired)
    replaced = {p: b.braid_id for b in fired.values() if b.braid_type == "meta" for p in b.parents}
    steps = [_step(braid, fired, replaced, words) for braid in fired.values()]
    level = max((b.level for b in fired.values()), default=0)
    gates, gate = (
        _gates([b for b in fired.values() if b.braid_id not in replaced], fired, words) if level else ([], 0.0)
    )
    plain = Trace((*steps, *gates), theta1, theta1, 1.0, mask, level, gate)
    if not any(s.kind == "braid" for s in steps):
        return plain
    delta, phi = plain.summed
    limits = _limits(fired, caps)
    theta2, phi2 = apply_caps(theta1, delta, phi, limits)
    steps += _clips(theta1, delta, phi, theta2, phi2, limits)
    return replace(plain, steps=(*steps, *gates), theta2=theta2, phi=phi2)


def describe_braid(braid: ActiveBraid, words: Vocabulary = DEFAULT) -> str:
    """Return where a braid acts as a person reads it: its rule, or the operator and its parents."""
    return describe_with(braid.rule, words) if braid.op == "RULE" else f"{braid.op} of {', '.join(braid.parents)}"


def exploration_of(version: PriorsVersion, detector_id: str, fired: int) -> float:
    """Return what the field braids behind a mask multiply the floor of the propensity with, as the kernels do."""
    mult = 1.0
    for k, braid in enumerate(scoring(version, detector_id)):
        if fired >> k & 1 and braid.braid_type == "field":
            mult *= next((knob.mult for knob in braid.patch.knobs if knob.key == EXPLORATION), 1.0)
    return mult


def _fires(braid: ActiveBraid, bins: Sequence[int], fired: dict[str, ActiveBraid]) -> bool:
    if braid.op == "RULE":
        return all(x.holds(int(bins[x.feature])) for x in braid.rule.literals)
    hits = [p for p in braid.parents if p in fired]
    if braid.op == "UNION":
        return bool(hits)
    if braid.op == "EXCEPT":
        return hits == [braid.parents[0]]
    return len(hits) == len(braid.parents)


def _step(braid: ActiveBraid, fired: dict[str, ActiveBraid], replaced: dict[str, str], words: Vocabulary) -> TraceStep:
    where = describe_braid(braid, words)
    if braid.braid_type == "field":
        note = f"theta_min x{braid.caps.theta_min_mult}, phi_total - 1 x{braid.caps.phi_max_mult}"
        raised = braid.patch.knob(EXPLORATION)
        note = note if raised == 1.0 else f"floor of the propensity x{raised}"
        return TraceStep("field", braid.braid_id, 0.0, 1.0, f"{where}: {note}")
    if braid.braid_id in replaced:
        return TraceStep("replaced", braid.braid_id, 0.0, 1.0, f"{where}: replaced by {replaced[braid.braid_id]}")
    theta, phi = _effect(braid, fired)
    return TraceStep("braid", braid.braid_id, theta, phi, where)


def _effect(braid: ActiveBraid, fired: dict[str, ActiveBraid]) -> tuple[float, float]:
    if braid.op == "RULE":
        return braid.patch.theta_delta, braid.patch.phi_mult
    weights = dict(zip(braid.parents, braid.weights, strict=False))
    hit = [b for b in fired.values() if b.braid_id in braid.parents]
    if braid.op in ("UNION", "INTERSECT"):
        parts = [(b.patch.theta_delta, b.patch.phi_mult) for b in hit]
        return composed(braid.op, parts, [weights.get(b.braid_id, 0.0) for b in hit])
    patch = fired[braid.parents[0]].patch
    return composed(braid.op, [(patch.theta_delta, patch.phi_mult)], [1.0], braid.strength)


def _gates(
    acting: Sequence[ActiveBraid], fired: dict[str, ActiveBraid], words: Vocabulary
) -> tuple[list[TraceStep], float]:
    """Return what each acting braid adds to the logit and what their cap takes off, and what is left."""
    steps, total = list[TraceStep](), 0.0
    for braid in (b for b in acting if b.braid_type != "field"):
        share = _gate(braid, fired)
        total += share
        if share != 0.0:
            steps.append(TraceStep("gate", braid.braid_id, 0.0, 1.0, describe_braid(braid, words), share))
    held = min(max(total, -MAX_GATE), MAX_GATE)
    if held != total:
        steps.append(TraceStep("clip", "gate_total", 0.0, 1.0, f"gates {total:+} clipped to {held:+}", held - total))
    return steps, held


def _gate(braid: ActiveBraid, fired: dict[str, ActiveBraid]) -> float:
    if braid.op == "RULE":
        return braid.acting_gate
    weights = dict(zip(braid.parents, braid.weights, strict=False))
    if braid.op in ("UNION", "INTERSECT"):
        hit = [b for b in fired.values() if b.braid_id in braid.parents]
        return composed_gate(braid.op, [b.acting_gate for b in hit], [weights.get(b.braid_id, 0.0) for b in hit])
    return composed_gate(braid.op, [fired[braid.parents[0]].acting_gate], [1.0], braid.strength)


def fires(op: Op, hit: Sequence[bool]) -> bool:
    """Return whether an operator fires, given which of its parents (in their order) do."""
    if op == "UNION":
        return any(hit)
    if op == "EXCEPT":
        return hit[0] and not any(hit[1:])
    return all(hit)


def composed(
    op: Op, parts: Sequence[tuple[float, float]], weights: Sequence[float], strength: float = 1.0
) -> tuple[float, float]:
    """Return (theta delta, phi) of an operator over the firing parents, in the order of operations of the kernels.

    `parts` are (theta delta, phi) of the parents that fire, in canonical order; of the operators with one parent, and
    of EXCEPT, the first. `weights` serve UNION, `strength` is the lambda of ATTENUATE.
    """
    if op in ("UNION", "INTERSECT"):
        theta, phi, total = 0.0, 1.0, 0.0
        for weight in weights:
            total += weight
        for part, weight in zip(parts, weights, strict=True):
            share = weight / total if op == "UNION" else 1.0
            moved = attenuate(part[0], part[1], share)
            theta, phi = theta + moved[0], phi * moved[1]
        return theta, phi
    theta, phi = parts[0]
    if op == "LIFT_ONLY":
        return 0.0, phi
    if op == "PENALTY_ONLY":
        return theta, 1.0
    return attenuate(theta, phi, strength if op == "ATTENUATE" else 1.0)


def composed_gate(op: Op, gates: Sequence[float], weights: Sequence[float], strength: float = 1.0) -> float:
    """Return the gate of an operator over the firing parents, given as for `composed`.

    LIFT_ONLY keeps what lifts the logit, PENALTY_ONLY what lowers it.
    """
    if op in ("UNION", "INTERSECT"):
        whole, total = 0.0, 0.0
        for weight in weights:
            total += weight
        for gate, weight in zip(gates, weights, strict=True):
            whole += (weight / total if op == "UNION" else 1.0) * gate
        return whole
    if op == "LIFT_ONLY":
        return max(gates[0], 0.0)
    if op == "PENALTY_ONLY":
        return min(gates[0], 0.0)
    return strength * gates[0] if op == "ATTENUATE" else gates[0]


def _limits(fired: dict[str, ActiveBraid], caps: NDArray[np.float64]) -> NDArray[np.float64]:
    theta_min, phi_max = 1.0, 1.0
    for braid in fired.values():
        if braid.braid_type == "field":
            theta_min *= braid.caps.theta_min_mult
            phi_max *= braid.caps.phi_max_mult
    out = caps.copy()
    if theta_min != 1.0 or phi_max != 1.0:
        out[1] = 1.0 + (caps[1] - 1.0) * phi_max
        out[2] = caps[2] * theta_min
    return out


def _clips(
    theta1: float, delta: float, phi: float, theta2: float, phi2: float, limits: NDArray[np.float64]
) -> list[TraceStep]:
    clips = []
    if abs(delta) > limits[0]:
        clipped = float(min(max(delta, -limits[0]), limits[0]))
        clips.append(TraceStep("clip", "theta_total", clipped - delta, 1.0, f"sum {delta} clipped to {clipped}"))
        delta = clipped
    if theta2 != theta1 + delta:
        note = f"theta {theta1 + delta} held at {theta2} by its floor or ceiling"
        clips.append(TraceStep("clip", "theta_bounds", theta2 - (theta1 + delta), 1.0, note))
    if phi2 != phi:
        clips.append(TraceStep("clip", "phi_total", 0.0, phi2 / phi, f"product {phi} clipped to {phi2}"))
    return clips
