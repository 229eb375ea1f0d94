"""The logit of one window from the score before beliefs to the number that drew it, one step after the other.

A reading of `lotus.priors.trace` in logits: braids act in their order, each with what the logit moves when its theta
and phi are added to those before it, then caps, gates and the floor. Steps add up to the logit of the window. Nothing
is decided here. In the literature: a waterfall of additive contributions along a fixed order.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.detectors.explain import gain_of, resonance
from lotus.manifest import Manifest
from lotus.priors.compiled import CAP_TILT, cap_tilt
from lotus.priors.gate import cap_gate
from lotus.priors.trace import Trace, exploration_of
from lotus.priors.types import PriorsVersion

Row = Mapping[str, Any]
LEAST = 1e-3  # of the resonance, below which its logarithm is not taken


@dataclass(frozen=True, slots=True)
class LogitStep:
    """One step: kind (score | braid | clip | gate | floor), its braid or cap, the change and the logit after it."""

    kind: str
    name: str
    change: float
    logit: float
    note: str

    @property
    def probability(self) -> float:
        """The propensity at the logit after the step."""
        return float(mathx.logistic(self.logit))


def logit_steps(
    event: Row,
    trace: Trace,
    version: PriorsVersion,
    manifest: Manifest,
    caps: NDArray[np.float64],
    is_floored: bool = False,
    floor: float | None = None,
) -> tuple[LogitStep, ...]:
    """Return the steps of a window whose `trace` is that of `version`; their changes sum to its logit u.

    `event`: a row of SIGNAL_EVENTS, `caps` from `caps_of`. Empty for a detector that publishes by a step (temperature
    0), which has no logit. A window that is drawn at the floor by its detector's stage of life (`is_floored`) has no
    braid's step.
    """
    temperature = float(event["temperature"])
    if temperature <= 0.0:
        return ()
    start = (float(event["ln_sigma_0"]) - math.log(float(event["tau_pub"]))) / temperature
    steps = [LogitStep("score", "score before beliefs", start, start, "the detector's own")]
    edge = _edge(_floor(event, trace, version, manifest) if floor is None else floor)
    if is_floored:
        note = "drawn at the floor by its detector's stage of life, whatever its score"
        return (*steps, LogitStep("floor", "stage of life", -edge - start, -edge, note))
    moves = [*_tilts(event, trace, manifest, temperature, caps), *_gates(trace)]
    for kind, name, change, note in moves:
        steps.append(LogitStep(kind, name, change, steps[-1].logit + change, note))
    tilt = sum(step.change for step in steps if step.kind in ("braid", "clip") and step.name != "gate_total")
    held = cap_gate(trace.gate, tilt, trace.level, caps) if trace.level else trace.gate
    if held != trace.gate:
        after = steps[-1].logit + held - trace.gate
        steps.append(
            LogitStep("clip", "gate_and_tilt", held - trace.gate, after, "gates and tilt within the level's cap")
        )
    end = _held(steps[-1].logit, edge)
    if end != steps[-1].logit:
        note = f"the propensity stays {mathx.logistic(-edge):.3g} away from 0 and 1"
        steps.append(LogitStep("floor", "floor and ceiling", end - steps[-1].logit, end, note))
    return tuple(steps)


def _floor(event: Row, trace: Trace, version: PriorsVersion, manifest: Manifest) -> float:
    """Return how far the propensity stays from 0 and 1."""
    explored = manifest.score.epsilon * exploration_of(version, str(event["detector_id"]), trace.fired)
    return max(explored, manifest.weave.trust_floor if trace.level else 0.0)


def _edge(floor: float) -> float:
    return float(mathx.logit(1.0 - floor)) if floor > 0.0 else math.inf


def _held(logit: float, edge: float) -> float:
    return min(max(logit, -edge), edge)


def _tilts(
    event: Row, trace: Trace, manifest: Manifest, temperature: float, caps: NDArray[np.float64]
) -> Iterator[tuple[str, str, float, str]]:
    """Yield kind, name, change and note of each braid and cap of theta and phi, in the order of the trace."""
    gain, share = gain_of(event), 1.0 - manifest.score.sq_share

    def level_at(theta: float, phi: float) -> float:
        return share * math.log(max(resonance(event, manifest, gain, theta, phi), LEAST)) / temperature

    theta, phi = trace.theta1, 1.0
    first = before = level_at(theta, phi)
    for step in trace.steps:
        if step.kind not in ("braid", "clip") or step.gate != 0.0:
            continue
        theta, phi = theta + step.theta_delta, phi * step.phi_mult
        after = level_at(theta, phi)
        yield step.kind, step.name, after - before, f"{step.note}; {step.theta_delta:+.4f} θ, ×{step.phi_mult:.4f} Φ"
        before = after
    held = cap_tilt(before * temperature, first * temperature, temperature, float(caps[CAP_TILT])) / temperature
    if held != before:
        yield "clip", "total_tilt", held - before, f"the whole tilt within ±{float(caps[CAP_TILT]):g} logit"


def _gates(trace: Trace) -> Iterator[tuple[str, str, float, str]]:
    for step in trace.steps:
        if step.gate != 0.0:
            yield step.kind, step.name, step.gate, f"gate of earned trust: {step.note}"
