"""Hats over knots are a partition of unity."""

import numpy as np

from lotus.learning.basis import KNOTS, placed


def test_hats_are_a_partition_of_unity():
    basis = placed(np.linspace(-6, 6, 1001), KNOTS).dense()
    np.testing.assert_allclose(basis.sum(axis=1), 1.0, atol=1e-12)
    assert basis.min() >= 0.0
