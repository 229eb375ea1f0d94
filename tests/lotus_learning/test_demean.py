"""Payoffs without their day: equal to the ridge regression of each day."""

import numpy as np
import pytest

from lotus.learning.basis import KNOTS, placed, with_rules
from lotus.learning.demean import RIDGE, demean


@pytest.mark.parametrize("n_rules", [0, 1, 2, 3, 12])
def test_demeaning_equals_the_ridge_regression_of_each_day(n_rules):
    rng = np.random.default_rng(3)
    h, f, day = rng.random(300), rng.normal(size=300), rng.integers(0, 3, 300)
    hats = placed(rng.normal(-1.0, 3.0, 300), KNOTS)
    columns = with_rules(hats.left, hats.share, list(rng.random((n_rules, 300)) < 0.4))
    r, basis, k = demean(columns, h, f, day, 3), columns.dense(), columns.width
    for d in range(3):
        b, w, y = basis[day == d], h[day == d], f[day == d]
        beta = np.linalg.solve((b * w[:, None]).T @ b + RIDGE * np.eye(k), b.T @ y)
        np.testing.assert_allclose(r[day == d], y - w * (b @ beta), atol=1e-8)
        np.testing.assert_allclose(b.T @ r[day == d], RIDGE * beta, atol=1e-7)
