"""Rings and counters against their definitions, row by row."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from ..oracle import NULL, column, flags, nasty_columns, node, of_columns, run

DELAYS = st.sampled_from((0, 1, 2, 3, 7, 20, 100))


def clean(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, NULL)


@settings(max_examples=examples(150), deadline=None)
@given(nasty_columns(), DELAYS)
def test_lag(x: np.ndarray, d: int) -> None:
    np.testing.assert_array_equal(run(node("lag", column(0), params=(d,)), x), of_columns("lag", [clean(x)], (d,)))


@settings(max_examples=examples(150), deadline=None)
@given(st.data(), nasty_columns(), DELAYS)
def test_flags_over_time(data: st.DataObject, x: np.ndarray, d: int) -> None:
    flag = data.draw(flags(len(x)))
    for op, columns, params in (
        ("within", [flag], (d,)),
        ("count", [flag], (d + 1,)),
        ("hold", [clean(x), flag], (d,)),
        ("since", [flag], ()),
    ):
        root = node(op, *map(column, range(len(columns))), params=params)
        wanted = of_columns(op, columns, params or (5,))
        np.testing.assert_array_equal(run(root, *columns, memory_steps=5), wanted, err_msg=op)


@settings(max_examples=examples(150), deadline=None)
@given(st.data(), nasty_columns())
def test_crossed_and_retest(data: st.DataObject, a: np.ndarray) -> None:
    steps = st.sampled_from((NULL, 0.0, -0.0, 0.5, -1.0, 1.0, 1e300))
    b = np.array(data.draw(st.lists(steps, min_size=len(a), max_size=len(a))))
    args = [clean(a), b]
    np.testing.assert_array_equal(run(node("crossed", column(0), column(1)), a, b), of_columns("crossed", args))
    for tol, d in ((0.0, 3), (0.5, 0), (2.0, 50)):
        root = node("retest", column(0), column(1), params=(tol, d))
        np.testing.assert_array_equal(run(root, a, b), of_columns("retest", args, (tol, d)))


def test_touching_is_not_crossing() -> None:
    x, level = np.array([1.0, 0.0, 1.0, 0.0, -1.0, NULL, 0.0, 2.0]), np.zeros(8)
    found = run(node("crossed", column(0), column(1)), x, level)
    np.testing.assert_array_equal(found, [0.0, 0.0, 0.0, 0.0, -1.0, NULL, 0.0, 1.0])


@settings(max_examples=examples(150), deadline=None)
@given(nasty_columns(), st.sampled_from((0.3, 1.0, 2.0, 17.5, 7200.0)))
def test_ema_against_pandas(x: np.ndarray, h: float) -> None:
    found = run(node("ema", column(0), params=(h,)), x)
    known = clean(x)
    wanted = pd.Series(known).ewm(halflife=h, adjust=False, ignore_na=True).mean().ffill().to_numpy()
    scale = np.fmax.accumulate(np.abs(known))
    assert (np.isnan(found) == np.isnan(wanted)).all()
    usable = np.isfinite(wanted)
    assert (np.abs(found - wanted)[usable] <= 1e-11 * scale[usable] + 1e-300).all()


def test_ema_of_a_constant_stays_there_exactly() -> None:
    assert (run(node("ema", column(0), params=(33.0,)), np.full(10_000, 64000.1)) == 64000.1).all()


def test_ema_survives_the_largest_numbers() -> None:
    x = np.array([1.7e308, -1.7e308, 1.7e308, 1.0, 1.0, 1.0])
    found = run(node("ema", column(0), params=(1.0,)), x)
    assert found == pytest.approx([1.7e308, 0.0, 0.85e308, 0.425e308, 0.2125e308, 0.10625e308])
