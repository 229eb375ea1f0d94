"""The paired comparison against statsmodels-free formulas: pandas by hour, and how often nothing wins."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lotus.experts.weekly.verdict import MIN_BLOCKS, compare, log_losses


def test_the_interval_is_that_of_a_plain_table() -> None:
    rng = np.random.default_rng(3)
    block = np.sort(rng.integers(0, 17, 900))
    shared = rng.normal(0.0, 0.3, 17)[block]
    before, after = rng.random(900) + shared, rng.random(900) - 0.1
    found = compare(before, after, block)
    table = pd.DataFrame({"hour": block, "gain": before - after})
    mean = table.gain.mean()
    sums = (table.gain - mean).groupby(table.hour).sum()
    error = math.sqrt(17 / 16 * (sums**2).sum()) / 900
    assert found.gain == pytest.approx(mean)
    assert found.low == pytest.approx(mean - stats.t.ppf(0.975, 16) * error)
    assert found.high == pytest.approx(mean + stats.t.ppf(0.975, 16) * error)
    assert (found.rows, found.blocks, found.before) == (900, 17, pytest.approx(before.mean()))
    assert found.is_better == (found.low > 0)
    assert "gain" in str(found)


def test_nothing_wins_by_chance_more_often_than_its_level() -> None:
    rng = np.random.default_rng(5)
    block, won = np.repeat(np.arange(20), 30), 0
    for _ in range(600):
        shared = rng.normal(0.0, 0.5, 20)[block]
        won += compare(rng.normal(0.0, 1.0, 600) + shared, np.zeros(600), block).is_better
    assert won <= 600 * 0.025 + 4 * math.sqrt(600 * 0.025)


def test_too_few_hours_decide_nothing() -> None:
    for blocks in (1, MIN_BLOCKS - 1):
        found = compare(np.ones(60), np.zeros(60), np.arange(60) % blocks)
        assert math.isnan(found.low)
        assert not found.is_better
        assert "none" in str(found)
    assert compare(np.ones(60), np.zeros(60), np.arange(60) % MIN_BLOCKS).is_better


def test_losses_by_hand() -> None:
    found = log_losses(np.array([0.1, 0.15, 0.9, 1.0]), np.array([False, True, True, False]))
    assert found == pytest.approx([-math.log(0.9), -math.log(0.15), -math.log(0.9), -math.log(1e-6)])
