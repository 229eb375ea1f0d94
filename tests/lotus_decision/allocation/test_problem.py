"""An allocation problem: impossible numbers are refused, answers in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from allocation_problems import SEEDS, some_problem
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from benchmarks.decision.allocator import SpecificationSolver
from lotus.decision.allocation.problem import RELATIVE, Caps, Floats, Problem
from lotus.decision.allocation.solver import FastSolver
from lotus.errors import ConfigError

FAST, SPECIFICATION = FastSolver(), SpecificationSolver()


def weights(problem: Problem) -> Floats:
    """The fast solver's answer, which must exist."""
    found = FAST.solve(problem).weights
    assert found is not None
    return found


@settings(max_examples=examples(100), deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 5, 20]))
def test_no_cap_is_ever_broken(seed: int, n: int) -> None:
    problem = some_problem(seed, n)
    found = FAST.solve(problem).weights
    if found is not None:
        assert max(problem.excess(found).values()) <= RELATIVE
        assert (found <= problem.upper).all()
        assert (found >= problem.lower).all()


def test_two_coins_in_closed_form() -> None:
    """Without costs w = (2 lambda Sigma / 10^4)^-1 mu, a quarter of the Kelly book at lambda = 2."""
    sigma = np.array([[80.0**2, 0.5 * 80.0 * 60.0], [0.5 * 80.0 * 60.0, 60.0**2]])
    problem = Problem(
        coins=("BTC", "ETH"), mu=np.array([1.0, -0.5]), sigma=sigma, w0=np.zeros(2), cost=np.zeros(2),
        risk_aversion=2.0, inertia_bps=0.0, lower=np.full(2, -10.0), upper=np.full(2, 10.0), margin=np.zeros(2),
        caps=Caps(),
    )  # fmt: skip
    kelly = np.linalg.solve(sigma / 1e4, problem.mu)
    assert weights(problem) == pytest.approx(0.25 * kelly, abs=1e-6)


def test_two_like_coins_share_a_gross_cap() -> None:
    """Equal coins without correlation get half of the cap each; its price is the marginal worth left."""
    problem = Problem(
        coins=("BTC", "ETH"), mu=np.full(2, 20.0), sigma=np.eye(2) * 100.0**2, w0=np.zeros(2), cost=np.full(2, 3.0),
        risk_aversion=2.0, inertia_bps=0.0, lower=np.full(2, -10.0), upper=np.full(2, 10.0), margin=np.zeros(2),
        caps=Caps(gross=1.0),
    )  # fmt: skip
    found = FAST.solve(problem)
    assert found.weights == pytest.approx([0.5, 0.5], abs=1e-7)
    assert [(b.name, b.price_bps) for b in found.bindings] == [("gross", pytest.approx(20.0 - 3.0 - 2.0, abs=1e-4))]


def test_impossible_numbers_are_refused() -> None:
    problem = some_problem(1, 3)
    with pytest.raises(ConfigError, match="not finite"):
        replace(problem, mu=np.array([1.0, np.nan, 0.0]))
    with pytest.raises(ConfigError, match="crossed bounds"):
        replace(problem, lower=np.full(3, 0.3))
    with pytest.raises(ConfigError, match="shapes"):
        replace(problem, cost=np.zeros(2))
    with pytest.raises(ConfigError, match="negative"):
        replace(problem, caps=Caps(gross=-1.0))
