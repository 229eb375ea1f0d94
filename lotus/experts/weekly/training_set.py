"""What a convolution is trained on: windows of its spec's operands over frames, and the direction of the next move.

A row is a frame whose window lies in one life of its asset with all operands known, and whose mid is another one
`horizon_s` later in the same life. Nothing is fitted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.experts.compiler import compile_operands
from lotus.experts.machine import rebirths
from lotus.experts.spec import ExpertSpec
from lotus.experts.weekly.refit import directions
from lotus.experts.weekly.training import window_rows, windows
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_MID, I_ASSET, I_END
from lotus.tape_machine.machine import Machine

HORIZON_S: Final[float] = 10.0
STRIDE: Final[int] = 5  # frames from one row to the next: neighbours say almost the same


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Windows x f8[m, window, k], whether the mid was higher later, up bool[m], and their ends i8[m], ms UTC."""

    x: NDArray[np.float64]
    up: NDArray[np.bool_]
    end_ms: NDArray[np.int64]


def examples(frames: FrameBatch, spec: ExpertSpec, horizon_s: float = HORIZON_S, stride: int = STRIDE) -> Examples:
    """Return the examples of frames that start from a blank state, asset by asset."""
    machine = Machine(compile_operands(spec, frames.cadence_ms), len(frames.universe))
    length, horizon = window_rows(), round(1_000.0 * horizon_s / frames.cadence_ms)
    none = np.zeros((0, length, len(machine.program.names)))
    parts = [Examples(none, np.zeros(0, np.bool_), np.zeros(0, np.int64))]
    for asset in range(len(frames.universe)):
        own_rows = np.flatnonzero(frames.ints[:, I_ASSET] == asset)
        if not len(own_rows):
            continue
        reborn = rebirths(frames.ints[own_rows])
        table = machine.feed_table(asset, frames.floats[own_rows], reborn)
        rows = np.arange(length - 1, len(own_rows), stride, dtype=np.int64)
        life = np.cumsum(reborn, dtype=np.int64)
        (came,) = directions([frames.floats[own_rows, C_MID]], [rows], [life], horizon)
        x = windows(table, rows, length)
        good = np.isfinite(came) & np.isfinite(x).all(axis=(1, 2)) & (life[rows] == life[rows - length + 1])
        ends = frames.ints[own_rows[rows[good]], I_END]
        parts.append(Examples(np.ascontiguousarray(x[good]), came[good] == 1.0, ends))
    return all_examples(parts)


def all_examples(parts: Sequence[Examples]) -> Examples:
    """Return examples one after the other (at least one part)."""
    columns = zip(*((e.x, e.up, e.end_ms) for e in parts), strict=True)
    return Examples(*(np.concatenate(column) for column in columns))
