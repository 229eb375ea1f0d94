"""Labels of windows: what the kernel says is what the flags say in the language, in stored windows too."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lotus.detectors.daily.segment_list import (
    SEGMENT_COLUMNS,
    STORED_COLUMNS,
    context_values,
    group_of,
    labels_of,
    segment_program,
    steps_of,
    stored_labels,
    table_program,
)
from lotus.detectors.daily.tables import DayTables, tables_from_json, tables_to_json
from lotus.detectors.windows.row_spec import WINDOW_UNITS
from lotus.errors import ConfigError, SchemaError
from lotus.priors.vocabulary import NULL_BIN
from lotus.tape_machine.checker import check
from lotus.tape_machine.environment import Environment, InputColumn
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.parser import parse
from lotus.tape_machine.printer import text_of
from lotus.tape_machine.program import compile_program
from lotus.tape_machine.syntax import Binary, Name, Number, Tree, Unary
from lotus.tape_machine.units import spell

TWO = ("vol <= 2bps/sqrt(min)", "vol > 2bps/sqrt(min) and spread <= 1bps")
HERE = Environment({n: InputColumn(k, WINDOW_UNITS[n]) for k, n in enumerate(SEGMENT_COLUMNS)}, 5_000)


def numbers(value: float, name: str) -> Tree:
    """A constant in the unit of a column."""
    number = Number(abs(value), spell(WINDOW_UNITS[name].removeprefix("1")))
    return Unary("-", number) if value < 0 else number


COMPARISONS = st.builds(
    lambda op, name, value, turned: Binary(op, numbers(value, name), Name(name)) if turned
    else Binary(op, Name(name), numbers(value, name)),
    st.sampled_from(("<", "<=", ">", ">=")), st.sampled_from(SEGMENT_COLUMNS), st.sampled_from((-1.5, 0.0, 0.5, 2.0)),
    st.booleans(),
)  # fmt: skip
FLAGS = st.recursive(
    COMPARISONS,
    lambda below: st.one_of(
        st.builds(Binary, st.sampled_from(("and", "or")), below, below), st.builds(Unary, st.just("not"), below)
    ),
    max_leaves=6,
)


def by_machine(texts: tuple[str, ...], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The first flag that the tape machine finds true."""
    nodes = {str(k): check(parse(text), HERE) for k, text in enumerate(texts)}
    found = Machine(compile_program(nodes, 720), 1).feed_table(0, values)
    out = np.full(len(values), NULL_BIN)
    for k in reversed(range(len(texts))):
        out[found[:, k] == 1.0] = k
    return out


@given(st.lists(FLAGS, min_size=1, max_size=5), st.integers(0, 2**31))
def test_the_kernel_says_what_the_tape_machine_says_of_the_same_text(trees: list[Tree], seed: int) -> None:
    texts = tuple(text_of(tree) for tree in trees)
    rng = np.random.default_rng(seed)
    values = rng.choice([-1.5, -0.2, 0.0, 0.5, 1.0, 2.0, 3.0], (40, len(SEGMENT_COLUMNS)))
    stored = {name: values[:, k] for k, name in enumerate(STORED_COLUMNS)}
    labels = labels_of(segment_program((texts,)), np.zeros(40, np.int64), context_values(stored, 40))
    assert np.array_equal(labels, by_machine(texts, values))


def test_a_column_without_a_value_and_a_coin_without_a_list_have_no_label() -> None:
    program = segment_program((TWO, ()))
    stored = {name: np.full(4, np.nan) for name in STORED_COLUMNS}
    stored |= {"x_vol": np.array([1.0, 3.0, 3.0, np.nan]), "x_spread": np.array([np.nan, 0.5, np.nan, 0.5])}
    values = context_values(stored, 4)
    assert labels_of(program, np.zeros(4, np.int64), values).tolist() == [0, 1, NULL_BIN, NULL_BIN]
    assert labels_of(program, np.ones(4, np.int64), values).tolist() == [NULL_BIN] * 4
    assert labels_of(program, np.full(4, -1), values).tolist() == [NULL_BIN] * 4


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vol > 2bps", "vol"), ("flow > 0", "flow"), ("vol > rv", "rv"), ("vol > oi", "vol"),
        ("mean(vol, 5m) > 2bps/sqrt(min)", "stored columns alone"), ("vol", "a flag"),
        (" or ".join([" and ".join(["oi > 1coins"] * 6)] * 6), "at most 64"),
    ],
)  # fmt: skip
def test_what_is_no_flag_of_stored_columns_is_refused(text: str, found: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(found)):
        steps_of(text)
    with pytest.raises(ConfigError, match="at most 5"):
        segment_program((TWO * 3,))


def test_lists_travel_in_the_tables_and_are_in_their_name_only_where_there_are_any(chain) -> None:  # type: ignore[no-untyped-def]
    plain: DayTables = chain.tables[-1]
    on = replace(plain, segments=(TWO, (), TWO[:1]))
    assert tables_from_json(tables_to_json(on)) == on
    assert on.tables_ver != plain.tables_ver == replace(plain, segments=()).tables_ver
    assert table_program(plain).shape[1] == 0
    with pytest.raises(SchemaError, match="one per asset"):
        replace(plain, segments=(TWO,))


def test_a_stored_window_has_its_segment_or_else_the_group_of_its_coin(chain) -> None:  # type: ignore[no-untyped-def]
    plain: DayTables = chain.tables[-1]
    on = replace(plain, segments=(TWO, (), TWO[:1]))
    window = dict.fromkeys(STORED_COLUMNS, 0.5) | {"asset": "A0", "x_vol": 3.0}
    assert (group_of(window, plain), group_of(window, on)) == (0, 1)
    assert [group_of(window | {"asset": name}, on) for name in ("A1", "A2")] == [NULL_BIN, NULL_BIN]
    columns = {name: np.full(3, window[name]) for name in STORED_COLUMNS}
    assert stored_labels(on, np.array([0, 1, 2]), columns).tolist() == [1, NULL_BIN, NULL_BIN]
