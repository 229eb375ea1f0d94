"""Entanglement: independent series seldom pass, bound ones are found at their lag, thin ones say nothing."""

import numpy as np
import pytest

from lotus.atlas.entanglement import LEAST_STEPS, Entanglement, entanglement, mutual_information
from lotus.errors import LedgerError

N = 300


def slow(rng: np.random.Generator, n: int = N) -> np.ndarray:
    """Return an autocorrelated series: chance must not take two slow series for bound ones."""
    out = rng.normal(size=n)
    for k in range(1, n):
        out[k] += 0.7 * out[k - 1]
    return out


@pytest.mark.parametrize("lag", [-4, 0, 3])
def test_bound_series_are_found_at_their_lag(lag: int) -> None:
    rng = np.random.default_rng(lag + 9)
    one = rng.normal(size=N)
    two = np.roll(one, lag) + 0.7 * rng.normal(size=N)
    found = entanglement(one, two)
    assert (found.lag, found.steps) == (lag, N)
    assert found.chance == pytest.approx(1 / (N - 24), abs=1e-4)
    assert found.bits is not None
    assert found.null95 is not None
    assert found.bits > 2 * found.null95


def test_independent_slow_series_seldom_pass() -> None:
    chances = []
    for seed in range(60):
        rng = np.random.default_rng([3, seed])
        chances.append(entanglement(slow(rng), slow(rng)).chance)
    assert np.mean([c is not None and c <= 0.05 for c in chances]) <= 0.15


def test_gaps_are_left_out_and_thin_series_say_nothing() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.normal(size=N), rng.normal(size=N)
    two[::3] = np.nan
    assert entanglement(one, two).steps == N - 100
    two[LEAST_STEPS:] = np.nan
    assert entanglement(one, two) == Entanglement(int(np.isfinite(two).sum()))


def test_information_of_known_tables() -> None:
    levels = np.arange(900) % 3
    assert mutual_information(levels, levels) == pytest.approx(np.log2(3))
    assert mutual_information(levels, np.repeat(np.arange(3), 300)) == pytest.approx(0.0, abs=1e-12)


def test_series_of_different_length_are_refused() -> None:
    with pytest.raises(LedgerError, match="300 and 299 steps"):
        entanglement(np.zeros(300), np.zeros(299))
