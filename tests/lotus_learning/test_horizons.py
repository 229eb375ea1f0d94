"""Descriptive horizons: figures by hand, and the Newey-West error against its formula and against simulation."""

import numpy as np
import pytest

from lotus.learning.horizons import horizon_stats, newey_west


def test_newey_west_equals_its_formula():
    rng = np.random.default_rng(0)
    for n, lags in ((50, 0), (200, 7), (30, 29)):
        x = rng.normal(size=n).cumsum()
        e = x - x.mean()
        s = (e * e).sum() + 2 * sum((1 - j / (lags + 1)) * (e[j:] * e[:-j]).sum() for j in range(1, lags + 1))
        assert newey_west(x, lags) == pytest.approx(np.sqrt(max(s, 0.0)) / n, rel=1e-10)
    assert newey_west(np.ones(1), 3) == 0.0


def test_newey_west_is_about_right_where_the_naive_error_is_a_third():
    rng = np.random.default_rng(1)
    means, hac, naive = [], [], []
    for _ in range(300):
        x = np.convolve(rng.normal(size=1000 + 11), np.ones(12), "valid")
        means.append(x.mean())
        hac.append(newey_west(x, 24))
        naive.append(x.std() / np.sqrt(len(x)))
    truth = np.std(means)
    assert 0.8 * truth < np.mean(hac) < 1.1 * truth
    assert np.mean(naive) < 0.4 * truth


def test_figures_by_hand():
    windows = {
        "asset": np.array(["B", "A", "A"], dtype=object),
        "window_end_ms": np.array([0, 5_000, 400_000]),
        "probability": np.array([0.8, 0.6, 0.5]),
        "payoff_p_30": np.array([3.0, -15.0, np.nan]),
        "hit_30": np.array([1.0, 0.0, np.nan]),
        "mfe_30": np.array([14.0, 2.0, np.nan]),
        "mae_30": np.array([-1.0, -8.0, np.nan]),
        "fwd_ret_bps_30": np.array([-12.0, 6.0, np.nan]),
    }
    (got,) = horizon_stats(windows, (30,))
    assert (got.horizon_s, got.windows, got.hit_rate, got.net_bps) == (30, 2, 0.5, -6.0)
    assert got.brier == pytest.approx((0.04 + 0.36) / 2)
    assert got.log_score == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert got.mfe_net_bps == pytest.approx(((14.0 - 9.0) + (2.0 - 9.0)) / 2)
    assert got.mae_net_bps == pytest.approx(((-1.0 - 9.0) + (-8.0 - 9.0)) / 2)
    assert got.net_se_bps == pytest.approx(newey_west(np.array([3.0, -15.0]), 1))
    empty = {name: values[:0] for name, values in windows.items()}
    assert horizon_stats(empty, (30,))[0].windows == 0
