"""Segments: which label a window has under the list of its day, computed by one kernel live, in batch and afterwards.

A list is up to five flags of the detectors' language for each coin; the first that is true is the window's label, none
or a column without a value is 255. A flag compares columns of the context that are stored with every window, so
that labels can be made again from what is stored, and nothing remembers: frozen by day, causal, live as in batch. Lists
travel in the day tables. (Literature: decision lists, Rivest 1987.)
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.asset_groups import groups_of
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.windows.row_spec import WINDOW_UNITS
from lotus.errors import ConfigError
from lotus.jit import kernel
from lotus.priors.segment_context import MOST_SEGMENTS
from lotus.priors.vocabulary import FEATURE_NAMES, N_FEATURES, NULL_BIN, VALUE_COLUMNS
from lotus.tape_machine.checker import check
from lotus.tape_machine.environment import Environment, InputColumn
from lotus.tape_machine.parser import parse
from lotus.tape_machine.syntax import Binary, Name, Number, Tree, Unary
from lotus.tape_machine.units import scaled

SEGMENT_COLUMNS: Final = ("vol", "depth_slope", "oi", "spread", "session")  # of the context, none turned by a signal
_FEATURES: Final = {name: FEATURE_NAMES.index(name) for name in SEGMENT_COLUMNS}
STORED_COLUMNS: Final = tuple(VALUE_COLUMNS[feature] for feature in _FEATURES.values())
MOST_STEPS: Final = 64  # of one flag
DEEPEST: Final = 16  # values that wait at once
LESS, AT_MOST, MORE, AT_LEAST, AND, OR, NOT, END = range(8)
_COMPARE: Final = {"<": LESS, "<=": AT_MOST, ">": MORE, ">=": AT_LEAST}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_JOIN: Final = {"and": AND, "or": OR}
Texts = tuple[tuple[str, ...], ...]  # of each coin its flags
Step = tuple[int, int, float]  # what is done, with which feature and number
Floats = NDArray[np.float64]


def steps_of(text: str) -> tuple[Step, ...]:
    """Return a flag as steps of a stack machine.

    Raises `ConfigError` (`ExpressionError` with its place) for what is no comparison of a column of `SEGMENT_COLUMNS`
    with a number of its unit, or such joined by and, or, not; and for more than a window's kernel holds.

    >>> steps_of("vol > 2bps/sqrt(min) and not spread <= 1bps")
    ((2, 0, 2.0), (1, 8, 1.0), (6, 0, 0.0), (4, 0, 0.0))
    """
    tree = parse(text)
    node = check(tree, _environment())
    if node.kind != "flag":
        raise ConfigError(f"{text!r} is a {node.kind}", "a flag")
    steps = tuple(_steps(tree, text))
    waiting = most = 0
    for op, _, _ in steps:
        waiting += 1 if op < AND else -1 if op in (AND, OR) else 0
        most = max(most, waiting)
    if len(steps) > MOST_STEPS or most > DEEPEST:
        raise ConfigError(f"a flag of {len(steps)} steps, {most} waiting", f"at most {MOST_STEPS} and {DEEPEST}")
    return steps


@cache
def segment_program(texts: Texts) -> Floats:
    """Return lists as the kernel reads them, f8 [coins, labels, steps, 3], without a label where none has a list.

    Raises `ConfigError` for what is no list.
    """
    lists = [[steps_of(text) for text in own] for own in texts]
    most = max((len(own) for own in lists), default=0)
    if most > MOST_SEGMENTS:
        raise ConfigError(f"a list of {most} flags", f"at most {MOST_SEGMENTS}")
    longest = max((len(steps) for own in lists for steps in own), default=0)
    out = np.full((len(texts), most, longest + 1, 3), float(END))
    for a, own in enumerate(lists):
        for k, steps in enumerate(own):
            out[a, k, : len(steps)] = steps
    return out


def table_program(tables: DayTables) -> Floats:
    """Return the lists of a day's tables, without labels where none is in force."""
    return segment_program(tables.segments or ((),) * len(tables.assets))


