"""Timed state machines against a plain one, their ages and latches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import ConfigError
from lotus.tape_machine.program import compile_program

from ..oracle import NULL, column, flags, nasty_columns, node, run

# sweep-then-stall: idle, armed, fired; flags: trigger, break, confirm; the last target of each row is its time limit's
TABLE = ((1, -1, -1, -1), (1, 0, 2, 0), (-1, 0, -1, 0))
LIMITS = (0, 5, 3)


def machine(table=TABLE, limits=LIMITS):
    cells = [float(v) for row in table for v in row]
    return node("fsm", column(0), column(1), column(2), params=(len(table), *cells, *limits))


def plain(a: np.ndarray, b: np.ndarray, c: np.ndarray, x: np.ndarray, table, limits):
    """States, ages and x at the latest entry of state 1, row by row."""
    state, age, latch = 0, 0, NULL
    rows = []
    for i in range(len(a)):
        age += 1
        true = (k for k, f in enumerate((a, b, c)) if f[i] == 1)
        target = next((table[state][k] for k in true if table[state][k] != -1), -1)
        if target == -1 and limits[state] and age >= limits[state]:
            target = table[state][3]
        if target != -1:
            state, age = target, 0
        if state == 0:
            latch = NULL
        if state == 1 and age == 0:
            latch = x[i] if np.isfinite(x[i]) else NULL
        rows.append((state, age, latch))
    return np.array(rows, np.float64)


@settings(max_examples=examples(200), deadline=None)
@given(st.data(), nasty_columns(), st.lists(st.integers(-1, 2), min_size=12, max_size=12))
def test_states_ages_and_latches(data: st.DataObject, x: np.ndarray, cells: list[int]) -> None:
    a, b, c = (data.draw(flags(len(x))) for _ in range(3))
    for table in (TABLE, tuple(tuple(cells[4 * k : 4 * k + 4]) for k in range(3))):
        wanted = plain(a, b, c, x, table, LIMITS)
        m = machine(table)
        np.testing.assert_array_equal(run(m, a, b, c), wanted[:, 0])
        np.testing.assert_array_equal(run(node("fsm_age", m), a, b, c), wanted[:, 1])
        latch = node("fsm_latch", column(3), m, params=(1,))
        np.testing.assert_array_equal(run(latch, a, b, c, x), wanted[:, 2])


def test_a_pattern_fires_and_times_out() -> None:
    trigger = np.array([0, 1, 0, 0, 0, 0, 0, 0, 0.0])
    confirm = np.array([0, 0, 0, 1, 0, 0, 0, 0, 0.0])
    assert run(machine(), trigger, np.zeros(9), confirm).tolist() == [0, 1, 1, 2, 2, 2, 0, 0, 0]


@pytest.mark.parametrize(
    ("root", "cause"),
    [
        (machine(((1, -1, -1, -1), (3, 0, 0, 0), (0, 0, 0, 0))), "targets"),
        (machine(limits=(0, 5)), "parameters"),
        (machine(limits=(0, 5, 0.5)), "limit"),
        (node("fsm_age", column(0)), "of a column"),
    ],
)
def test_malformed_tables_are_refused(root, cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        compile_program({"y": root})
