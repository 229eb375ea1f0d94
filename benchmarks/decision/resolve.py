"""Time to re-solve an allocation: the fast solver, beside CVXPY with parameters compiled once, in the same run.

`python -m benchmarks.decision.resolve --assets 20 --json` solves the same chain of problems with both, in turn: edge
and positions move a little from one to the next, all caps are in force. Wall time and CPU time
per solve (a shared machine shows in the first alone), compile apart; nothing is asserted.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.decision.allocator import SpecificationSolver
from lotus.decision.allocation.problem import Caps, Problem, Solution
from lotus.decision.allocation.solver import FastSolver

TARGET_MS = 3.0  # of the fast solver with 20 assets


def chain(assets: int, solves: int, seed: int) -> list[Problem]:
    """Return problems of one shape whose edges and positions wander."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(assets, 3)) * 20.0
    half = tuple(float(i < assets // 2) for i in range(assets))
    caps = Caps(
        gross=1.0, net=0.3, margin_share=0.3, turnover=0.5, risk_bps=30.0,
        sectors=(("first", half, 0.6), ("second", tuple(1.0 - x for x in half), 0.6)),
        factors=(("market", tuple(rng.normal(1.0, 0.2, assets)), 0.2),),
    )  # fmt: skip
    problem = Problem(
        coins=tuple(f"C{i:03d}" for i in range(assets)), mu=rng.normal(size=assets) * 10.0,
        sigma=factors @ factors.T + np.diag(rng.uniform(50.0, 400.0, assets)), w0=rng.normal(size=assets) * 0.01,
        cost=rng.uniform(1.0, 4.0, assets), risk_aversion=2.0, inertia_bps=5.0, lower=np.full(assets, -0.1),
        upper=np.full(assets, 0.1), margin=np.full(assets, 0.1), caps=caps,
    )  # fmt: skip
    found = [problem]
    for _ in range(solves - 1):
        mu = 0.9 * problem.mu + rng.normal(size=assets) * 4.0
        w0 = np.clip(0.9 * problem.w0 + rng.normal(size=assets) * 0.003, -0.1, 0.1)
        problem = replace(problem, mu=mu, w0=w0)
        found.append(problem)
    return found


def timed(solve: Callable[[Problem], Solution], problem: Problem) -> tuple[float, float, Solution]:
    """Return milliseconds on the wall and of this process, and the answer."""
    began, worked = time.perf_counter(), time.process_time()
    found = solve(problem)
    return (time.perf_counter() - began) * 1e3, (time.process_time() - worked) * 1e3, found


def measure(assets: int, solves: int, seed: int) -> dict[str, Any]:
    """Return p50 and p99 of both solvers and how far their answers lie apart."""
    problems = chain(assets, solves, seed)
    fast, spec = FastSolver(), SpecificationSolver()
    compile_fast, _, _ = timed(fast.solve, problems[0])
    compile_spec, _, _ = timed(spec.solve, problems[0])
    times: list[tuple[float, float, float, float]] = []
    apart, gap, unsolved = 0.0, 0.0, 0
    for problem in problems:
        took, worked, found = timed(fast.solve, problem)
        took_spec, worked_spec, wanted = timed(spec.solve, problem)
        times.append((took, took_spec, worked, worked_spec))
        if found.weights is None or wanted.weights is None:
            unsolved += 1
            continue
        apart = max(apart, float(np.abs(found.weights - wanted.weights).max()))
        gap = max(gap, abs(problem.objective_bps(found.weights) - problem.objective_bps(wanted.weights)))
    percentiles = np.percentile(np.array(times), [50, 99], axis=0)
    return {
        "assets": assets,
        "solves": solves,
        "fast_p50_ms": round(float(percentiles[0, 0]), 3),
        "fast_p99_ms": round(float(percentiles[1, 0]), 3),
        "cvxpy_p50_ms": round(float(percentiles[0, 1]), 3),
        "cvxpy_p99_ms": round(float(percentiles[1, 1]), 3),
        "ratio_p50": round(float(percentiles[0, 0] / percentiles[0, 1]), 3),
        "fast_cpu_p50_ms": round(float(percentiles[0, 2]), 3),
        "fast_cpu_p99_ms": round(float(percentiles[1, 2]), 3),
        "cvxpy_cpu_p50_ms": round(float(percentiles[0, 3]), 3),
        "cvxpy_cpu_p99_ms": round(float(percentiles[1, 3]), 3),
        "target_ms": TARGET_MS,
        "fast_first_ms": round(compile_fast, 3),
        "cvxpy_first_ms": round(compile_spec, 3),
        "largest_weight_apart": float(f"{apart:.2g}"),
        "largest_objective_gap_bps": float(f"{gap:.2g}"),
        "unsolved": unsolved,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=20)
    parser.add_argument("--solves", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    given = parser.parse_args()
    found = measure(given.assets, given.solves, given.seed)
    print(json.dumps(found) if given.json else "\n".join(f"{name:28} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
