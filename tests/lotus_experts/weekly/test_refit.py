"""The refit against scikit-learn and SciPy, its symmetry, and that it is judged on days it has not seen."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from lotus.errors import SchemaError
from lotus.experts.weekly.refit import (
    MAX_KNOTS,
    RefitRows,
    at_knots,
    directions,
    isotonic,
    refit,
    reliability_curve,
    ridge_logistic,
    symmetric_knots,
)


def world(seed: int, n: int, true: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, len(true))) * (rng.random((n, len(true))) < 0.4)
    return x, rng.random(n) < 1 / (1 + np.exp(-x @ np.array(true)))


def test_weights_are_those_of_scikit_learn() -> None:
    x, up = world(0, 3_000, (1.2, 0.6, 0.3))
    theirs = LogisticRegression(C=1 / 10.0, fit_intercept=False, tol=1e-10, max_iter=1_000).fit(x, up)
    np.testing.assert_allclose(ridge_logistic(x, up, 10.0), theirs.coef_[0], rtol=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_weights_are_never_negative_and_still_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, up = world(seed, 400, tuple(rng.normal(0, 0.6, 6)))
    x[:, 1] += 0.9 * x[:, 0]

    def loss(w: np.ndarray) -> float:
        return float(np.logaddexp(0, np.where(up, -1, 1) * (x @ w)).sum() + 1.5 * w @ w)

    best = minimize(loss, np.zeros(6), bounds=[(0, None)] * 6, method="L-BFGS-B", options={"ftol": 1e-15})
    mine = ridge_logistic(x, up, 3.0)
    assert mine.min() >= 0
    assert loss(mine) <= best.fun + 1e-7
    np.testing.assert_allclose(mine, best.x, atol=2e-3)


@pytest.mark.parametrize("seed", range(5))
def test_the_isotonic_fit_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.round(rng.random(300), 2)
    y = (rng.random(300) < x**2).astype(float)
    places, fitted = isotonic(x, y)
    theirs = IsotonicRegression().fit(x, y)
    np.testing.assert_allclose(fitted, theirs.predict(places), atol=1e-12)


def test_knots_are_symmetric_rising_and_near_the_truth() -> None:
    rng = np.random.default_rng(7)
    raw = rng.beta(6, 6, 60_000)
    truth = 0.5 + 0.5 * (raw - 0.5)  # overconfident by a factor of two
    knots = symmetric_knots(raw, rng.random(60_000) < truth)
    assert 2 <= len(knots) <= MAX_KNOTS
    xs, ys = np.array(knots).T
    assert np.all(np.diff(xs) > 0)
    assert np.all(np.diff(ys) >= 0)
    np.testing.assert_allclose(xs + xs[::-1], 1.0, atol=1e-9)
    np.testing.assert_allclose(ys + ys[::-1], 1.0, atol=1e-8)
    middle = np.linspace(0.3, 0.7, 21)
    np.testing.assert_allclose(at_knots(middle, knots), 0.5 + 0.5 * (middle - 0.5), atol=0.03)


def rows(x: np.ndarray, up: np.ndarray, per_day: int = 2_000) -> RefitRows:
    """Windows of days that have ten hours each."""
    at = np.arange(len(x))
    return RefitRows(x, up, at // per_day, at // (per_day // 10), np.zeros_like(at))


ALL = np.ones(3, bool)


def test_a_refit_is_judged_on_unseen_days() -> None:
    x, up = world(3, 20_000, (1.0, 0.0, 0.5))
    present = np.array([0.2, 2.0, 0.1])
    found = refit(rows(x, up), present, (), ALL)
    best, calibrated = found.proposals
    assert found.winner is best
    assert best.verdict.is_better
    assert (best.kind, calibrated.kind) == ("weights", "calibration")
    assert calibrated.weights is present
    assert best.verdict.after < calibrated.verdict.after < best.verdict.before == calibrated.verdict.before
    assert (best.verdict.rows, best.verdict.blocks) == (4_000, 20)
    assert best.weights[0] == pytest.approx(1.0, abs=0.1)
    assert best.weights[1] < 0.1
    assert all(abs(p.said - p.came) < 0.1 for p in best.curve if p.rows > 200)
    assert sum(p.rows for p in best.curve) == sum(p.rows for p in found.curve_in_force) == 4_000
    turned = up.copy()
    turned[16_000:] ^= True
    other = refit(rows(x, turned), present, (), ALL)
    assert [p.weights.tolist() for p in other.proposals] == [p.weights.tolist() for p in found.proposals]
    assert other.winner is not other.proposals[0]
    assert refit(rows(x, turned), np.zeros(3), (), ALL).winner is None  # against knowing nothing both are refused
    with pytest.raises(SchemaError, match="rows to fit"):
        refit(rows(x[:300], up[:300]), np.zeros(3), (), ALL)


def test_what_is_as_good_as_the_present_is_refused() -> None:
    """Weights that are right already, on many worlds: the proposals win in few of them (5 % intervals, two each)."""
    true, won = (0.8, 0.4, 0.0), 0
    for seed in range(40):
        x, up = world(100 + seed, 5_000, true)
        won += refit(rows(x, up, 500), np.array(true), (), ALL).winner is not None
    assert won <= 4


def test_an_expert_that_is_off_takes_no_part() -> None:
    x, up = world(3, 20_000, (1.0, 0.7, 0.5))
    active = np.array([True, False, True])
    weights, calibration = refit(rows(x, up), np.array([0.2, 0.0, 0.1]), (), active).proposals
    assert weights.weights[1] == calibration.weights[1] == 0.0
    without = x.copy()
    without[:, 1] = np.nan
    same, _ = refit(rows(without, up), np.array([0.2, 0.0, 0.1]), (), active).proposals
    assert same.weights.tolist() == weights.weights.tolist()
    assert same.evidence == weights.evidence


def test_an_overconfident_present_is_calibrated_when_its_weights_are_right() -> None:
    x, up = world(8, 20_000, (0.5, 0.25, 0.1))
    present = 4.0 * np.array([0.5, 0.25, 0.1])
    calibration = refit(rows(x, up), present, (), ALL).proposals[1]
    assert calibration.verdict.is_better
    again = refit(rows(x, up), present, calibration.evidence, ALL).proposals[1]
    assert not again.verdict.is_better  # the same calibration is in force already
    assert again.verdict.gain == pytest.approx(0.0, abs=1e-12)


def test_the_curve_by_hand() -> None:
    said, up = np.array([0.1, 0.15, 0.9, 1.0]), np.array([False, True, True, True])
    points = reliability_curve(said, up)
    assert [(p.said, p.came, p.rows) for p in points] == [(pytest.approx(0.125), 0.5, 2), (pytest.approx(0.95), 1.0, 2)]


def test_directions_stop_at_gaps_and_at_the_end() -> None:
    mid = np.array([1.0, 2.0, 2.0, 1.0, 5.0, 6.0])
    life = np.array([0, 0, 0, 0, 1, 1])
    (found,) = directions([mid], [np.array([0, 1, 2, 3, 4, 5])], [life], 1)
    np.testing.assert_array_equal(found, [1.0, np.nan, 0.0, np.nan, 1.0, np.nan])
