"""Covariance: shrunk as scikit-learn and the formula of Ledoit and Wolf say, blind to what comes later."""

import numpy as np
import pytest

from lotus.decision.covariance import ledoit_wolf
from lotus.errors import ConfigError, LookAheadError

ENDS = np.arange(1, 101, dtype=np.int64) * 60_000


def some_returns() -> dict[str, np.ndarray]:
    """A hundred bars of three coins with one common part."""
    rng = np.random.default_rng(8)
    market = rng.normal(size=100) * 5.0
    return {
        coin: market * beta + rng.normal(size=100) * 3.0 for coin, beta in (("SOL", 1.4), ("BTC", 1.0), ("ETH", 1.2))
    }


def by_hand(x: np.ndarray) -> tuple[np.ndarray, float]:
    """Ledoit and Wolf (2004), equations 9 to 14, with loops."""
    x = x - x.mean(axis=0)
    t, n = x.shape
    s = x.T @ x / t
    m = np.trace(s) / n
    d2 = ((s - m * np.eye(n)) ** 2).sum() / n
    b2 = min(sum(((np.outer(row, row) - s) ** 2).sum() / n for row in x) / t**2, d2)
    return b2 / d2 * m * np.eye(n) + (d2 - b2) / d2 * s, b2 / d2


def test_the_matrix_is_that_of_the_formula() -> None:
    returns = some_returns()
    found = ledoit_wolf(returns, ENDS, 60.0, int(ENDS[-1]))
    assert found.coins == ("BTC", "ETH", "SOL")
    matrix, shrinkage = by_hand(np.stack([returns[c] for c in found.coins], axis=1))
    assert found.matrix == pytest.approx(matrix, rel=1e-8)
    assert found.shrinkage == pytest.approx(shrinkage, rel=1e-7)
    assert np.linalg.eigvalsh(found.matrix).min() > 0.0


def test_a_horizon_scales_it_and_coins_are_picked_by_name() -> None:
    found = ledoit_wolf(some_returns(), ENDS, 60.0, int(ENDS[-1]))
    assert found.over(3600.0, ["SOL", "BTC"]) == pytest.approx(found.matrix[np.ix_([2, 0], [2, 0])] * 60.0)


def test_a_bar_of_the_future_is_refused() -> None:
    with pytest.raises(LookAheadError, match="a bar that ends at"):
        ledoit_wolf(some_returns(), ENDS, 60.0, int(ENDS[-1]) - 1)


def test_bars_with_a_hole_are_left_out_and_too_few_are_refused() -> None:
    returns = some_returns()
    returns["ETH"][[3, 99]] = np.nan
    found = ledoit_wolf(returns, ENDS, 60.0, int(ENDS[-1]))
    assert (found.rows, found.asof_ms) == (98, int(ENDS[98]))
    returns["BTC"][:80] = np.nan
    with pytest.raises(ConfigError, match="19 whole bars"):
        ledoit_wolf(returns, ENDS, 60.0, int(ENDS[-1]))
    with pytest.raises(ConfigError, match="lengths"):
        ledoit_wolf({"BTC": np.zeros(5)}, ENDS, 60.0, int(ENDS[-1]))
