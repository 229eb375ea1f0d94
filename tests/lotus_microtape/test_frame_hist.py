"""The decayed histogram against exact quantiles and ranks."""

import numpy as np
import pytest

from lotus.microtape.frame_hist import BINS, RESCALE, bin_of, edge_of, quantile_of, rank_of, rescale


def filled(values: np.ndarray, low: int) -> np.ndarray:
    mass = np.zeros(BINS)
    for x in values:
        mass[bin_of(float(x), low)] += 1.0
    return mass


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
    mass = filled(values, 0)
    found = quantile_of(mass, q, 0)
    assert found == pytest.approx(np.quantile(values, q), rel=0.06)
    assert rank_of(mass, found, 0) == pytest.approx(q, abs=0.06)


def test_without_mass_there_is_no_quantile() -> None:
    assert np.isnan(quantile_of(np.zeros(BINS), 0.5, 0))
    assert np.isnan(rank_of(np.zeros(BINS), 1.0, 0))


def test_rescaling_changes_no_quantile() -> None:
    mass = filled(np.array([1.0, 3.0, 9.0, 27.0]), 0) * 2.0**40
    before = quantile_of(mass, 0.6, 0)
    assert not rescale(mass, RESCALE / 2)
    assert rescale(mass, RESCALE)
    assert mass.sum() == 4.0
    assert quantile_of(mass, 0.6, 0) == before
