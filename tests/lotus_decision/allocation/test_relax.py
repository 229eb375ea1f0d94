"""Relaxations: their order, what is told of them, and that a book is never emptied in silence."""

from dataclasses import replace

import numpy as np
import pytest
from allocation_problems import SEEDS, some_problem, wild_problem
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.decision.allocation.problem import RELATIVE, Caps, Problem, Solution
from lotus.decision.allocation.relax import ORDER, allocate
from lotus.decision.allocation.solver import FastSolver

FAST = FastSolver()


def outside(seed: int, n: int, held: float) -> Problem:
    """A book that may stand outside its caps, with little turnover left."""
    problem = some_problem(seed, n, held=held * n)
    return replace(problem, caps=replace(problem.caps, turnover=0.05))


def test_a_book_within_its_caps_needs_no_relaxation() -> None:
    found = allocate(some_problem(5, 5), FAST.solve, 1.0)
    assert (found.status, found.relaxations) == ("optimal", ())


@settings(max_examples=examples(80), deadline=None)
@given(SEEDS, st.sampled_from([2, 5, 20]), st.floats(0.05, 1.0))
def test_some_book_is_always_found_and_the_hard_caps_hold(seed: int, n: int, held: float) -> None:
    problem = outside(seed, n, held)
    found = allocate(problem, FAST.solve, 0.2)
    assert found.status in ("optimal", "relaxed")
    steps = [r.step for r in found.relaxations]
    assert steps == sorted(steps, key=ORDER.index)
    excess = problem.excess(found.weights)
    loosened = {r.cap for r in found.relaxations}
    assert all(value <= RELATIVE for name, value in excess.items() if name not in loosened)
    assert all(r.became > r.was for r in found.relaxations)


@settings(max_examples=examples(200), deadline=None)
@given(SEEDS)
def test_no_scale_makes_the_solver_fail(seed: int) -> None:
    problem = wild_problem(seed)
    found = allocate(problem, FAST.solve, 0.5)
    assert found.status != "held", found.detail
    loosened = {r.cap for r in found.relaxations}
    assert all(value <= RELATIVE for name, value in problem.excess(found.weights).items() if name not in loosened)


@settings(max_examples=examples(40), deadline=None)
@given(SEEDS, st.floats(0.05, 1.0))
def test_no_step_is_taken_that_was_not_needed(seed: int, held: float) -> None:
    """Undoing the last step that was taken leaves caps that cannot be met."""
    problem = outside(seed, 5, held)
    found = allocate(problem, FAST.solve, 0.2)
    if found.status == "relaxed":
        last = found.relaxations[-1].step
        caps = problem.caps
        for r in found.relaxations:
            kind, _, name = r.cap.partition(":")
            if r.step == last:
                continue
            if kind == "turnover":
                caps = replace(caps, turnover=r.became)
            else:
                rows = getattr(caps, f"{kind}s")
                caps = replace(caps, **{f"{kind}s": tuple((m, x, r.became if m == name else c) for m, x, c in rows)})
        assert FAST.solve(replace(problem, caps=caps)).weights is None


def test_the_steps_are_told_with_their_numbers() -> None:
    problem = replace(
        some_problem(1, 2, tight=False), w0=np.array([1.0, 0.0]), lower=np.full(2, -0.2), upper=np.full(2, 0.2),
        caps=Caps(turnover=0.1),
    )  # fmt: skip
    little = allocate(problem, FAST.solve, 0.9).relaxations
    assert [(r.step, r.cap, r.was, r.became) for r in little] == [("turnover", "turnover", 0.1, 0.9)]
    much = allocate(problem, FAST.solve, 0.3).relaxations
    assert [(r.step, r.was) for r in much] == [("turnover", 0.1), ("turnover_lifted", 0.3)]


def test_without_turnover_a_book_within_its_caps_stands_still() -> None:
    problem = some_problem(2, 5)
    found = allocate(replace(problem, caps=replace(problem.caps, turnover=0.0)), FAST.solve, 1.0)
    assert (found.weights == problem.w0).all()
    assert found.status == "optimal"
    assert [b.name for b in found.bindings] == ["turnover"]


def test_a_solver_that_fails_holds_the_book_and_says_so() -> None:
    problem = some_problem(2, 5)
    found = allocate(problem, lambda _: Solution(None, detail="NumericalError"), 1.0)
    assert found.status == "held"
    assert (found.weights == problem.w0).all()
    assert "NumericalError" in found.detail


@settings(max_examples=examples(60), deadline=None)
@given(SEEDS, st.sampled_from([1, 5, 20]))
def test_a_flat_book_grows_to_at_most_a_quarter_of_kelly(seed: int, n: int) -> None:
    """At lambda = 2: w'Sigma w <= mu'w / (2 lambda), for w = 0 is allowed and every share of w with it."""
    problem = replace(some_problem(seed, n), w0=np.zeros(n))
    assert allocate(problem, FAST.solve, 2.0).kelly_fraction <= 0.25 + 1e-6


def test_the_sums_of_an_allocation_are_those_of_its_weights() -> None:
    problem = some_problem(4, 5)
    found = allocate(problem, FAST.solve, 2.0)
    assert found.expected_bps == pytest.approx(float(problem.mu @ found.weights))
    assert found.risk_bps**2 == pytest.approx(float(found.weights @ problem.sigma @ found.weights))
    risk = problem.risk_aversion * found.risk_bps**2 / 1e4
    assert found.objective_bps == pytest.approx(found.expected_bps - found.cost_bps - risk)
