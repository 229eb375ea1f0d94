"""The allocation problem as a specification: the same lines as on paper, in CVXPY, compiled once and re-solved.

Every number is a parameter in the form that disciplined parametrised programming allows (Agrawal et al. 2019), so that
only the first solve of a shape is slow. `solver` is what runs; this is what it is checked against.
"""

from typing import Any

import numpy as np

from lotus.decision.allocation.problem import BPS, Problem, Solution, bindings_of
from lotus.decision.allocation.solver import Shape, root_of, tidy


class SpecificationSolver:
    """Solves problems of one shape after another as CVXPY states them; keeps what it has compiled."""

    def __init__(self) -> None:
        """Start with nothing compiled."""
        self._kept: dict[Shape, _Compiled] = {}

    def solve(self, problem: Problem) -> Solution:
        """Return the best weights and the caps that bind; no weights when the caps cannot be met together."""
        shape = Shape(len(problem.coins), len(problem.caps.sectors), len(problem.caps.factors))
        if shape not in self._kept:
            self._kept[shape] = _Compiled(shape)
        return self._kept[shape].solve(problem)


class _Compiled:
    """One shape: parameters, variables and the compiled problem."""

    def __init__(self, shape: Shape) -> None:
        import cvxpy as cp

        n, self.w = shape.coins, cp.Variable(shape.coins)
        vectors = {name: cp.Parameter(n) for name in ("mu", "w0", "lower", "upper")}
        vectors |= {name: cp.Parameter(n, nonneg=True) for name in ("cost", "margin")}
        scalars = ("gross", "net", "margin_share", "turnover", "risk", "root_inertia")
        self.p: dict[str, Any] = vectors | {name: cp.Parameter(nonneg=True) for name in scalars}
        self.p["root"], self.p["root_risk"] = cp.Parameter((n, n)), cp.Parameter((n, n))
        p, w = self.p, self.w
        size, moved = cp.abs(w), cp.Variable(n)
        spent = cp.sum_squares(p["root_risk"] @ w) + cp.sum_squares(p["root_inertia"] * moved)
        spent += p["cost"] @ cp.abs(moved)
        self.named: list[tuple[str, Any]] = [
            ("upper", w <= p["upper"]),
            ("lower", w >= p["lower"]),
            ("gross", cp.sum(size) <= p["gross"]),
            ("leverage", p["margin"] @ size <= p["margin_share"]),
            ("turnover", cp.norm1(moved) <= p["turnover"]),
            ("net", cp.abs(cp.sum(w)) <= p["net"]),
            ("risk", cp.norm2(p["root"] @ w) <= p["risk"]),
        ]
        if shape.sectors:
            p["sectors"], p["sector_caps"] = cp.Parameter((shape.sectors, n), nonneg=True), cp.Parameter(shape.sectors)
            self.named.append(("sector", p["sectors"] @ size <= p["sector_caps"]))
        if shape.factors:
            p["factors"], p["factor_caps"] = cp.Parameter((shape.factors, n)), cp.Parameter(shape.factors)
            self.named.append(("factor", cp.abs(p["factors"] @ w) <= p["factor_caps"]))
        limits = [moved == w - p["w0"], *(limit for _, limit in self.named)]
        self.problem = cp.Problem(cp.Maximize(p["mu"] @ w - spent), limits)

    def solve(self, problem: Problem) -> Solution:
        import cvxpy as cp

        self._fill(problem)
        tight = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-10)
        self.problem.solve(solver=cp.CLARABEL, **tight)
        status = str(self.problem.status)
        if status not in ("optimal", "optimal_inaccurate") or self.w.value is None:
            return Solution(None, detail=status)
        return Solution(tidy(problem, np.array(self.w.value)), bindings_of(*self._prices(problem)), status)

    def _fill(self, problem: Problem) -> None:
        c, root = problem.caps, root_of(problem.sigma).T / BPS
        values: dict[str, Any] = {name: getattr(problem, name) for name in ("mu", "w0", "lower", "upper")}
        values |= {"cost": problem.cost, "margin": problem.margin, "root": root}
        values |= {"root_risk": root * np.sqrt(problem.risk_aversion * BPS)}
        values |= {"gross": c.gross, "net": c.net, "margin_share": c.margin_share, "turnover": c.turnover}
        values |= {"risk": c.risk_bps / BPS, "root_inertia": np.sqrt(problem.inertia_bps)}
        for kind, rows in (("sector", c.sectors), ("factor", c.factors)):
            if rows:
                values[f"{kind}s"] = np.array([row for _, row, _ in rows])
                values[f"{kind}_caps"] = np.array([cap for *_, cap in rows])
        for name, value in values.items():
            self.p[name].value = value

    def _prices(self, problem: Problem) -> tuple[list[str], list[float]]:
        duals = {kind: np.atleast_1d(limit.dual_value) for kind, limit in self.named}
        names = list(problem.bound_names or (f"asset:{coin}" for coin in problem.coins))
        prices = [float(x) for x in np.abs(duals.pop("upper") - duals.pop("lower"))]
        members = {"sector": problem.caps.sectors, "factor": problem.caps.factors}
        for kind, dual in duals.items():
            names += [f"{kind}:{name}" for name, *_ in members[kind]] if kind in members else [kind]
            prices += [float(x) for x in dual]
        return names, prices
