"""The numbers behind pictures agree with the effects they illustrate, and a life knows only the days before."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.learning.demean import demean
from lotus.learning.effect import effect_of, lane_sums
from lotus.learning.rows import rows_by_detector
from lotus.learning.views import calibration, heat_map, life_line
from lotus.priors.types import Literal, Rule

PAIR = Rule.of(Literal(4, 3, 4), Literal(10, 0, 1))


@pytest.fixture(scope="module")
def days(worlds):
    """Return the scores of a world with a lesson."""
    return worlds.world("plant", seed=31, per_block=200, lessons=((PAIR, 9.0),))


def bench(scores):
    rows = rows_by_detector(scores, 90)["d0"].weighed()
    rows = replace(rows, weight=np.ones(len(rows)))
    return rows, demean(rows.basis(), rows.h, rows.f, rows.day, len(rows.days))


def test_the_last_point_of_a_life_is_the_effect(days):
    rows, r = bench(days)
    line = life_line(rows, r, PAIR, "x", 3.0)
    effect = effect_of(lane_sums(rows, r, rows.basis(), rows.covered(PAIR)), np.ones(len(rows.days)))
    assert line.days == rows.days
    assert line.uplift[-1] == pytest.approx(effect.uplift)
    assert line.evidence[-1] == pytest.approx(0.5 * effect.t_stat**2 - 3.0)
    assert line.high[-1] - line.uplift[-1] == pytest.approx(1.959963984540054 * effect.se)


def test_a_life_does_not_change_when_later_days_are_taken_away(days):
    rows, r = bench(days)
    whole = life_line(rows, r, PAIR, "x", 3.0)
    early, r_early = bench(dict(list(days.items())[:8]))
    part = life_line(early, r_early, PAIR, "x", 3.0)
    for name in ("uplift", "low", "high", "evidence"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:8])


def test_the_map_is_the_uplift_of_every_pair_of_bins(days):
    rows, r = bench(days)
    found = heat_map(rows, r, PAIR, "x")
    assert (found.row_name, found.column_name, found.box) == ("imbalance", "flow", (3, 4, 0, 1))
    for i in range(5):
        for j in range(5):
            inside = rows.covered(Rule.of(Literal(4, i, i), Literal(10, j, j)))
            assert found.uplift[i, j] == pytest.approx(r[inside].sum() / rows.h[inside].sum())
    single = heat_map(rows, r, Rule.of(Literal(9, 1, 2)), "x")
    assert (single.row_name, single.column_name) == ("session", "flow")
    assert single.rows == ("ASIA", "EU", "US", "WEEKEND")
    assert np.isnan(single.uplift[0]).all(), "the world has no session of that name"


def test_calibration_strata_hold_the_policy_that_drew(days):
    rows, _ = bench(days)
    curve = calibration(rows)
    assert curve.windows.sum() == len(rows)
    assert (np.diff(curve.p) >= 0).all()
    assert ((curve.low <= curve.p) & (curve.p <= curve.high)).sum() >= 8
    assert (curve.low <= curve.share).all()
    assert (curve.share <= curve.high).all()
