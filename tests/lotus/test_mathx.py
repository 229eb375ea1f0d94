"""Elementary functions of the kernels against the C library: as near as promised, with the stated ends."""

import math

from hypothesis import given
from hypothesis import strategies as st

from lotus import mathx


def off_ulps(got: float, wanted: float) -> float:
    """Return how many units in the last place lie between two numbers."""
    return abs(got - wanted) / math.ulp(wanted)


@given(st.floats(-690.0, 690.0))
def test_exp_is_within_two_units_and_has_its_ends(x: float) -> None:
    assert off_ulps(mathx.exp(x), math.exp(x)) < 2.0
    assert mathx.exp(-701.0) == 0.0
    assert mathx.exp(1e9) == mathx.exp(700.0) < math.inf
    assert math.isnan(mathx.exp(math.nan))


@given(st.one_of(st.floats(1e-300, 0.5), st.floats(2.0, 1e300)))
def test_log_is_within_two_units_away_from_one_and_has_its_ends(x: float) -> None:
    assert off_ulps(mathx.log(x), math.log(x)) < 2.0
    assert (mathx.log(0.0), mathx.log(math.inf), mathx.log(1.0)) == (-math.inf, math.inf, 0.0)
    assert math.isnan(mathx.log(-1.0))


@given(st.floats(-30.0, 30.0))
def test_logit_undoes_logistic_which_is_odd_around_one_half(x: float) -> None:
    p = mathx.logistic(x)
    assert math.isclose(p + mathx.logistic(-x), 1.0, rel_tol=1e-15)
    assert abs(mathx.logit(p) - x) <= 1e-15 * max(1.0, abs(x)) / min(p, 1.0 - p)


@given(st.floats(1e-3, 1e3), st.floats(-5.0, 5.0))
def test_power_is_that_of_the_library_and_nothing_of_nothing(base: float, exponent: float) -> None:
    assert math.isclose(mathx.power(base, exponent), base**exponent, rel_tol=1e-13)
    assert mathx.power(0.0, 0.5) == 0.0
