"""The fast solver of the allocation problem: its conic form built once per shape, re-solved with new numbers.

Variables x = (w, u, t) with u >= |w| and t >= |w - w0|; every cap is then linear but the risk, a second-order cone. The
interior-point method is Clarabel's (Goulart and Chen 2024), fed directly: no modelling layer between two solves. The
specification that it must agree with is `benchmarks.decision.allocator`; no relaxation and no policy belongs here.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lotus.decision.allocation.problem import BPS, RELATIVE, Floats, Problem, Solution, bindings_of

SOLVER_VERSION: Final = "clarabel-conic-1"
MARGIN: Final = 1e-9  # caps are met with this to spare, so that rounding does not break them
TOLERANCE: Final = 1e-10


@dataclass(frozen=True, slots=True)
class Shape:
    """What the pattern of the matrices depends on."""

    coins: int
    sectors: int
    factors: int


class FastSolver:
    """Solves problems of any shape, keeping the pattern and its elimination order for each shape it has met.

    The answer of a problem does not depend on what was solved before, not in the last bit.
    """

    def __init__(self) -> None:
        """Start with no pattern."""
        self._kept: dict[Shape, _Compiled] = {}

    def solve(self, problem: Problem) -> Solution:
        """Return the best weights and the caps that bind; no weights when the caps cannot be met together."""
        shape = Shape(len(problem.coins), len(problem.caps.sectors), len(problem.caps.factors))
        if shape not in self._kept:
            self._kept[shape] = _Compiled(shape)
        return self._kept[shape].solve(problem)


def root_of(sigma: Floats) -> Floats:
    """Return L with L L' = sigma, f8 [n, n], in weights' bps; a deviation of rounding is lifted off zero."""
    scale = float(np.trace(sigma)) / len(sigma)
    root: Floats = np.linalg.cholesky(sigma + np.eye(len(sigma)) * max(scale * 1e-12, 1e-18)).astype(np.float64)
    return root


def tidy(problem: Problem, w: Floats) -> Floats:
    """Return `w` without the dust of an interior point: within its bounds, and unmoved where the move is nothing."""
    w = np.round(w, 12)
    held = np.where(np.abs(w - problem.w0) < RELATIVE, problem.w0, w)
    clean = np.clip(np.where(np.abs(held) < RELATIVE, 0.0, held), problem.lower, problem.upper)
    return clean if problem.allows(clean) else np.clip(w, problem.lower, problem.upper)


class _Compiled:
    """One shape: the sparse pattern of P and A in column order, and the solver that keeps their ordering."""

    def __init__(self, shape: Shape) -> None:
        n, self.shape = shape.coins, shape
        self._rows = 6 * n + 5 + shape.sectors + 2 * shape.factors
        self._fixed = _fixed_rows(shape, self._rows)
        pattern = self._matrix(np.ones((shape.sectors, n)), np.ones((shape.factors, n)), np.ones(n), np.ones((n, n)))
        self._a = sparse.csc_matrix(pattern)
        self._where: NDArray[np.intp] = np.flatnonzero(pattern.T != 0.0)
        self._upper = np.triu_indices(n)
        quadratic = np.zeros((3 * n, 3 * n))
        quadratic[self._upper] = 1.0
        self._p = sparse.csc_matrix(quadratic)
        self._p_where: NDArray[np.intp] = np.flatnonzero(quadratic.T != 0.0)
        self._solver: Any = None

    def solve(self, problem: Problem) -> Solution:
        n, unit = self.shape.coins, _unit_of(problem)
        if unit.weight == 0.0:
            return Solution(np.zeros(n), detail="no coin may move")
        p = np.zeros((3 * n, 3 * n))
        hessian = 2.0 * (problem.risk_aversion * problem.sigma / BPS + problem.inertia_bps * np.eye(n))
        p[self._upper] = hessian[self._upper] * (unit.weight**2 / unit.objective)
        q = np.concatenate([-(problem.mu + 2.0 * problem.inertia_bps * problem.w0), np.zeros(n), problem.cost])
        a = self._matrix(
            np.array([row for _, row, _ in problem.caps.sectors]).reshape(-1, n),
            np.array([row for _, row, _ in problem.caps.factors]).reshape(-1, n),
            problem.margin,
            root_of(problem.sigma) / (BPS * unit.risk),
        )
        b = self._limits(problem, unit)
        solution = self._run(
            p.T.ravel()[self._p_where], q * (unit.weight / unit.objective), a.T.ravel()[self._where], b
        )
        status = str(solution.status)
        w = np.array(solution.x[:n]) * unit.weight
        if status not in ("Solved", "AlmostSolved") or not np.isfinite(w).all():
            return Solution(None, detail=status)
        w = tidy(problem, w)
        if not problem.allows(w):
            return Solution(None, detail=f"{status}, outside its caps")
        prices = self._prices(np.array(solution.z), unit)
        return Solution(w, bindings_of(self._names(problem), prices), status)

    def _run(self, p: Floats, q: Floats, a: Floats, b: Floats) -> Any:
        """Solve with new numbers in the old pattern."""
        if self._solver is None:
            self._p.data, self._a.data = p.copy(), a.copy()
            self._solver = _new_solver(self._p, q, self._a, b, self._rows, self.shape.coins)
        else:
            self._solver.update(P=p, q=q, A=a, b=b)
        return self._solver.solve()

    def _matrix(self, sectors: Floats, factors: Floats, margin: Floats, root: Floats) -> Floats:
        """Return A f8 [rows, 3n] of A x + s = b: the linear rows, then the cone of the risk."""
        n, shape, a = self.shape.coins, self.shape, self._fixed.copy()
        first = 6 * n + 5
        a[6 * n + 1, n : 2 * n] = margin
        a[first : first + shape.sectors, n : 2 * n] = sectors
        first += shape.sectors
        a[first : first + shape.factors, :n] = factors
        a[first + shape.factors : self._rows, :n] = -factors
        a[-n:, :n] = -np.triu(root.T)
        return a

    def _limits(self, problem: Problem, unit: "_Unit") -> Floats:
        """Return b f8 [rows + 1 + n]; a cap beyond what the bounds allow anyway is brought near them."""
        n, c, most = self.shape.coins, problem.caps, np.maximum(np.abs(problem.lower), np.abs(problem.upper))
        moves = float((most + np.abs(problem.w0)).sum())
        gross = float(most.sum())
        factor = [min(cap, 2.0 * float(np.abs(row) @ most) + unit.weight) for _, row, cap in c.factors]
        sums = [min(c.gross, 2.0 * gross), min(c.margin_share, 2.0 * float(problem.margin @ most) + unit.weight)]
        sums += [min(c.turnover, 2.0 * moves), min(c.net, 2.0 * gross), min(c.net, 2.0 * gross)]
        sectors = [min(cap, 2.0 * float(np.asarray(row) @ most) + unit.weight) for _, row, cap in c.sectors]
        sums += [*sectors, *factor, *factor]
        spare = [max(cap - MARGIN, cap * (1.0 - MARGIN)) for cap in sums]
        largest = 2.0 * float(np.sqrt(np.diag(problem.sigma)) @ most)
        cone = [min(c.risk_bps, largest) / (BPS * unit.risk) * (1.0 - MARGIN), *np.zeros(n)]
        moved = [np.zeros(2 * n), problem.w0, -problem.w0, problem.upper, -problem.lower]
        return np.concatenate([*moved, spare, cone]) / unit.weight

    def _names(self, problem: Problem) -> list[str]:
        bounds = problem.bound_names or tuple(f"asset:{coin}" for coin in problem.coins)
        factors = [f"factor:{name}" for name, *_ in problem.caps.factors]
        sectors = [f"sector:{name}" for name, *_ in problem.caps.sectors]
        return [*bounds, "gross", "leverage", "turnover", "net", "net", *sectors, *factors, *factors, "risk"]

    def _prices(self, z: Floats, unit: "_Unit") -> list[float]:
        n = self.shape.coins
        bounds = np.abs(z[4 * n : 5 * n] - z[5 * n : 6 * n])  # of a coin that is pinned, both sides pull
        sums = z[6 * n : self._rows + 1]
        sums[-1] /= unit.risk
        return [float(x) * unit.objective / unit.weight for x in (*bounds, *sums)]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What counts as one, so that every problem looks alike to the solver: a weight, bps of objective, a deviation."""

    weight: float
    objective: float
    risk: float


