"""Normal-normal pooling: equal cells share everything, different ones nothing, unknown ones get the mean."""

import numpy as np
import pytest

from lotus.governance.credit.pooling import normal_normal


def test_alike_cells_are_one_and_far_ones_keep_theirs() -> None:
    alike = normal_normal(np.array([1.0, 1.1, 0.9]), np.full(3, 0.5))
    assert alike.tau == 0.0
    np.testing.assert_allclose(alike.cells, 1.0)
    far = normal_normal(np.array([-50.0, 0.0, 50.0]), np.full(3, 0.5))
    assert far.tau == pytest.approx(50.0, rel=0.01)
    np.testing.assert_allclose(far.cells, [-50.0, 0.0, 50.0], atol=0.02)


def test_unknown_errors_have_no_say() -> None:
    found = normal_normal(np.array([1.0, 3.0, 99.0]), np.array([1.0, 1.0, 0.0]))
    assert (found.mean, found.cells[2]) == (2.0, 2.0)
    assert np.isnan(normal_normal(np.array([1.0]), np.array([np.nan])).mean)


def test_pooled_cells_are_nearer_to_the_truth() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(2.0, 1.0, (200, 12))
    seen = truth + rng.normal(0.0, 1.5, truth.shape)
    pooled = np.array([normal_normal(row, np.full(12, 2.25)).cells for row in seen])
    assert np.mean((pooled - truth) ** 2) < 0.6 * np.mean((seen - truth) ** 2)
