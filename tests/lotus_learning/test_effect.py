"""Effects: coverage of the interval, the simultaneous bound, and effective samples."""

import math

import numpy as np
import pytest

from lotus.learning.demean import demean
from lotus.learning.effect import LaneSums, effect_of, effective_sample, lane_sums, lower_bound
from lotus.learning.rows import rows_by_detector
from lotus.priors.types import Literal, Rule


def test_the_interval_covers_a_true_zero(worlds):
    rules = [Rule.of(Literal(4, 3, 4)), Rule.of(Literal(10, 0, 1)), Rule.of(Literal(2, 3, 4), Literal(7, 0, 3))]
    inside, total = 0, 0
    for seed in range(25):
        rows = rows_by_detector(worlds.world("null", seed=300 + seed, per_block=150), 90)["d0"]
        r = demean(rows.basis(), rows.weight * rows.h, rows.weight * rows.f, rows.day, len(rows.days))
        for rule in rules:
            low, high = effect_of(lane_sums(rows, r, rows.basis(), rows.covered(rule)), np.ones(len(rows.days))).ci95
            inside, total = inside + (low <= 0.0 <= high), total + 1
    assert 0.86 <= inside / total <= 1.0


def test_effect_by_hand():
    lanes = LaneSums(
        np.array([0, 1]),
        np.array([0.1, 0.1]),
        np.array([1.0, 2.0]),
        np.array([0.05, 0.08]),
        np.array([1.0, 3.0]),
        np.array([0.2, 0.1]),
    )
    got = effect_of(lanes, np.array([0.5, 1.0]))
    assert got.uplift == pytest.approx((0.5 * 1 + 1 * 2) / (0.5 * 0.1 + 0.1))
    assert got.t_stat == pytest.approx(2.5 / math.sqrt(0.25 + 4.0))
    assert got.n_eff_days == pytest.approx((0.05 + 0.1) ** 2 / (0.05**2 + 0.1**2))
    assert (got.n_blocks, got.n_days) == (2, 2)
    assert got.net_mean == pytest.approx((0.5 * 1 + 3) / (0.5 * 0.2 + 0.1))  # not weighed by blocks
    assert got.contrast == pytest.approx((0.5 * 1 + 1 * 2) / (0.5 * 0.05 + 0.08))
    assert got.contrast_ci95[0] < got.contrast < got.contrast_ci95[1]


def test_the_contrast_is_the_planted_difference_and_the_uplift_its_share(worlds):
    rule = Rule.of(Literal(4, 3, 4))
    errors, shares = [], []
    for seed in range(6):
        rows = rows_by_detector(worlds.world("plant", seed=500 + seed, lessons=((rule, 6.0),)), 90)["d0"]
        basis = rows.basis()
        h, f = rows.weight * rows.h, rows.weight * rows.f
        r = demean(basis, h, f, rows.day, len(rows.days))
        covered = rows.covered(rule)
        got = effect_of(lane_sums(rows, r, basis, covered), np.ones(len(rows.days)))
        columns = basis.dense()
        errors.append(got.contrast - 6.0)
        shares.append(got.uplift / got.contrast)
        # an independent least squares with the rule as a column of its own, weighted by h, day by day
        gain, weight = 0.0, 0.0
        for day in range(len(rows.days)):
            at = rows.day == day
            x = np.column_stack([columns[at], covered[at]])
            gram = (x * h[at, None]).T @ x
            e = covered[at] - columns[at] @ np.linalg.solve(gram[:-1, :-1] + 1e-3 * np.eye(6), gram[:-1, -1])
            gain, weight = gain + (f[at] * e).sum(), weight + (h[at] * covered[at] * e).sum()
        assert got.contrast == pytest.approx(gain / weight, rel=2e-4)
    assert abs(np.mean(errors)) < 0.5
    assert 0.4 < min(shares) <= max(shares) < 0.75  # the rule covers 40 % of the windows


def test_the_simultaneous_bound_is_positive_exactly_beyond_the_bar():
    price = math.log(111)
    for t in (2.0, 3.0, 3.5, 4.5):
        m = t * t / 2 - price
        bound = lower_bound(-6.0, -t, 0.5, price)
        assert (bound > 0) == (m > 0.5)
        assert bound < 6.0
    assert lower_bound(6.0, 4.0, math.inf, price) == -6.0


def test_effective_sample_of_equal_weights_is_their_number():
    assert effective_sample(np.array([True] * 7 + [False]), np.full(8, 0.3)) == pytest.approx(7.0)
    assert effective_sample(np.zeros(3, dtype=bool), np.full(3, 0.3)) == 0.0
