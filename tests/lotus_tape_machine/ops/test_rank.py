"""Exact ranks and quantiles against counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.tape_machine.machine import Machine
from lotus.tape_machine.ops.rank import SIZE
from lotus.tape_machine.ops.table import EXACT_RANK_MAX
from lotus.tape_machine.program import compile_program

from ..oracle import NULL, column, nasty_columns, node, of_columns, run


def clean(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, NULL)


def rank(w: int):
    return node("rank", column(0), params=(w,))


def quantile(q: float, w: int):
    return node("quantile", column(0), params=(q, w))


@settings(max_examples=examples(200), deadline=None)
@given(nasty_columns(longest=120), st.sampled_from((1, 2, 3, 5, 9, 16, 17, 40)), st.floats(0.0, 1.0))
def test_exact_rank_and_quantile(x: np.ndarray, w: int, q: float) -> None:
    np.testing.assert_allclose(run(rank(w), x), of_columns("rank", [clean(x)], (w,)), rtol=1e-15)
    found, wanted = run(quantile(q, w), x), of_columns("quantile", [clean(x)], (q, w))
    largest = [np.nanmax(np.abs(clean(x)[max(0, i - w + 1) : i + 1]), initial=0.0) for i in range(len(x))]
    rounding = 4 * np.finfo(float).eps * np.array(largest)  # between two values that nearly cancel it is all there is
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    known = ~np.isnan(wanted)
    assert (np.abs(found - wanted) <= 1e-9 * np.abs(wanted) + 1e-290 + rounding)[known].all()


@pytest.mark.parametrize("w", [599, EXACT_RANK_MAX])
def test_longest_exact_window(w: int) -> None:
    rng = np.random.default_rng(w)
    x = np.where(rng.random(3000) < 0.1, NULL, np.round(rng.normal(0.0, 3.0, 3000), 1))
    np.testing.assert_allclose(run(rank(w), x), of_columns("rank", [x], (w,)), rtol=1e-15)
    np.testing.assert_allclose(run(quantile(0.9, w), x), of_columns("quantile", [x], (0.9, w)), rtol=1e-12)


@pytest.mark.parametrize("shape", ["rising", "falling", "two values", "saw"])
def test_orders_that_move_most_values(shape: str) -> None:
    t = np.arange(1_500, dtype=np.float64)
    x = {"rising": t, "falling": -t, "two values": t % 2, "saw": np.where(t % 2 == 0, t, -t)}[shape]
    x[::7] = NULL
    np.testing.assert_allclose(run(rank(300), x), of_columns("rank", [x], (300,)), rtol=1e-15)
    np.testing.assert_allclose(run(quantile(0.3, 300), x), of_columns("quantile", [x], (0.3, 300)), rtol=1e-12)
    program = compile_program({"y": quantile(0.3, 300)})
    machine = Machine(program, 1)
    machine.feed_table(0, x.reshape(-1, 1))
    floats, ints = machine.node_state(next(iter(program.slots)), 0)
    np.testing.assert_array_equal(floats[300 : 300 + ints[SIZE]], np.sort(x[-300:])[: ints[SIZE]])
