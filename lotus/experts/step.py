"""The experts' step: one frame in, one row of annotations out; `run` loops over it, the live machine calls it.

The fusion stands here: micro_llr = sum of w z, mx_evidence = logistic(micro_llr), mx_confirm = [sum of a f >= m].
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.experts.annotation_spec import A_CONF, A_CONFIRM, A_EVIDENCE, A_F, A_LLR, A_Z
from lotus.experts.anomaly import anomaly
from lotus.experts.divergence import rsi_divergence
from lotus.experts.fsm import FIRED, absorption, depth_vacuum, sweep_stall
from lotus.experts.state import N_EXPERTS
from lotus.jit import kernel
from lotus.microtape.frame_spec import GAP_BEFORE, I_ASSET, I_FRAME, I_QUALITY

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SWEEP, _ABSORB, _VACUUM, _ANOMALY, _RSI = 0, 1, 2, 3, 4


@kernel
def step(state: Any, blank: Any, params: Any, ints: Ints, row: Floats, out: Floats) -> None:
    """Annotate one frame: ints i8[N_INTS] and row f8[N_FLOATS] of the frame, out f8[N_VALUES].

    A frame after a gap, or one that does not follow the frame before it, starts from a blank state.
    """
    asset, frame, p = ints[I_ASSET], ints[I_FRAME], params[0]
    if ints[I_QUALITY] & GAP_BEFORE or frame != state[asset].last_frame + 1:
        state[asset] = blank[asset]
    s = state[asset]
    s.last_frame = frame
    say(out, _SWEEP, sweep_stall(s.sweep_stall, p.sweep_stall, row), s.sweep_stall.node == FIRED)
    say(out, _ABSORB, absorption(s.absorption, p.absorption, row), s.absorption.node == FIRED)
    say(out, _VACUUM, depth_vacuum(s.depth_vacuum, p.depth_vacuum, row), s.depth_vacuum.node == FIRED)
    z, distance = anomaly(s.anomaly, p.anomaly, row)
    say(out, _ANOMALY, z, distance >= p.anomaly.fire)
    z = rsi_divergence(s.rsi_divergence, s.swings, p.rsi_divergence, row)
    say(out, _RSI, z, s.rsi_divergence.node == FIRED)
    fuse(p, out)


@kernel
def say(out: Floats, k: int, z: float, stands: bool) -> None:
    """Write z, f and conf of one expert."""
    out[A_Z + k] = z + 0.0  # never a negative zero
    out[A_F + k] = 1.0 if stands and z == z else 0.0
    out[A_CONF + k] = 2.0 * mathx.logistic(abs(z)) - 1.0 if z == z else math.nan


@kernel
def fuse(p: Any, out: Floats) -> None:
    """Write micro_llr, mx_evidence and mx_confirm."""
    llr, votes, spoken = 0.0, 0.0, 0
    for k in range(N_EXPERTS):
        z = out[A_Z + k]
        if z == z:
            llr += p.weight[k] * z
            votes += p.vote[k] * out[A_F + k]
            spoken += 1
    out[A_LLR] = llr if spoken > 0 else math.nan
    out[A_EVIDENCE] = mathx.logistic(llr) if spoken > 0 else math.nan
    out[A_CONFIRM] = 1.0 if votes >= p.votes_needed else 0.0


@kernel
def run(state: Any, blank: Any, params: Any, ints: Ints, floats: Floats, out: Floats) -> None:
    """Annotate frames one after the other: ints i8[n, N_INTS], floats f8[n, N_FLOATS], out f8[n, N_VALUES]."""
    for i in range(len(ints)):
        step(state, blank, params, ints[i], floats[i], out[i])