def _unit_of(problem: Problem) -> _Unit:
    largest = [float(np.abs(x).max()) for x in (problem.lower, problem.upper, problem.w0)]
    pull = float(np.abs(problem.mu).max()) + float(problem.cost.max())
    deviation = math.sqrt(float(np.trace(problem.sigma)) / len(problem.coins)) / BPS
    weight = max(largest)
    curve = (problem.risk_aversion * deviation**2 * BPS + problem.inertia_bps) * weight
    return _Unit(weight, max(pull + curve, 1e-12) * weight, max(deviation, 1e-12))


def _fixed_rows(shape: Shape, rows: int) -> Floats:
    """Return the part of A that no number enters: |w|, |w - w0|, bounds, and the sums of u, t and w."""
    n, eye = shape.coins, np.eye(shape.coins)
    none, one, flat = np.zeros((n, n)), np.ones((1, n)), np.zeros((1, n))
    signs = [[eye, -eye, none], [-eye, -eye, none], [eye, none, -eye], [-eye, none, -eye], [eye, none, none]]
    sums = [[flat, one, flat], [flat, flat, flat], [flat, flat, one], [one, flat, flat], [-one, flat, flat]]
    fixed: Floats = np.zeros((rows + 1 + n, 3 * n))
    fixed[: 6 * n + 5] = np.block([*signs, [-eye, none, none], *sums])
    return fixed


def _new_solver(p: Any, q: Floats, a: Any, b: Floats, rows: int, coins: int) -> Any:
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose, settings.presolve_enable, settings.max_threads = False, False, 1
    settings.direct_solve_method = "qdldl"
    settings.equilibrate_enable = False  # its scales would be those of the first problem: the past would show in bits
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOLERANCE
    cones = [clarabel.NonnegativeConeT(rows), clarabel.SecondOrderConeT(coins + 1)]
    return clarabel.DefaultSolver(p, q, a, b, cones, settings)
