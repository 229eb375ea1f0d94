"""Covariance: shrunk as scikit-learn and the formula of Ledoit and Wolf say, blind to what comes later."""

import numpy as np
import pytest

from lotus.decision.allocation.covariance import DM_RETURNS, bar_returns, covariance_of, ledoit_wolf
from lotus.errors import ConfigError, LookAheadError
from lotus.timebase import DAY_MS, day_start_ms

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


DAY = "2025-09-04"
START = day_start_ms(DAY)


def frames(seed: int, until_ms: int = DAY_MS, step_ms: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a coin whose mid walks at random."""
    ends = START + np.arange(step_ms, until_ms + 1, step_ms, dtype=np.int64)
    rng = np.random.default_rng(seed)
    return ends, np.round(1e6 * np.exp(np.cumsum(rng.normal(size=len(ends)) * 1e-5)))


def test_a_bar_is_the_move_between_the_last_mids_of_two_minutes() -> None:
    ends, mid = frames(1, 300_000)
    mid[-5:] = np.nan  # the last second of the fifth minute has no quote
    found = bar_returns(DAY, {"ETH": (ends, mid), "BTC": (ends, mid)})
    assert set(found) == set(DM_RETURNS.names)
    assert found["asset"].tolist() == ["BTC", "ETH"] * 4
    assert found["end_ms"][::2].tolist() == [START + 60_000 * k for k in (2, 3, 4, 5)]
    closes = mid[[299, 599, 899, 1199, 1494]]
    assert found["ret_bps"][::2] == pytest.approx(1e4 * np.diff(closes) / closes[:-1])


def test_no_bar_spans_a_gap_and_none_leaves_the_day() -> None:
    ends, mid = frames(1)
    kept = (ends <= START + 600_000) | (ends > START + 780_000)  # three minutes without frames
    early = np.concatenate([[START - 200, START], ends[kept]]), np.concatenate([[1.0, 1.0], mid[kept]])
    found = bar_returns(DAY, {"BTC": early})
    minutes = (found["end_ms"] - START) // 60_000
    assert minutes.tolist() == [*range(2, 11), *range(15, 1441)]
    assert abs(found["ret_bps"]).max() < 100.0


def test_the_covariance_of_days_is_that_of_their_bars() -> None:
    mids = {coin: frames(seed, step_ms=2000) for seed, coin in enumerate(("BTC", "ETH", "NEW", "SOL"))}
    ends, mid = mids["NEW"]
    mids["NEW"] = (ends[-10_000:], mid[-10_000:])  # listed in the evening
    day = bar_returns(DAY, mids)
    found = covariance_of([day], START + DAY_MS)
    assert found.coins == ("BTC", "ETH", "SOL")
    wanted = ledoit_wolf(
        {coin: day["ret_bps"][day["asset"] == coin].astype(np.float64) for coin in found.coins},
        START + np.arange(2, 1441) * 60_000, 60.0, START + DAY_MS,
    )  # fmt: skip
    assert (found.matrix == wanted.matrix).all()
    assert (found.rows, found.asof_ms, found.bar_s) == (1439, START + DAY_MS, 60.0)
    with pytest.raises(LookAheadError):
        covariance_of([day], START + DAY_MS - 1)


def test_too_few_bars_give_a_covariance_without_coins() -> None:
    for days in ([], [bar_returns(DAY, {"BTC": frames(1, 600_000)})], [bar_returns(DAY, {"BTC": frames(1, 0)})]):
        found = covariance_of(days, START + DAY_MS)
        assert (found.coins, found.matrix.shape) == ((), (0, 0))
        assert found.over(3600.0, ()).shape == (0, 0)
