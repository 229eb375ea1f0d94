"""The effective number of detectors between one and all of them."""

import numpy as np

from lotus.monitoring.diversity import effective_number


def test_equal_detectors_are_one_and_different_ones_are_many() -> None:
    rng = np.random.default_rng(7)
    one = rng.normal(size=(1, 480))
    n_eff, gap = effective_number(np.repeat(one, 4, axis=0))
    np.testing.assert_allclose((n_eff, gap), (1.0, 1.0), atol=1e-9)
    n_eff, gap = effective_number(rng.normal(size=(4, 4_000)))
    assert n_eff > 3.9
    assert gap < 0.05


def test_a_detector_that_was_hardly_paid_or_always_the_same_is_left_out() -> None:
    payoffs = np.random.default_rng(8).normal(size=(3, 480))
    payoffs[1, 39:] = 0.0
    whole = effective_number(payoffs)
    np.testing.assert_allclose(effective_number(payoffs[[0, 2]]), whole)
    payoffs[0] = 3.0
    assert np.isnan(effective_number(payoffs)).all()
    assert np.isnan(effective_number(np.zeros((3, 0)))).all()
