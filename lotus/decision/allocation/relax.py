"""What happens when the caps cannot all be met: relaxations in one fixed order, each reported; never a silent zero.

The positions of a day can stand outside the caps of the next minute: a price moved, a cap was lowered, a coin was
vetoed. A flat book meets every cap but the turnover, so that one relaxation too many always ends. In order:

1. `turnover`: the cap is raised to the policy's `turnover_relaxed`;
2. `factor`: each factor cap is widened to the exposure that is held now, where that is more;
3. `sector`: likewise each sector cap;
4. `turnover_lifted`: the hard caps outrank the turnover, which is no longer capped.

When even that fails the solver has failed, not the problem: the book is held as it is and the reason stands in the
result. In the literature: lexicographic relaxation of soft constraints.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from typing import Literal as OneOf

import numpy as np

from lotus.decision.allocation.problem import RELATIVE, UNBOUNDED, Binding, Caps, Floats, Problem, Solution

ORDER: Final = ("turnover", "factor", "sector", "turnover_lifted")
WIDER: Final = 1e-6  # a cap widened to what is held leaves this to spare
Status = OneOf["optimal", "relaxed", "held"]
Solve = Callable[[Problem], Solution]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One cap that gave way: which step of the order, which cap, from what to what (weights)."""

    step: str
    cap: str
    was: float
    became: float


@dataclass(frozen=True, slots=True)
class Allocation:
    """The weights of a problem f8 [n], how they were reached, and what they promise, all in bps of equity.

    `expected_bps` is mu'w, `cost_bps` what the trades cost in c and gamma, `risk_bps` the book's deviation;
    `kelly_fraction` is w'Sigma w / (mu'w 10^4), the part of the growth-optimal size along this book, 0 when flat.
    """

    coins: tuple[str, ...]
    weights: Floats
    status: Status
    relaxations: tuple[Relaxation, ...]
    bindings: tuple[Binding, ...]
    objective_bps: float
    expected_bps: float
    cost_bps: float
    risk_bps: float
    turnover: float
    kelly_fraction: float
    detail: str = ""


def allocate(problem: Problem, solve: Solve, turnover_relaxed: float) -> Allocation:
    """Solve a problem, relaxing caps in `ORDER` as far as needed; `turnover_relaxed` in weights."""
    if problem.caps.turnover <= RELATIVE and problem.allows(problem.w0):
        return _allocation(
            problem, problem.w0, (), Solution(problem.w0, (Binding("turnover", 0.0),), "no turnover is left")
        )
    solution = solve(problem)
    details, done = [solution.detail], tuple[Relaxation, ...]()
    for step in _steps(problem, turnover_relaxed):
        if solution.weights is not None:
            break
        problem, changes = step(problem)
        done += changes
        if changes:
            solution = solve(problem)
            details.append(solution.detail)
    if solution.weights is None:
        held = Solution(problem.w0, (), f"the solver failed: {', '.join(details)}")
        return replace(_allocation(problem, problem.w0, done, held), status="held")
    return _allocation(problem, solution.weights, done, solution)


Step = Callable[[Problem], tuple[Problem, tuple[Relaxation, ...]]]


def _steps(problem: Problem, turnover_relaxed: float) -> Iterator[Step]:
    size, w0 = np.abs(problem.w0), problem.w0

    def turnover(p: Problem) -> tuple[Problem, tuple[Relaxation, ...]]:
        return _turnover(p, max(turnover_relaxed, p.caps.turnover), "turnover")

    def factor(p: Problem) -> tuple[Problem, tuple[Relaxation, ...]]:
        wide, relaxed = _widened("factor", p.caps.factors, lambda row: abs(float(row @ w0)))
        return _with(p, replace(p.caps, factors=wide)), relaxed

    def sector(p: Problem) -> tuple[Problem, tuple[Relaxation, ...]]:
        wide, relaxed = _widened("sector", p.caps.sectors, lambda row: float(row @ size))
        return _with(p, replace(p.caps, sectors=wide)), relaxed

    def lifted(p: Problem) -> tuple[Problem, tuple[Relaxation, ...]]:
        return _turnover(p, UNBOUNDED, "turnover_lifted")

    yield from (turnover, factor, sector, lifted)


def _turnover(problem: Problem, to: float, step: str) -> tuple[Problem, tuple[Relaxation, ...]]:
    was = problem.caps.turnover
    if to <= was:
        return problem, ()
    return _with(problem, replace(problem.caps, turnover=to)), (Relaxation(step, "turnover", was, to),)


Rows = tuple[tuple[str, tuple[float, ...], float], ...]


def _widened(step: str, rows: Rows, held: Callable[[Floats], float]) -> tuple[Rows, tuple[Relaxation, ...]]:
    wide = tuple((name, row, max(cap, held(np.asarray(row)) + WIDER)) for name, row, cap in rows)
    pairs = zip(rows, wide, strict=True)
    relaxed = tuple(Relaxation(step, f"{step}:{name}", was, new) for (name, _, was), (_, _, new) in pairs if new > was)
    return (wide if relaxed else rows), relaxed


def _with(problem: Problem, caps: Caps) -> Problem:
    return replace(problem, caps=caps)


def _allocation(problem: Problem, w: Floats, done: tuple[Relaxation, ...], solution: Solution) -> Allocation:
    moved = w - problem.w0
    variance, expected = float(w @ problem.sigma @ w), float(problem.mu @ w)
    return Allocation(
        coins=problem.coins,
        weights=w,
        status="relaxed" if done else "optimal",
        relaxations=done,
        bindings=solution.bindings,
        objective_bps=problem.objective_bps(w),
        expected_bps=expected,
        cost_bps=float(problem.cost @ np.abs(moved)) + problem.inertia_bps * float(moved @ moved),
        risk_bps=float(np.sqrt(max(variance, 0.0))),
        turnover=float(np.abs(moved).sum()),
        kelly_fraction=variance / (expected * 1e4) if expected > 0.0 else 0.0,
        detail=solution.detail,
    )