@kernel
def segment_of(program: Floats, row: Floats, first: int) -> int:
    """Return the label of a window under its coin's list, f8 [labels, steps, 3], or 255.

    `row` holds the window's context, its twelve features from place `first` on.
    """
    for k in range(program.shape[0]):
        waiting = 0  # one bit a flag, the newest lowest
        many = 0
        for i in range(program.shape[1]):
            op = int(program[k, i, 0])
            if op == END:
                break
            if op == NOT:
                waiting ^= 1
            elif op in (AND, OR):
                newest = waiting & 1
                waiting >>= 1
                many -= 1
                waiting = waiting & (newest - 2) if op == AND else waiting | newest
            else:
                value = row[first + int(program[k, i, 1])]
                bound = program[k, i, 2]
                if value != value:
                    return NULL_BIN
                below = op in (LESS, AT_MOST)
                is_true = value < bound if below else value > bound
                if op in (AT_MOST, AT_LEAST):
                    is_true = is_true or value == bound
                waiting = waiting << 1 | int(is_true)
                many += 1
        if many > 0 and waiting & 1:
            return k
    return NULL_BIN


@kernel
def _labels(program: Floats, coin: NDArray[np.int64], values: Floats, out: NDArray[np.int64]) -> None:
    for i in range(len(coin)):
        out[i] = segment_of(program[coin[i]], values[i], 0) if coin[i] >= 0 else NULL_BIN


def labels_of(program: Floats, coin: NDArray[np.int64], values: Floats) -> NDArray[np.int64]:
    """Return the label of windows of coins (places, -1 for none); `values` f8 [n, 12], their context."""
    out = np.empty(len(coin), np.int64)
    _labels(program, coin, np.ascontiguousarray(values), out)
    return out


def context_values(windows: Mapping[str, NDArray[np.generic]], many: int) -> Floats:
    """Return the context of windows that hold `STORED_COLUMNS` as kernels read it, f8 [n, 12], null elsewhere."""
    values = np.full((many, N_FEATURES), np.nan)
    for feature, name in zip(_FEATURES.values(), STORED_COLUMNS, strict=True):
        values[:, feature] = windows[name]
    return values


def stored_labels(
    tables: DayTables, coin: NDArray[np.int64], windows: Mapping[str, NDArray[np.generic]]
) -> NDArray[np.int64]:
    """Return the label of stored windows, which hold `STORED_COLUMNS`, under the tables of their day."""
    return labels_of(table_program(tables), coin, context_values(windows, len(coin)))


def group_of(window: Mapping[str, Any], tables: DayTables) -> int:
    """Return what stands in the thirteenth place for a stored window: its segment, or else the group of its coin."""
    coin = tables.assets.index(str(window["asset"]))
    if not tables.segments:
        return int(groups_of(tables)[coin])
    values = {name: np.array([window[name]], np.float64) for name in STORED_COLUMNS}
    return int(stored_labels(tables, np.array([coin]), values)[0])


def _steps(tree: Tree, text: str) -> Iterator[Step]:
    match tree:
        case Unary("not", operand):
            yield from _steps(operand, text)
            yield NOT, 0, 0.0
        case Binary(op, left, right) if op in _JOIN:
            yield from _steps(left, text)
            yield from _steps(right, text)
            yield _JOIN[op], 0, 0.0
        case Binary(op, Name(name), right) if op in _COMPARE and (value := _number(right)) is not None:
            yield _COMPARE[op], _FEATURES[name], value
        case Binary(op, left, Name(name)) if op in _COMPARE and (value := _number(left)) is not None:
            yield _COMPARE[_TURNED[op]], _FEATURES[name], value
        case _:
            expected = f"comparisons of {', '.join(SEGMENT_COLUMNS)} with numbers, joined by and, or, not"
            raise ConfigError(f"the flag {text!r} of a segment", expected, "labels are made of stored columns alone")


def _number(tree: Tree) -> float | None:
    match tree:
        case Number(value, unit):
            return scaled(value, unit)
        case Unary("-", Number(value, unit)):
            return -scaled(value, unit)
    return None


@cache
def _environment() -> Environment:
    columns = {name: InputColumn(k, WINDOW_UNITS[name]) for k, name in enumerate(SEGMENT_COLUMNS)}
    return Environment(columns, step_ms=1)
