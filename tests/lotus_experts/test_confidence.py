"""conf of an expert: the fit against scikit-learn, its scale, and that it must win on unseen days."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from lotus.experts.confidence import MAX_KNOTS, confidence, confidence_knots, fit_confidences

from .confident_world import world


def test_the_fit_is_that_of_scikit_learn_on_the_scale_of_conf() -> None:
    rng = np.random.default_rng(1)
    size = np.round(rng.choice([0.1, 0.25, 0.4, 0.8], 3_000), 9)
    right = rng.random(3_000) < 0.5 + 0.4 * size
    theirs = IsotonicRegression().fit(size, right.astype(float))
    knots = confidence_knots(size, right)
    places = np.unique(size)
    wanted = np.maximum(2.0 * theirs.predict(places) - 1.0, 0.0)
    np.testing.assert_allclose(confidence(places, knots), wanted, atol=1e-8)
    many = confidence_knots(rng.random(20_000), rng.random(20_000) < 0.7)
    assert 1 <= len(many) <= MAX_KNOTS
    assert all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(many))


def test_an_overconfident_expert_is_calibrated_and_an_honest_one_keeps_its_form() -> None:
    (fit,) = fit_confidences(world(2, 0.3), ["loud"], [()])
    assert fit.verdict.is_better
    assert confidence(np.array([1.0]), fit.knots)[0] == pytest.approx(np.tanh(0.15), abs=0.04)
    assert all(abs(p.said - p.came) < 0.06 for p in fit.curve if p.rows > 300)
    assert any(abs(p.said - p.came) > 0.08 for p in fit.curve_in_force if p.rows > 300)
    (again,) = fit_confidences(world(2, 0.3), ["loud"], [fit.knots])
    assert not again.verdict.is_better
    honest = [fit_confidences(world(10 + k, 1.0), ["honest"], [()])[0].verdict.is_better for k in range(10)]
    assert sum(honest) <= 1


def test_an_expert_below_a_coin_is_worth_nothing_and_a_silent_one_has_no_fit() -> None:
    (fit,) = fit_confidences(world(4, -0.5), ["wrong"], [()])
    assert {y for _, y in fit.knots} == {0.0}
    silent = world(4, 1.0)
    silent.z[:] = 0.0
    assert fit_confidences(silent, ["silent"], [()]) == []
