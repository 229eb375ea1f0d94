"""Timed finite-state machines as tables: `fsm`, the age of its state, and values kept from the row that armed it.

The table gives for each state and flag the state entered, or -1 for a flag that the state does not read; of the true
flags that it reads the first in order of priority counts. A row that enters nothing lets the state's time limit run.
No market meaning belongs here: experts are tables in specs. Literature: timed automata.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel

Column = NDArray[np.float64]
Code = NDArray[np.uint32]
Indices = NDArray[np.int64]


@kernel
def fsm(
    out: Column, ages: Column, registers: NDArray[np.float64], args: Code, params: Column, ints: Indices, n: int
) -> None:
    """Write the state after each row, and the rows since it was entered (0 at that row; blank = state 0).

    params: number of states S, the table f8[S, flags + 1] (one target per flag, then the target when the limit is
    reached), the limits f8[S] in rows (0 = none). Entering the present state again restarts its age. ints: state, age.
    """
    state, age, flags, states = ints[0], ints[1], len(args), int(params[0])
    width = flags + 1
    for i in range(n):
        out[i] = 0.0
    for k in range(flags):
        column = registers[args[k]]
        for i in range(n):
            out[i] += 1.0 if column[i] > 0.5 else 0.0
    for i in range(n):
        target, k = -1, 0
        while out[i] > 0.0 and target < 0 and k < flags:
            if registers[args[k], i] > 0.5:
                target = int(params[1 + state * width + k])
            k += 1
        age += 1
        limit = int(params[1 + states * width + state])
        if target < 0 and limit > 0 and age >= limit:
            target = int(params[1 + state * width + flags])
        if target >= 0:
            state, age = target, 0
        out[i], ages[i] = float(state), float(age)
    ints[0], ints[1] = state, age


@kernel
def fsm_latch(
    out: Column, x: Column, states: Column, ages: Column, armed: int, floats: Column, ints: Indices, n: int
) -> None:
    """x at the latest row that entered state `armed`; null before, after a return to state 0, and where x was null."""
    held, known = floats[0], ints[0]
    for i in range(n):
        if ages[i] == 0.0 and states[i] == armed:
            held, known = x[i], 1
        elif states[i] == 0.0:
            known = 0
        out[i] = held if known else math.nan
    floats[0], ints[0] = held, known
