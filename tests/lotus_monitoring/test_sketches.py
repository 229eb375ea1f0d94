"""Sketches against numpy, distances against their definitions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from lotus.monitoring import sketches as sk


@given(st.lists(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=6, max_size=6), min_size=1, max_size=4))
def test_quantiles_are_those_of_numpy_over_what_is_not_null(rows: list[list[float]]) -> None:
    values = np.array(rows)
    count, found = sk.quantiles_of(values)
    for row, n, quantiles in zip(values, count, found, strict=True):
        finite = row[~np.isnan(row)]
        assert n == len(finite)
        if n == 0:
            assert np.isnan(quantiles).all()
        else:
            expected = np.quantile(finite, sk.PROBABILITIES)
            np.testing.assert_allclose(quantiles, expected, rtol=1e-9, atol=1e-9 * np.abs(finite).max())
            assert (np.diff(quantiles) >= -1e-9 * np.abs(finite).max()).all()


def test_no_rows_give_no_sketch() -> None:
    count, found = sk.quantiles_of(np.zeros((2, 0)))
    assert count.tolist() == [0, 0]
    assert np.isnan(found).all()


def test_a_shift_is_its_size_in_interquartile_ranges_and_no_spread_is_null() -> None:
    _, one = sk.quantiles_of(np.random.default_rng(1).normal(size=(1, 5_000)))
    spread = sk.spread_of(one)[0]
    np.testing.assert_allclose(spread, 1.349, atol=0.05)
    np.testing.assert_allclose(sk.distance(one + 0.8, one), 0.8 / spread)
    np.testing.assert_allclose(sk.distance(7.0 * one, one), sk.distance(-7.0 * one[:, ::-1], -one[:, ::-1]))
    assert np.isnan(sk.distance(one, np.ones((1, sk.POINTS)))).all()


def test_the_shown_numbers_are_the_known_ones_to_the_sketch_s_precision() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=20_000), rng.normal(0.5, 1.3, size=20_000)
    (_, one), (_, two) = sk.quantiles_of(first[None]), sk.quantiles_of(second[None])
    np.testing.assert_allclose(sk.largest_gap(two, one), ks_2samp(first, second).statistic, atol=0.02)
    edges = np.quantile(first, np.arange(1, 10) / 10)
    shares = np.bincount(np.searchsorted(edges, second, side="right"), minlength=10) / len(second)
    np.testing.assert_allclose(sk.stability_index(two, one), ((shares - 0.1) * np.log(shares / 0.1)).sum(), rtol=0.2)
    assert sk.largest_gap(one, one)[0] < 1e-9
    assert abs(sk.stability_index(one, one)[0]) < 1e-9


def test_ties_and_far_laws_stay_in_range() -> None:
    flat, away = np.zeros((1, sk.POINTS)), np.full((1, sk.POINTS), 9.0)
    assert sk.largest_gap(away, flat)[0] <= 1.0
    assert sk.largest_gap(flat, away)[0] <= 1.0
    assert np.isfinite(sk.stability_index(away, flat))[0]
