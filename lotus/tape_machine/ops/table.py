"""What the interpreter knows of each operation: its code, its state's size, its parameters as kernels take them.

Names, operands and parameters of the language's operations are those of `node.OPS`; others exist for state machines,
fusion and trained models, which specs of experts use without text. No arithmetic on values belongs here, and no text.
"""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from lotus import mathx
from lotus.errors import ConfigError
from lotus.tape_machine.node import OPS
from lotus.tape_machine.ops import conv, forest

Params = tuple[float, ...]
Size = tuple[int, int]

# A program's code: the number of columns it reads and of each (register, index in the table); then groups of
# (operation, number of nodes) and of each node its words: stateless operations (register, registers of the operands);
# the rest `HEAD` words, then operands.
OUT, N_ARGS, FIRST_PARAM, N_PARAMS, FIRST_FLOAT, FIRST_INT, HEAD = range(7)

CONST, COLUMN, NEG, ADD, SUB, MUL, DIV, ABS, SIGN, LOG, SQRT, MIN2, MAX2, CLIP, WHERE = range(15)
AND, OR, NOT, KNOWN, LT, LE, GT, GE, EQ, NE, LOGISTIC, DOT = range(15, 27)
MEMORY: Final[int] = 32  # codes from here on: rings and counters
LAG, EMA, CROSSED, SINCE, HOLD, COUNT, WITHIN, RETEST, FSM, FSM_AGE, FSM_LATCH = range(MEMORY, MEMORY + 11)
WINDOW: Final[int] = 64  # codes from here on: sliding windows
SUM, MEAN, STD, SLOPE, RMAX, RMIN, ARGMAX_AGE, ARGMIN_AGE, BREAKOUT = range(WINDOW, WINDOW + 9)
RANK, QUANTILE, RANK_DECAYED, QUANTILE_DECAYED = range(WINDOW + 9, WINDOW + 13)
HALF_SPACE, CONV1D = range(WINDOW + 13, WINDOW + 15)

EXTRA: Final[dict[str, tuple[int, int]]] = {
    "logistic": (1, 0), "dot": (-1, -1), "fsm": (-1, -1), "fsm_age": (1, 0), "fsm_latch": (2, 1),
    "half_space": (-1, 4), "conv1d": (-1, -1),
}  # fmt: skip
HEADLESS: Final = frozenset(range(1, MEMORY)) - {COLUMN, DOT}  # run by `elementwise`
WORDS: Final = {CLIP: 4, WHERE: 4, **dict.fromkeys((NEG, ABS, SIGN, LOG, SQRT, LOGISTIC, NOT, KNOWN), 2)}
COMMUTATIVE: Final = frozenset({"add", "mul", "and", "or", "eq", "ne"})
EXACT_RANK_MAX: Final[int] = 600  # longest window whose rank and quantile are exact
BINS: Final[int] = 64  # of the decayed histogram of longer ones
MAX_FSM_STATES: Final[int] = 16
MAX_TREES: Final[int] = 32
MAX_DEPTH: Final[int] = 8  # of a half-space tree


class Op(NamedTuple):
    """An operation compiled for the interpreter: its code, its parameters as the kernel reads them, its state.

    `registers`: how many it takes in a row, its result in the first one.
    """

    code: int
    params: Params
    state: Size  # floats, ints
    registers: int = 1


def compiled_op(op: str, n_args: int, params: Params, memory_steps: int) -> Op:
    """Return the operation as the interpreter runs it.

    `memory_steps` = steps in 2 h, where `since` stops counting. Raises `ConfigError` for an unknown operation, a wrong
    number of operands or parameters, or a parameter out of range.
    """
    arity = OPS.get(op, EXTRA.get(op))
    if arity is None:
        raise ConfigError(f"operation {op!r}", f"one of {', '.join(sorted({**OPS, **EXTRA}))}", "a newer spec")
    for what, given, wanted in (("operands", n_args, arity[0]), ("parameters", len(params), arity[1])):
        if wanted not in (-1, given):
            raise ConfigError(f"{op} with {given} {what}", str(wanted), "a node made by hand")
    return _COMPILERS[op](n_args, params, memory_steps)


Compiler = Callable[[int, Params, int], Op]


def _whole(op: str, value: float, least: int) -> int:
    if not (math.isfinite(value) and value == int(value) and least <= value <= 1e9):
        raise ConfigError(f"{op} over {value} steps", f"a whole number >= {least}", "a duration below one step")
    return int(value)


