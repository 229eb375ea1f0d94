"""Ranks are uniform and bets fair where days are exchangeable, and the draw belongs to the name."""

import numpy as np
from scipy.stats import kstest

from lotus.monitoring import e_detector as ed


def test_ranks_of_exchangeable_days_are_uniform_also_with_ties_and_bets_have_mean_one() -> None:
    rng = np.random.default_rng(3)
    for days in (rng.normal(size=(4_000, 91)), rng.integers(0, 3, size=(4_000, 91)).astype(float)):
        p = ed.ranks(days[:, -1], days[:, :-1], 1.0 - rng.random(4_000))
        assert kstest(p, "uniform").pvalue > 0.001
        assert ((p > 0.0) & (p <= 1.0)).all()
    grid = (np.arange(200_000) + 0.5) / 200_000
    np.testing.assert_allclose(ed.bets(grid).mean(), 1.0, atol=0.1)  # the mass near 0 is fat: below 1 on a grid


def test_only_the_newest_ninety_tested_days_count_and_fewer_than_twenty_are_too_few() -> None:
    before = np.full((3, 200), np.nan)
    before[0, :91] = np.r_[9.0, np.zeros(90)]  # the one day that was further away is too old
    before[1, 100:119] = 0.0
    before[2, 100:120] = 0.0
    p = ed.ranks(np.ones(3), before, np.ones(3))
    np.testing.assert_allclose(p, [1 / 91, np.nan, 1 / 21])
    assert np.isnan(ed.ranks(np.full(3, np.nan), before, np.ones(3))).all()


def test_sums_go_on_without_a_test_and_are_capped() -> None:
    r = ed.summed(np.array([2.0, 2.0, 1e9]), np.array([np.nan, 0.5, 5.0]))
    np.testing.assert_allclose(r, [2.0, 1.5, 1e9])
    assert ed.family_mean(np.array([0.0, 4.0, 2.0])) == 3.0
    assert ed.family_mean(np.zeros(2)) == 0.0


def test_alarms_on_exchangeable_days_are_rarer_than_one_in_365() -> None:
    rng, worlds, days, alarms = np.random.default_rng(4), 60, 400, 0
    x = rng.normal(size=(worlds, 5, days + 90))
    x += 3.0 * rng.normal(size=(worlds, 1, days + 90))  # the series of a family move together
    for world in range(worlds):
        r = np.zeros(5)
        for day in range(90, days + 90):
            p = ed.ranks(x[world, :, day], x[world, :, day - 90 : day], 1.0 - rng.random(5))
            r = ed.summed(r, ed.bets(p))
            if ed.family_mean(r) >= ed.ALARM:
                alarms, r = alarms + 1, np.zeros(5)
    assert alarms / (worlds * days) <= 1.0 / 365.0


def test_the_draw_is_that_of_name_and_day_whatever_stands_beside_it() -> None:
    names = [("data", "BTC", "", "spread_bps"), ("data", "ETH", "", "spread_bps")]
    first = ed.tie_breaks(names, 7, 86_400_000)
    assert first.tolist() == ed.tie_breaks(names[::-1], 7, 86_400_000)[::-1].tolist()
    assert len({*first, *ed.tie_breaks(names, 7, 0), *ed.tie_breaks(names, 8, 0)}) == 6
    assert ((first > 0.0) & (first <= 1.0)).all()
