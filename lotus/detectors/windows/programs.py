"""The detectors' two programs over many rows: frames picked out of a batch, and the signals of windows.

Which frames make a window, and its context, are `step`; operations are the tape machine's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.windows import row_spec as win
from lotus.jit import allocating_kernel, kernel
from lotus.tape_machine.interpreter import run_rows


class Running(NamedTuple):
    """A program and its state as kernels take them; columns of the program: `lotus.tape_machine.program`."""

    code: NDArray[np.uint32]
    params: NDArray[np.float64]
    outputs: NDArray[np.int64]
    floats: NDArray[np.float64]  # [assets, n_floats]
    ints: NDArray[np.int64]  # [assets, n_ints]
    registers: NDArray[np.float64]  # [registers, rows of a block]


@allocating_kernel
def run_picked(
    frames: Running,
    at: int,
    table: NDArray[np.float64],
    picks: NDArray[np.int64],
    rebirth: NDArray[np.bool_],
    to: NDArray[np.int64],
    values: NDArray[np.float64],
) -> None:
    """Run the program over frames over the rows `picks` of one asset; outputs of picks[i] go to row to[i] of values."""
    f, nothing = frames, np.empty((len(table), 0))
    run_rows(
        f.code, f.params, f.outputs, f.floats[at], f.ints[at], table, picks, rebirth, f.registers, nothing, to, values
    )


@kernel
def run_signals(
    windows: Running,
    at: int,
    table: NDArray[np.float64],
    rows: NDArray[np.int64],
    nowhere: NDArray[np.int64],
    rebirth: NDArray[np.bool_],
    results: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Run the program over windows, the `rows` of one asset, and write s of every detector and its siblings' variance.

    `nowhere`: -1 for every row. results f8[n, outputs] and out stand beside the table. Outputs stand
    detector by detector, itself first. A null says nothing, and nothing is beyond [-1, 1].
    """
    p = windows
    run_rows(
        p.code, p.params, p.outputs, p.floats[at], p.ints[at],
        table, rows, rebirth, p.registers, results, nowhere, results,
    )  # fmt: skip
    detectors = (out.shape[1] - win.F_SIGNAL) // 2
    many = results.shape[1] // detectors if detectors > 0 else 1
    for i in rows:
        for d in range(detectors):
            total = 0.0
            square = 0.0
            for k in range(many):
                value = results[i, d * many + k]
                value = 0.0 if value != value else min(1.0, max(-1.0, value))
                if k == 0:
                    out[i, win.F_SIGNAL + d] = value
                else:
                    total += value
                    square += value * value
            mean = total / (many - 1)
            out[i, win.F_SIGNAL + detectors + d] = max(0.0, square / (many - 1) - mean * mean)
