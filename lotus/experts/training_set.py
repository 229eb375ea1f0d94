"""What a convolution is trained on: windows of its spec's operands over frames, and the direction of the next move.

A row is a frame whose window lies in one life of its asset with all operands known, and whose mid is another one
`horizon_s` later in the same life. Nothing is fitted here.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.experts.compiler import compile_operands
from lotus.experts.machine import rebirths
from lotus.experts.refit import directions
from lotus.experts.spec import ExpertSpec
from lotus.experts.training import window_rows, windows
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_spec import C_MID, I_ASSET
from lotus.tape_machine.machine import Machine

HORIZON_S: Final[float] = 10.0
STRIDE: Final[int] = 5  # frames from one row to the next: neighbours say almost the same


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Windows x f8[m, window, k] and whether the mid was higher later, up bool[m]."""

    x: NDArray[np.float64]
    up: NDArray[np.bool_]


def examples(frames: FrameBatch, spec: ExpertSpec, horizon_s: float = HORIZON_S, stride: int = STRIDE) -> Examples:
    """Return the examples of frames that start from a blank state, asset by asset."""
    machine = Machine(compile_operands(spec, frames.cadence_ms), len(frames.universe))
    length, horizon = window_rows(), round(1_000.0 * horizon_s / frames.cadence_ms)
    none = np.zeros((0, length, len(machine.program.names)))
    found = [Examples(none, np.zeros(0, np.bool_))]
    for asset in range(len(frames.universe)):
        mine = np.flatnonzero(frames.ints[:, I_ASSET] == asset)
        if not len(mine):
            continue
        reborn = rebirths(frames.ints[mine])
        table = machine.feed_table(asset, frames.floats[mine], reborn)
        rows = np.arange(length - 1, len(mine), stride, dtype=np.int64)
        life = np.cumsum(reborn, dtype=np.int64)
        (came,) = directions([frames.floats[mine, C_MID]], [rows], [life], horizon)
        x = windows(table, rows, length)
        good = np.isfinite(came) & np.isfinite(x).all(axis=(1, 2)) & (life[rows] == life[rows - length + 1])
        found.append(Examples(np.ascontiguousarray(x[good]), came[good] == 1.0))
    return Examples(np.concatenate([e.x for e in found]), np.concatenate([e.up for e in found]))
