"""The fast solver against the CVXPY specification, against hand-solved cases, and the laws that both must keep."""

from dataclasses import replace

import numpy as np
import pytest
from allocation_problems import SEEDS, some_problem
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from benchmarks.decision.allocator import SpecificationSolver
from lotus.decision.allocation.problem import Caps, Floats, Problem
from lotus.decision.allocation.solver import FastSolver

FAST, SPECIFICATION = FastSolver(), SpecificationSolver()
WEIGHT_TOLERANCE, OBJECTIVE_TOLERANCE_BPS = 1e-5, 1e-6


def weights(problem: Problem) -> Floats:
    """The fast solver's answer, which must exist."""
    found = FAST.solve(problem).weights
    assert found is not None
    return found


def array(x: float) -> Floats:
    """One number as a vector."""
    return np.array([x])


def one_coin(mu: float, w0: float) -> Problem:
    """One coin without caps, deviation 100 bps, cost 3 bps, inertia 2 bps."""
    variance, cost, inertia = 100.0**2, 3.0, 2.0
    return Problem(
        coins=("BTC",), mu=array(mu), sigma=np.array([[variance]]), w0=array(w0), cost=array(cost), risk_aversion=2.0,
        inertia_bps=inertia, lower=array(-10.0), upper=array(10.0), margin=array(0.1), caps=Caps(),
    )  # fmt: skip


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS, st.sampled_from([2, 3, 5, 20]), st.booleans())
def test_the_fast_solver_agrees_with_the_specification(seed: int, n: int, tight: bool) -> None:
    problem = some_problem(seed, n, tight=tight)
    fast, spec = FAST.solve(problem), SPECIFICATION.solve(problem)
    assert (fast.weights is None) == (spec.weights is None)
    if fast.weights is not None and spec.weights is not None:
        gap = problem.objective_bps(fast.weights) - problem.objective_bps(spec.weights)
        assert abs(gap) < OBJECTIVE_TOLERANCE_BPS
        assert np.abs(fast.weights - spec.weights).max() < WEIGHT_TOLERANCE


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS, st.sampled_from([2, 5, 20]))
def test_no_weights_nearby_are_better(seed: int, n: int) -> None:
    """Independent of any solver: the answer beats every allowed book on random lines through it."""
    problem = some_problem(seed, n)
    found, rng = FAST.solve(problem).weights, np.random.default_rng(seed)
    if found is None:
        return
    best = problem.objective_bps(found)
    for scale in (1e-4, 1e-3, 1e-2, 1e-1):
        for _ in range(20):
            other = np.clip(found + rng.normal(size=n) * scale, problem.lower, problem.upper)
            for share in (1.0, 0.5, 0.1):
                tried = found + share * (other - found)
                if max(problem.excess(tried).values()) <= 0.0:
                    assert problem.objective_bps(tried) <= best + OBJECTIVE_TOLERANCE_BPS


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 5, 20]))
def test_a_flat_book_without_edge_does_not_trade(seed: int, n: int) -> None:
    problem = some_problem(seed, n, held=0.0)
    flat = replace(problem, mu=np.zeros(n), w0=np.zeros(n))
    assert not weights(flat).any()


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 5, 20]))
def test_an_edge_below_its_cost_does_not_trade(seed: int, n: int) -> None:
    problem = some_problem(seed, n)
    signs = np.sign(problem.mu)
    assert not weights(replace(problem, mu=0.99 * problem.cost * signs, w0=np.zeros(n))).any()


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS, st.sampled_from([1, 2, 5, 20]))
def test_turning_every_sign_turns_the_book(seed: int, n: int) -> None:
    problem = some_problem(seed, n)
    found = FAST.solve(problem).weights
    turned = FAST.solve(replace(problem, mu=-problem.mu, w0=-problem.w0)).weights
    assert (found is None) == (turned is None)
    if found is not None and turned is not None:
        assert np.abs(found + turned).max() < WEIGHT_TOLERANCE


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS, st.sampled_from([2, 5, 20]))
def test_the_order_of_coins_does_not_matter(seed: int, n: int) -> None:
    problem, order = some_problem(seed, n), np.random.default_rng(seed).permutation(n)
    caps = replace(
        problem.caps,
        sectors=tuple((name, tuple(np.asarray(row)[order]), cap) for name, row, cap in problem.caps.sectors),
        factors=tuple((name, tuple(np.asarray(row)[order]), cap) for name, row, cap in problem.caps.factors),
    )
    names = ("mu", "w0", "cost", "lower", "upper", "margin")
    mixed = replace(
        problem, coins=tuple(problem.coins[i] for i in order), sigma=problem.sigma[np.ix_(order, order)], caps=caps,
        **{name: getattr(problem, name)[order] for name in names},
    )  # fmt: skip
    found, again = FAST.solve(problem).weights, FAST.solve(mixed).weights
    assert (found is None) == (again is None)
    if found is not None and again is not None:
        assert np.abs(found[order] - again).max() < WEIGHT_TOLERANCE


def test_an_answer_does_not_depend_on_what_was_solved_before() -> None:
    used = FastSolver()
    for seed in range(5):
        used.solve(some_problem(seed, 5))
    fresh, again = FastSolver().solve(some_problem(9, 5)), used.solve(some_problem(9, 5))
    assert fresh.weights is not None
    assert again.weights is not None
    assert (fresh.weights == again.weights).all()
    assert fresh.bindings == again.bindings


@pytest.mark.parametrize("solver", [FAST, SPECIFICATION], ids=["fast", "specification"])
@pytest.mark.parametrize(
    ("mu", "w0"),
    [(50.0, 0.0), (-50.0, 0.0), (50.0, 0.05), (2.9, 0.0), (10.0, 0.5), (0.0, 0.5), (0.0, -0.5), (4.0, 0.01)],
)
def test_one_coin_in_closed_form(solver: FastSolver | SpecificationSolver, mu: float, w0: float) -> None:
    """Soft threshold: w = (mu - c s + 2 gamma w0) / (2 lambda v + 2 gamma), s the way of the trade, else w0."""
    lam_v, gamma, cost = 2.0 * 100.0**2 / 1e4, 2.0, 3.0
    pull = mu - 2.0 * lam_v * w0  # the marginal worth of w at w0
    expected = w0 if abs(pull) <= cost else w0 + (pull - np.sign(pull) * cost) / (2.0 * lam_v + 2.0 * gamma)
    found = solver.solve(one_coin(mu, w0)).weights
    assert found is not None
    assert found[0] == pytest.approx(expected, abs=1e-7)
    if abs(pull) <= cost:
        assert found[0] == w0


def test_the_price_of_a_cap_is_what_more_of_it_is_worth() -> None:
    problem = replace(some_problem(3, 5), caps=Caps(turnover=0.2))
    found, more = FAST.solve(problem), weights(replace(problem, caps=Caps(turnover=0.201)))
    assert found.weights is not None
    prices = {b.name: b.price_bps for b in found.bindings}
    gain = problem.objective_bps(more) - problem.objective_bps(found.weights)
    assert gain / 0.001 == pytest.approx(prices["turnover"], rel=0.05)


def test_both_solvers_name_the_same_prices() -> None:
    for seed in range(5):
        problem = some_problem(seed, 5)
        fast = {b.name: b.price_bps for b in FAST.solve(problem).bindings if b.price_bps > 0.01}
        spec = {b.name: b.price_bps for b in SPECIFICATION.solve(problem).bindings if b.price_bps > 0.01}
        assert fast == pytest.approx(spec, rel=1e-3, abs=1e-3)
