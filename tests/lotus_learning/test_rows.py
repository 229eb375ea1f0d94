"""Weights of rows halve in a half-life."""

from lotus.learning.rows import day_weights


def test_weights_halve_in_a_half_life():
    g = day_weights(21, 20.0)
    assert (g[0], g[-1]) == (0.5, 1.0)
