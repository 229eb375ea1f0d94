"""What PyPortfolioOpt 1.6.0 (OSQP) answered on covariances of the real recordings.

`data/pyportfolioopt.json` was written by `python -m benchmarks.decision.peers --data FOLDER --record FILE`; it names
the versions, and each row its recording. Edges, positions and costs are assumed.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.decision.allocator import SpecificationSolver
from lotus.decision.allocation.problem import Caps, Problem
from lotus.decision.allocation.solver import FastSolver

KNOWN = json.loads((Path(__file__).parents[1] / "data" / "pyportfolioopt.json").read_text("utf-8"))
SOLVERS = {"fast": FastSolver(), "specification": SpecificationSolver()}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("row", KNOWN["rows"], ids=lambda r: f"{r['capture'][12:22]}, {r['case']}")
def test_the_weights_are_those_of_another_library(row: dict[str, Any], solver: str) -> None:
    n = len(KNOWN["coins"])
    first_two = tuple(float(k < 2) for k in range(n))
    problem = Problem(
        coins=tuple(KNOWN["coins"]),
        mu=np.array(KNOWN["mu_bps"]),
        sigma=np.array(row["sigma_bps2"]),
        w0=np.array(row["held"]),
        cost=np.full(n, row["cost_bps"]),
        risk_aversion=KNOWN["risk_aversion"],
        inertia_bps=row["inertia_bps"],
        lower=np.full(n, -KNOWN["bound"]),
        upper=np.full(n, KNOWN["bound"]),
        margin=np.zeros(n),
        caps=Caps(
            gross=row["gross"], net=row["net"], turnover=row["turnover"],
            sectors=(("first two", first_two, row["sector"]),),
        ),
    )  # fmt: skip
    assert SOLVERS[solver].solve(problem).weights == pytest.approx(row["weights"], abs=1e-5)


def test_the_recorded_answers_are_not_all_at_their_bounds() -> None:
    inner = [abs(w) for row in KNOWN["rows"] for w in row["weights"] if 1e-4 < abs(w) < KNOWN["bound"] - 1e-4]
    assert len(inner) > 20
