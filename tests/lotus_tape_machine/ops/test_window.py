"""Sliding windows against fresh computations in extended precision; no drift, no influence of what has left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from ..oracle import NASTY, NULL, TAMER, column, exact_slope, exact_std, nasty_columns, node, of_columns, run

ROUNDED = ("sum", "mean", "std", "slope")
ORDERED = ("rmax", "rmin", "argmax_age", "argmin_age", "breakout")
LENGTHS = st.sampled_from((1, 2, 3, 4, 5, 8, 13, 30))
LONG_ROWS = 1_000_000


def clean(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, NULL)


@settings(max_examples=examples(150), deadline=None)
@given(nasty_columns(TAMER), LENGTHS)
def test_sums_deviations_and_slopes_are_fresh(x: np.ndarray, w: int) -> None:
    known = clean(x)
    level = np.array([np.nanmax(np.abs(np.append(known[max(0, i - w + 1) : i + 1], 0.0))) for i in range(len(x))])
    for op in ROUNDED:
        found, wanted = run(node(op, column(0), params=(w,)), x), of_columns(op, [known], (w,))
        assert (np.isnan(found) == np.isnan(wanted)).all(), op
        usable = ~np.isnan(wanted)
        room = 1e-14 * level * (w if op == "sum" else 1.0) + 1e-150  # squares of less are 0
        assert (np.abs(found - wanted)[usable] <= (1e-9 * np.abs(wanted) + room)[usable]).all(), op


@settings(max_examples=examples(100), deadline=None)
@given(nasty_columns(NASTY), LENGTHS)
def test_results_are_finite_or_null_whatever_comes(x: np.ndarray, w: int) -> None:
    for op in (*ROUNDED, *ORDERED):
        assert not np.isinf(run(node(op, column(0), params=(w,)), x)).any(), op


@pytest.mark.parametrize("w", [2, 9, 600])
def test_constants_have_no_deviation_and_no_slope(w: int) -> None:
    x = np.full(3 * w, 64_000.1)
    for op in ("std", "slope"):
        found = run(node(op, column(0), params=(w,)), x)
        assert np.isnan(found[: w - 1]).all()
        assert (found[w - 1 :] == 0.0).all()


@pytest.fixture(scope="module")
def long_nasty() -> np.ndarray:
    """A million rows of a wandering price with bursts of values up to 1e12 times as large, and exact repeats."""
    rng = np.random.default_rng(11)
    x = 64_000.0 + np.cumsum(rng.normal(0.0, 0.5, LONG_ROWS))
    bursts = rng.random(LONG_ROWS) < 0.002
    x[bursts] *= 10.0 ** rng.uniform(-12.0, 12.0, bursts.sum())
    x[400_000:400_900] = 64_000.1
    return x


@pytest.mark.parametrize(("op", "fresh"), [("mean", np.mean), ("std", exact_std), ("slope", exact_slope)])
@pytest.mark.parametrize("w", [7, 300, 5000])
def test_no_drift_over_a_million_nasty_rows(long_nasty: np.ndarray, op: str, fresh, w: int) -> None:
    found = run(node(op, column(0), params=(w,)), long_nasty)
    rows = np.random.default_rng(w).integers(w, LONG_ROWS, 300)
    for i in [*rows, 400_899, LONG_ROWS - 1]:
        window = long_nasty[i - w + 1 : i + 1]
        room = 1e-15 * np.abs(window).max()
        assert found[i] == pytest.approx(float(fresh(window)), rel=1e-9, abs=room), i


def test_a_state_does_not_grow_and_every_row_costs_the_same_places() -> None:
    from lotus.tape_machine.program import compile_program

    sizes = {op: compile_program({"y": node(op, column(0), params=(1000,))}).n_floats for op in (*ROUNDED, *ORDERED)}
    assert max(sizes.values()) <= 4.5 * 1000 + 6
