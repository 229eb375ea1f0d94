"""The one interpreter: it walks the nodes of a program, each over a block of rows; live and batch both run it.

Program, state and registers are flat arrays (their columns: `program`), so another program needs no compilation. The
bits do not depend on how rows are split into blocks. No operation is computed here: see the `ops_*` files.
Literature: vectorised query interpretation (MonetDB/X100).
"""

import numpy as np
from numpy.typing import NDArray

from lotus.jit import inlined_kernel, kernel
from lotus.tape_machine import ops_table as t
from lotus.tape_machine.ops_conv import conv1d
from lotus.tape_machine.ops_decayed import decayed_rank
from lotus.tape_machine.ops_elementwise import dot, elementwise, read_column
from lotus.tape_machine.ops_extreme import breakout, window_max, window_max_age
from lotus.tape_machine.ops_forest import half_space
from lotus.tape_machine.ops_fsm import fsm, fsm_latch
from lotus.tape_machine.ops_memory import remember
from lotus.tape_machine.ops_rank import exact_rank
from lotus.tape_machine.ops_window import window_slope, window_std, window_sum

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# columns of a program's nodes
CODE, OUT, FIRST_ARG, N_ARGS, FIRST_PARAM, N_PARAMS, FIRST_FLOAT, FIRST_INT = range(8)
NODE_WIDTH = 8


@inlined_kernel
def run_window(code: int, out: Floats, x: Floats, params: Floats, floats: Floats, ints: Ints, n: int) -> None:
    """Run one sliding window over n rows."""
    w = int(params[0])
    if code == t.SUM or code == t.MEAN:
        window_sum(out, x, w, code == t.MEAN, floats, ints, n)
    elif code == t.STD:
        window_std(out, x, w, floats, ints, n)
    elif code == t.SLOPE:
        window_slope(out, x, w, floats, ints, n)
    elif code == t.RMAX or code == t.RMIN:
        window_max(out, x, w, 1.0 if code == t.RMAX else -1.0, floats, ints, n)
    elif code == t.ARGMAX_AGE or code == t.ARGMIN_AGE:
        window_max_age(out, x, w, 1.0 if code == t.ARGMAX_AGE else -1.0, floats, ints, n)
    elif code == t.BREAKOUT:
        breakout(out, x, w, floats, ints, n)
    elif code == t.RANK or code == t.QUANTILE:
        exact_rank(out, x, w, params[1], int(params[2]), code == t.RANK, floats, ints, n)
    else:
        decayed_rank(out, x, w, params[1], params[2], code == t.RANK_DECAYED, floats, ints, n)


@kernel
def run_block(
    nodes: Ints, args: Ints, params: Floats, floats: Floats, ints: Ints, table: Floats, registers: Floats, n: int
) -> None:
    """Run every node over the first n rows of `table` (f8[>= n, columns]), n <= the width of the registers.

    nodes i8[N, NODE_WIDTH], args i8, params f8: the program. floats f8, ints i8: one asset's state, updated.
    registers f8[R, width]: a row per node, constants already filled in; afterwards it holds the n results of each.
    """
    for k in range(len(nodes)):
        code, first, many = nodes[k, CODE], nodes[k, FIRST_ARG], nodes[k, N_ARGS]
        out = registers[nodes[k, OUT]]
        own = params[nodes[k, FIRST_PARAM] : nodes[k, FIRST_PARAM] + nodes[k, N_PARAMS]]
        a, b, c = registers[args[first]], registers[args[first + 1]], registers[args[first + 2]]
        if code == t.COLUMN:
            read_column(out, table, int(own[0]), n)
        elif code == t.DOT:
            dot(out, registers, args[first : first + many], own, n)
        elif code < t.MEMORY:
            elementwise(code, out, a, b, c, n)
        elif code == t.FSM:
            ages = registers[nodes[k, OUT] + 1]
            fsm(out, ages, registers, args[first : first + many], own, ints[nodes[k, FIRST_INT] :], n)
        elif code == t.FSM_AGE:
            ages = registers[args[first] + 1]
            for i in range(n):
                out[i] = ages[i]
        elif code == t.FSM_LATCH:
            ages = registers[args[first + 1] + 1]
            kept, known = floats[nodes[k, FIRST_FLOAT] :], ints[nodes[k, FIRST_INT] :]
            fsm_latch(out, a, b, ages, int(own[0]), kept, known, n)
        elif code < t.WINDOW:
            remember(code, out, a, b, own, floats[nodes[k, FIRST_FLOAT] :], ints[nodes[k, FIRST_INT] :], n)
        elif code == t.HALF_SPACE:
            half_space(out, registers, args[first : first + many], own, ints[nodes[k, FIRST_INT] :], n)
        elif code == t.CONV1D:
            kept, places = floats[nodes[k, FIRST_FLOAT] :], ints[nodes[k, FIRST_INT] :]
            conv1d(out, registers, args[first : first + many], own, kept, places, n)
        else:
            run_window(code, out, a, own, floats[nodes[k, FIRST_FLOAT] :], ints[nodes[k, FIRST_INT] :], n)


@kernel
def run_rows(
    nodes: Ints,
    args: Ints,
    params: Floats,
    outputs: Ints,
    floats: Floats,
    ints: Ints,
    table: Floats,
    rebirth: NDArray[np.bool_],
    registers: Floats,
    results: Floats,
) -> None:
    """Run all rows of `table`, blanking the state before each row marked in `rebirth`; write results f8[n, outputs].

    Blocks are as wide as the registers and are cut at a rebirth.
    """
    first, rows, width = 0, len(table), registers.shape[1]
    while first < rows:
        if rebirth[first]:
            floats[:] = 0.0
            ints[:] = 0
        n = 1
        while n < width and first + n < rows and not rebirth[first + n]:
            n += 1
        run_block(nodes, args, params, floats, ints, table[first:], registers, n)
        for i in range(n):
            for k in range(len(outputs)):
                results[first + i, k] = registers[outputs[k], i]
        first += n
