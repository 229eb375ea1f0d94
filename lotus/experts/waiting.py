"""Experts over frames that wait: live, an asset's frames are annotated a few at a time, the closing one at once.

Nobody reads the annotation of a frame before its window closes, and a program costs a third as much a row when it runs
over a dozen. The bits are those of one frame at a time (`ExpertMachine`, the oracle of this file): the interpreter's do
not depend on how rows are split. Nothing is computed here. (Literature: lazy evaluation, micro-batching.)
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.experts.annotation_spec import A_EVIDENCE, A_Z, N_VALUES
from lotus.experts.calibration import calibrate, evidence_table
from lotus.experts.compiler import compile_experts
from lotus.experts.fusion import ExpertSet
from lotus.jit import kernel
from lotus.microtape.frames.spec import GAP_BEFORE, I_ASSET, I_FRAME, I_QUALITY, N_FLOATS
from lotus.tape_machine.interpreter import run_rows
from lotus.tape_machine.state import new_state

WAITING: Final = 12  # frames of an asset at most: twice as many cost a fifth less a row and take twice as long

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class WaitingFrames(NamedTuple):
    """A program of experts with its state, and the frames of every asset that it has not seen."""

    code: NDArray[np.uint32]
    params: Floats
    outputs: Ints
    floats: Floats  # [assets, n_floats]
    ints: Ints  # [assets, n_ints]
    registers: Floats  # [registers, WAITING]
    xs: Floats  # knots of the evidence, none: it stays as it is
    ys: Floats
    rows: Floats  # [assets, WAITING, N_FLOATS]
    births: Flags  # [assets, WAITING]: the frame begins a new life
    places: Ints  # [assets, WAITING]: where its annotation belongs
    many: Ints  # [assets]: how many wait
    follows: Ints  # [assets]: the index of the frame that goes on the life
    numbers: Ints  # 0, 1, ... WAITING - 1
    to: Ints  # [WAITING]: -1
    notes: Floats  # [WAITING, N_VALUES]
    latest: Floats  # [1, A_Z + experts]: everything that is said of the last frame run


def waiting_frames(n_assets: int, cadence_ms: int, experts: ExpertSet) -> WaitingFrames:
    """Return blank state of every asset; raises `ConfigError` for a bad set of experts."""
    program, table = compile_experts(experts, cadence_ms), evidence_table(experts)
    state, fitted = new_state(program, n_assets), len(table.xs) * bool(experts.fusion.evidence)
    places = np.zeros((n_assets, WAITING), np.int64)
    return WaitingFrames(
        program.code, program.params, program.outputs, state.floats, state.ints, program.new_registers(WAITING),
        table.xs[:fitted], table.ys[:fitted], np.zeros((*places.shape, N_FLOATS)), np.zeros(places.shape, np.bool_),
        places, np.zeros(n_assets, np.int64), np.full(n_assets, -1), np.arange(WAITING), np.full(WAITING, -1),
        np.zeros((WAITING, N_VALUES)), np.zeros((1, A_Z + len(experts.names))),
    )  # fmt: skip


@kernel
def let_wait(w: WaitingFrames, ints: Ints, floats: Floats, place: int) -> bool:
    """Keep a frame row whose annotation belongs to `place`; return whether no other of its asset can wait."""
    at = ints[I_ASSET]
    k = w.many[at]
    w.births[at, k] = ints[I_FRAME] != w.follows[at] or (ints[I_QUALITY] & GAP_BEFORE) != 0
    w.follows[at] = ints[I_FRAME] + 1
    for column in range(w.rows.shape[2]):
        w.rows[at, k, column] = floats[column]
    w.places[at, k] = place
    w.many[at] = k + 1
    full: bool = k + 1 == len(w.numbers)
    return full


@kernel
def run_waiting(w: WaitingFrames, at: int, ring: Floats, newest: int) -> None:
    """Annotate the frames of one asset that wait, into `ring` f8[rows, N_VALUES]: place p is its row p % rows.

    `newest`: the latest place of any asset; what the ring has no room for any more is not kept.
    """
    n = w.many[at]
    if n == 0:
        return
    w.to[n - 1] = 0
    run_rows(
        w.code, w.params, w.outputs, w.floats[at], w.ints[at],
        w.rows[at], w.numbers[:n], w.births[at], w.registers, w.notes, w.to, w.latest,
    )  # fmt: skip
    w.to[n - 1] = -1
    w.many[at] = 0
    if len(w.xs) > 0:
        calibrate(w.notes[:n], A_EVIDENCE, w.xs, w.ys)
        calibrate(w.latest, A_EVIDENCE, w.xs, w.ys)
    for k in range(n):
        place = w.places[at, k]
        if newest - place < len(ring):
            for column in range(ring.shape[1]):
                ring[place % len(ring), column] = w.notes[k, column]
