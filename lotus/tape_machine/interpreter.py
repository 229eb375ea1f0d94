"""The one interpreter: it walks the groups of a program, each node over a block of rows; live and batch both run it.

Program, state and registers are flat arrays (their columns: `program`), so another program needs no compilation. The
bits do not depend on how rows are split into blocks. No operation is computed here: see the `ops_*` files.
Literature: vectorised query interpretation (MonetDB/X100).
"""

import numpy as np
from numpy.typing import NDArray

from lotus.jit import inlined_kernel, kernel
from lotus.tape_machine.ops import table as t
from lotus.tape_machine.ops.conv import MAX_CHANNELS, conv1d
from lotus.tape_machine.ops.decayed import decayed_rank
from lotus.tape_machine.ops.elementwise import dot, elementwise, read_row, read_rows
from lotus.tape_machine.ops.extreme import breakout, window_max, window_max_age
from lotus.tape_machine.ops.forest import half_space
from lotus.tape_machine.ops.fsm import fsm, fsm_latch
from lotus.tape_machine.ops.memory import ema_block, remember
from lotus.tape_machine.ops.rank import exact_quantile, exact_rank
from lotus.tape_machine.ops.window import window_slope, window_std, window_sum

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Code = NDArray[np.uint32]


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
    elif code == t.RANK:
        exact_rank(out, x, w, floats, ints, n)
    elif code == t.QUANTILE:
        exact_quantile(out, x, w, params[1], floats, ints, n)
    else:
        decayed_rank(out, x, w, params[1], params[2], code == t.RANK_DECAYED, floats, ints, n)


@inlined_kernel
def run_node(op: int, node: Code, params: Floats, floats: Floats, ints: Ints, registers: Floats, n: int) -> int:
    """Run one node that has state, or many operands, over n rows of its registers; return its number of words."""
    args = node[t.HEAD : t.HEAD + node[t.N_ARGS]]
    own = params[node[t.FIRST_PARAM] : node[t.FIRST_PARAM] + node[t.N_PARAMS]]
    kept, places = floats[node[t.FIRST_FLOAT] :], ints[node[t.FIRST_INT] :]
    out, a, b = registers[node[t.OUT]], registers[node[t.HEAD]], registers[node[t.HEAD + 1]]
    if op == t.DOT:
        dot(out, registers[node[t.OUT] + 1], registers, args, own, n)
    elif op == t.FSM:
        fsm(out, registers[node[t.OUT] + 1], registers, args, own, places, n)
    elif op == t.FSM_AGE:
        ages = registers[node[t.HEAD] + 1]
        for i in range(n):
            out[i] = ages[i]
    elif op == t.FSM_LATCH:
        fsm_latch(out, a, b, registers[node[t.HEAD + 1] + 1], int(own[0]), kept, places, n)
    elif op < t.WINDOW:
        remember(op, out, a, b, own, kept, places, n)
    elif op == t.HALF_SPACE:
        half_space(out, registers, args, own, kept, places, n)
    elif op == t.CONV1D:
        room = registers[node[t.OUT] + 1 : node[t.OUT] + 1 + 2 * MAX_CHANNELS]
        conv1d(out, room, registers, args, own, kept, places, n)
    else:
        run_window(op, out, a, own, kept, places, n)
    return t.HEAD + max(2, int(node[t.N_ARGS]))


@kernel
def run_block(code: Code, at: int, params: Floats, floats: Floats, ints: Ints, registers: Floats, n: int) -> None:
    """Run every node over the first n rows of its registers, n <= their width.

    code u4, with groups from word `at` on, params f8: the program (words: `ops.table`). floats f8, ints i8: one asset's
    state, updated. registers f8[R, width], constants and columns filled in; afterwards those of the outputs hold their
    n results.
    """
    while at < len(code):
        op, many = int(code[at]), int(code[at + 1])
        at += 2
        if op < t.MEMORY and op != t.DOT:
            at = elementwise(op, code, at, many, registers, n)
        elif op == t.EMA and n > 1:
            at = ema_block(code, at, many, params, floats, ints, registers, n)
        else:
            for _ in range(many):
                at += run_node(op, code[at:], params, floats, ints, registers, n)


@kernel
def run_rows(
    code: Code,
    params: Floats,
    outputs: Ints,
    floats: Floats,
    ints: Ints,
    table: Floats,
    picks: Ints,
    rebirth: NDArray[np.bool_],
    registers: Floats,
    results: Floats,
    to: Ints,
    chosen: Floats,
) -> None:
    """Run the rows `picks` of `table` in turn, blanking the state before each one marked in `rebirth`.

    Of every row the first outputs, as many as `results` has columns, are written to the same row of `results`; of row
    picks[i] all outputs are written to row to[i] of `chosen`, unless to[i] < 0. Blocks are as wide as the registers
    and are cut at a rebirth.
    """
    first, rows, width = 0, len(picks), registers.shape[1]
    while first < rows:
        if rebirth[first]:
            floats[:] = 0.0
            ints[:] = 0
        n = 1
        while n < width and first + n < rows and not rebirth[first + n]:
            n += 1
        run_block(code, read_rows(code, table, picks[first : first + n], registers), params, floats, ints, registers, n)
        for i in range(n):
            row = results[picks[first + i]]
            for k in range(len(row)):
                row[k] = registers[outputs[k], i]
            if to[first + i] >= 0:
                for k in range(len(outputs)):
                    chosen[to[first + i], k] = registers[outputs[k], i]
        first += n


@kernel
def run_row(
    code: Code,
    params: Floats,
    outputs: Ints,
    floats: Floats,
    ints: Ints,
    registers: Floats,
    out: Floats,
    asset: int,
    row: Floats,
    rebirth: bool,
) -> None:
    """Run one row f8[columns] with the state of one of the assets: floats f8[assets, n], ints i8[assets, n].

    The results go to out f8[outputs]; as `run_rows` for one row.
    """
    own_floats, own_ints = floats[asset], ints[asset]
    if rebirth:
        own_floats[:] = 0.0
        own_ints[:] = 0
    run_block(code, read_row(code, row, registers, 0), params, own_floats, own_ints, registers, 1)
    for k in range(len(outputs)):
        out[k] = registers[outputs[k], 0]
