"""Extremes, their ages and breakouts are exact, and what has left has no influence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from ..oracle import NULL, column, equal_bits, nasty_columns, node, of_columns, run

ROUNDED = ("sum", "mean", "std", "slope")
ORDERED = ("rmax", "rmin", "argmax_age", "argmin_age", "breakout")
LENGTHS = st.sampled_from((1, 2, 3, 4, 5, 8, 13, 30))


def clean(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, NULL)


@settings(max_examples=examples(150), deadline=None)
@given(nasty_columns(), LENGTHS)
def test_extremes_ages_and_breakouts_are_exact(x: np.ndarray, w: int) -> None:
    for op in ORDERED:
        wanted = of_columns(op, [clean(x)], (w,))
        np.testing.assert_array_equal(run(node(op, column(0), params=(w,)), x), wanted, err_msg=op)


@pytest.mark.parametrize("op", [*ROUNDED, *ORDERED])
@pytest.mark.parametrize("w", [1, 2, 7, 50])
@pytest.mark.parametrize("outlier", [1e300, -1.7e308, NULL, 1e9])
def test_a_value_that_left_has_no_influence_at_all(op: str, w: int, outlier: float) -> None:
    x = np.random.default_rng(w).normal(64_000.0, 1.0, 400)
    spiked = x.copy()
    spiked[100] = outlier
    clear = 100 + w + (op == "breakout")
    root = node(op, column(0), params=(w,))
    assert equal_bits(run(root, x)[clear:], run(root, spiked)[clear:])
