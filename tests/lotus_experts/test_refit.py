"""The refit against scikit-learn and SciPy, its symmetry, and that it is judged on days it has not seen."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from lotus.errors import SchemaError
from lotus.experts.refit import (
    MAX_KNOTS,
    at_knots,
    directions,
    isotonic,
    log_loss,
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


def test_a_refit_is_judged_on_unseen_days() -> None:
    x, up = world(3, 20_000, (1.0, 0.0, 0.5))
    day = np.arange(20_000) // 2_000
    found = refit(x, up, day, np.array([0.2, 2.0, 0.1]))
    assert found.rows == (12_000, 4_000, 4_000)
    assert found.is_better
    assert found.loss < found.loss_in_force
    assert found.weights[0] == pytest.approx(1.0, abs=0.1)
    assert found.weights[1] < 0.1
    assert all(abs(p.said - p.came) < 0.1 for p in found.curve if p.rows > 200)
    assert sum(p.rows for p in found.curve) == 4_000
    turned = up.copy()
    turned[day >= 8] ^= True
    other = refit(x, turned, day, np.array([0.2, 2.0, 0.1]))
    assert other.version == found.version
    assert not other.is_better
    with pytest.raises(SchemaError, match="rows to fit"):
        refit(x[:300], up[:300], day[:300], np.zeros(3))


def test_losses_and_curve_by_hand() -> None:
    said, up = np.array([0.1, 0.15, 0.9, 1.0]), np.array([False, True, True, True])
    assert log_loss(said[:3], up[:3]) == pytest.approx(-(math.log(0.9) + math.log(0.15) + math.log(0.9)) / 3)
    points = reliability_curve(said, up)
    assert [(p.said, p.came, p.rows) for p in points] == [(pytest.approx(0.125), 0.5, 2), (pytest.approx(0.95), 1.0, 2)]


def test_directions_stop_at_gaps_and_at_the_end() -> None:
    mid = np.array([1.0, 2.0, 2.0, 1.0, 5.0, 6.0])
    life = np.array([0, 0, 0, 0, 1, 1])
    (found,) = directions([mid], [np.array([0, 1, 2, 3, 4, 5])], [life], 1)
    np.testing.assert_array_equal(found, [1.0, np.nan, 0.0, np.nan, 1.0, np.nan])
