"""The modelled probe by its formula: mirror signals mirror everything but what they cost; no direction is no probe."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lotus.outcomes.probe import excursions_bps, forward_return_bps, hit, modelled_payoff_bps

BPS = st.floats(-500.0, 500.0)


@given(BPS, st.floats(0.0, 50.0), BPS, st.floats(0.0, 10.0))
def test_both_sides_of_a_move_pay_the_costs_twice_between_them(
    move: float, spread: float, funding: float, fee: float
) -> None:
    direction = np.array([1.0, -1.0, 0.0])
    aligned = direction * funding
    payoff = modelled_payoff_bps(direction, np.full(3, move), np.full(3, spread), aligned, 0.5, fee)
    assert np.isclose(payoff[0] + payoff[1], -2.0 * spread - 4.0 * fee, atol=1e-9)
    assert np.isclose(payoff[0] - payoff[1], 2.0 * (move - 0.5 * funding), atol=1e-9)
    assert np.isnan(payoff[2])


def test_unknown_funding_costs_nothing() -> None:
    one = np.ones(1)
    assert modelled_payoff_bps(one, 10.0 * one, one, np.full(1, np.nan), 1.0, 2.0).tolist() == [5.0]


def test_a_hit_follows_the_direction_and_no_move_is_half_of_one() -> None:
    direction, move = np.array([1.0, 1.0, -1.0, 1.0, 0.0]), np.array([3.0, -3.0, -3.0, 0.0, 3.0])
    np.testing.assert_array_equal(hit(direction, move), [1.0, 0.0, 1.0, 0.5, np.nan])


@given(st.integers(1_000, 10**9), st.integers(0, 10**6), st.integers(0, 900))
def test_excursions_of_a_short_are_those_of_the_mirrored_long(entry: int, up: int, down: int) -> None:
    mid, high, low = (np.array([x]) for x in (entry, entry + up, entry - down))
    best, worst = excursions_bps(np.ones(1), mid, high, low)
    short_best, short_worst = excursions_bps(-np.ones(1), mid, high, low)
    assert best >= 0.0 >= worst
    assert (short_best, short_worst) == (-worst, -best)
    assert best == forward_return_bps(mid, high)