def _plain(code: int) -> Compiler:
    return lambda n_args, params, memory: Op(code, params, (0, 0))


def _segments(w: int, width: int) -> int:
    """Return the floats of a window kept as three segments of half its length, each row `width` numbers."""
    return 3 * max(1, w // 2) * width + 2 * width


def _window(op: str, code: int, width: int) -> Compiler:
    def make(n_args: int, params: Params, memory: int) -> Op:
        w = _whole(op, params[0], 1)
        return Op(code, (float(w),), (_segments(w, width), 4))

    return make


def _ring(op: str, code: int, least: int) -> Compiler:
    def make(n_args: int, params: Params, memory: int) -> Op:
        w = _whole(op, params[0], least)
        return Op(code, (float(w),), (w, 2))

    return make


def _counter(op: str, code: int, least: int, floats: int) -> Compiler:
    def make(n_args: int, params: Params, memory: int) -> Op:
        return Op(code, (float(_whole(op, params[0], least)),), (floats, 1))

    return make


def _ema(n_args: int, params: Params, memory: int) -> Op:
    if not 0.0 < params[0] <= 1e9:
        raise ConfigError(f"ema with a half-life of {params[0]} steps", "a positive number", "a duration of zero")
    return Op(EMA, (1.0 - mathx.exp(-mathx.log(2.0) / params[0]),), (1, 1))


def _sorted_window(op: str, exact: int, decayed: int) -> Compiler:
    def make(n_args: int, params: Params, memory: int) -> Op:
        w, share = _whole(op, params[-1], 1), params[0]
        if op == "quantile" and not 0.0 <= share <= 1.0:
            raise ConfigError(f"quantile {share}", "a share in [0, 1]", "a percentage not divided by 100")
        if w > EXACT_RANK_MAX:
            growth = mathx.exp(2.0 * mathx.log(2.0) / w)
            return Op(decayed, (float(w), share, growth), (3 + 3 * BINS, 2))
        return Op(exact, (float(w), share), (w if op == "rank" else 2 * w, 3))

    return make


def _fsm(n_args: int, params: Params, memory: int) -> Op:
    cells = "n_states, the rows of the table (one target per flag, then the target of the time limit), the limits"
    n = int(params[0]) if params and 1 <= params[0] <= MAX_FSM_STATES else 0
    if n == 0 or n_args < 1 or len(params) != 1 + n * (n_args + 1) + n:
        raise ConfigError(f"fsm of {n_args} flags with {len(params)} parameters", cells, "a table of another shape")
    targets, limits = params[1 : 1 + n * (n_args + 1)], params[1 + n * (n_args + 1) :]
    if any(t != int(t) or not -1 <= t < n for t in targets):
        raise ConfigError(f"fsm with targets {sorted(set(targets))}", f"-1 (stay) or 0 to {n - 1}", "a state left out")
    for limit in limits:
        _whole("fsm limit", limit, 0)
    return Op(FSM, params, (0, 2), registers=2)


def _fsm_latch(n_args: int, params: Params, memory: int) -> Op:
    return Op(FSM_LATCH, (float(_whole("fsm_latch", params[0], 0)),), (1, 1))


def _half_space(n_args: int, params: Params, memory: int) -> Op:
    """Parameters: trees, depth, window in rows, seed."""
    trees, depth, window, seed = (_whole("half_space", value, 0) for value in params)
    if n_args < 1 or not (1 <= trees <= MAX_TREES and 1 <= depth <= MAX_DEPTH and 1 <= window <= memory // 2):
        raise ConfigError(
            f"{trees} trees of depth {depth} over {n_args} operands and windows of {window} rows",
            f"1 to {MAX_TREES} trees, depth 1 to {MAX_DEPTH}, windows of 1 to {memory // 2} rows",
            "two windows are remembered, 2 h at most",
        )
    cuts = forest.forest_cuts(seed, trees, depth, n_args)
    head = (float(trees), float(depth), float(window))
    return Op(HALF_SPACE, head + cuts, (n_args, forest.LEAVES + trees * (1 + (2 << depth))))


def _conv1d(n_args: int, params: Params, memory: int) -> Op:
    """Parameters: layers, then (outputs, taps) of each, then the weights f8[taps, inputs, outputs] of each."""
    layers = int(params[0]) if params and 1 <= params[0] <= conv.MAX_LAYERS else 0
    shape = [int(v) for v in params[1 : 1 + 2 * layers]]
    outputs, taps = shape[::2], shape[1::2]
    window = 1 + sum(k - 1 for k in taps)
    sizes = [k * a * b for k, a, b in zip(taps, (n_args, *outputs), outputs, strict=False)]
    if (
        not 1 <= n_args <= conv.MAX_CHANNELS
        or len(shape) != 2 * layers
        or min(shape, default=0) < 1
        or max(outputs) > conv.MAX_CHANNELS
        or outputs[-1] != 1
        or window > min(conv.MAX_WINDOW, memory)
        or len(params) != 1 + 2 * layers + sum(sizes)
        or not all(math.isfinite(p) for p in params)
    ):
        raise ConfigError(
            f"conv1d of {n_args} operands, (outputs, taps) {shape}, {len(params)} parameters",
            f"1 to {conv.MAX_LAYERS} layers, {conv.MAX_CHANNELS} channels, one output, a window of "
            f"{conv.MAX_WINDOW} rows, and a finite weight for every tap, input and output",
            "an array of another shape",
        )
    packed, rings = conv.packed_net(n_args, outputs, taps, params[1 + 2 * layers :])
    own = (float(layers), float(window), *packed)
    return Op(CONV1D, own, (conv.LANES + rings, 1 + layers), registers=1 + 2 * conv.MAX_CHANNELS)


def _dot(n_args: int, params: Params, memory: int) -> Op:
    if n_args < 1 or len(params) != n_args or not all(math.isfinite(p) for p in params):
        raise ConfigError(f"dot of {n_args} operands with {len(params)} weights", "one finite weight each")
    return Op(DOT, params, (0, 0), registers=2)


def _column(n_args: int, params: Params, memory: int) -> Op:
    return Op(COLUMN, (float(_whole("column", params[0], 0)),), (0, 0))


def _crossed(n_args: int, params: Params, memory: int) -> Op:
    return Op(CROSSED, (), (0, 1))


def _since(n_args: int, params: Params, memory: int) -> Op:
    return Op(SINCE, (float(memory),), (0, 1))


def _retest(n_args: int, params: Params, memory: int) -> Op:
    if not params[0] >= 0.0:
        raise ConfigError(f"retest with a tolerance of {params[0]}", "a number >= 0")
    return Op(RETEST, (params[0], float(_whole("retest", params[1], 0))), (0, 2))


_COMPILERS: Final[dict[str, Compiler]] = {
    "const": _plain(CONST), "column": _column, "neg": _plain(NEG), "add": _plain(ADD), "sub": _plain(SUB),
    "mul": _plain(MUL), "div": _plain(DIV), "abs": _plain(ABS), "sign": _plain(SIGN), "log": _plain(LOG),
    "sqrt": _plain(SQRT), "min2": _plain(MIN2), "max2": _plain(MAX2), "clip": _plain(CLIP), "where": _plain(WHERE),
    "and": _plain(AND), "or": _plain(OR), "not": _plain(NOT), "known": _plain(KNOWN), "lt": _plain(LT),
    "le": _plain(LE), "gt": _plain(GT), "ge": _plain(GE), "eq": _plain(EQ), "ne": _plain(NE),
    "logistic": _plain(LOGISTIC), "dot": _dot, "half_space": _half_space, "conv1d": _conv1d,
    "lag": _ring("lag", LAG, 0), "ema": _ema, "crossed": _crossed, "since": _since,
    "hold": _counter("hold", HOLD, 0, 1), "count": _ring("count", COUNT, 1), "within": _counter("within", WITHIN, 0, 0),
    "retest": _retest, "fsm": _fsm, "fsm_age": _plain(FSM_AGE), "fsm_latch": _fsm_latch,
    "sum": _window("sum", SUM, 2), "mean": _window("mean", MEAN, 2), "std": _window("std", STD, 3),
    "slope": _window("slope", SLOPE, 2), "rmax": _window("rmax", RMAX, 2), "rmin": _window("rmin", RMIN, 2),
    "argmax_age": _window("argmax_age", ARGMAX_AGE, 3), "argmin_age": _window("argmin_age", ARGMIN_AGE, 3),
    "breakout": _window("breakout", BREAKOUT, 2),
    "rank": _sorted_window("rank", RANK, RANK_DECAYED),
    "quantile": _sorted_window("quantile", QUANTILE, QUANTILE_DECAYED),
}  # fmt: skip
