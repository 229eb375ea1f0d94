"""The decayed histogram against exact quantiles and ranks."""

import numpy as np
import pytest

from lotus.microtape.frames.hist import BINS, RESCALE, add_to, bin_of, edge_of, quantile_of, rank_of, rescale

Histogram = tuple[np.ndarray, np.ndarray]


def blank() -> Histogram:
    return np.zeros(BINS), np.zeros(BINS + 1)


def filled(values: np.ndarray, low: int, weight: float = 1.0) -> Histogram:
    mass, below = blank()
    for x in values:
        add_to(mass, below, bin_of(float(x), low), weight)
    return mass, below


@pytest.mark.parametrize("low", [-4, 0, 3])
def test_bins_hold_their_edges(low: int) -> None:
    for k in range(BINS):
        edge = edge_of(k, low)
        assert edge == pytest.approx(2.0 ** (low + k / 4))
        assert bin_of(edge, low) == k
        assert bin_of(edge * 0.999, low) == max(k - 1, 0)
    assert bin_of(0.0, low) == bin_of(-1.0, low) == bin_of(float("nan"), low) == 0
    assert bin_of(1e300, low) == BINS - 1


@pytest.mark.parametrize("q", [0.01, 0.5, 0.9, 0.99])
def test_quantiles_and_ranks_agree_with_numpy_within_a_bin(q: float) -> None:
    values = np.exp(np.random.default_rng(1).normal(5.0, 1.5, 20_000))
    mass, below = filled(values, 0)
    found = quantile_of(mass, below, q, 0)
    assert found == pytest.approx(np.quantile(values, q), rel=0.06)
    assert rank_of(mass, below, found, 0) == pytest.approx(q, abs=0.06)


def test_without_mass_there_is_no_quantile() -> None:
    assert np.isnan(quantile_of(*blank(), 0.5, 0))
    assert np.isnan(rank_of(*blank(), 1.0, 0))


def test_the_sums_below_are_those_of_the_whole_row_first_bin_first() -> None:
    rng = np.random.default_rng(3)
    mass, below = blank()
    for x, weight in zip(np.exp(rng.normal(5.0, 2.0, 500)), 1.0005 ** np.arange(500), strict=True):
        add_to(mass, below, bin_of(float(x), 0), float(weight))
        assert below.tobytes() == np.concatenate([[0.0], np.add.accumulate(mass)]).tobytes()


@pytest.mark.parametrize("q", [0.001, 0.25, 0.5, 0.99, 1.0])
def test_the_quantile_is_in_the_first_bin_that_holds_it(q: float) -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        mass, below = filled(np.exp(rng.normal(5.0, 2.0, int(rng.integers(1, 30)))), 0, float(rng.uniform(0.1, 9.0)))
        k = int(np.argmax(below[1:] >= q * below[BINS]))
        assert mass[k] > 0.0
        found = quantile_of(mass, below, q, 0)
        assert edge_of(k, 0) <= found <= edge_of(k + 1, 0) * (1 + 1e-15)


def test_rescaling_changes_no_quantile() -> None:
    mass, below = filled(np.array([1.0, 3.0, 9.0, 27.0]), 0, 2.0**40)
    before = quantile_of(mass, below, 0.6, 0)
    assert not rescale(mass, below, RESCALE / 2)
    assert rescale(mass, below, RESCALE)
    assert mass.sum() == below[BINS] == 4.0
    assert quantile_of(mass, below, 0.6, 0) == before
