"""Side by side with PyPortfolioOpt on the covariances of the real recordings: matrices and weights.

`python -m benchmarks.decision.peers --data FOLDER [--record FILE]` in an environment that also has PyPortfolioOpt. Mid
prices of the recordings become returns of five seconds; the shrunk covariance is compared with `CovarianceShrinkage`,
then the same problems are stated with `EfficientFrontier` and solved by OSQP, another algorithm than ours. Edges,
positions and costs are assumed, only the covariances are real. `--record` writes what the unit test reads.
"""

import argparse
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pypfopt import EfficientFrontier, objective_functions, risk_models

from lotus.decision.allocation.covariance import Covariance, ledoit_wolf
from lotus.decision.allocation.problem import BPS, Caps, Problem
from lotus.decision.allocation.solver import FastSolver

CAPTURES = ("hyperliquid-2025-09-03-outages/frames.jsonl.gz", "hyperliquid-2025-09-04/frames.jsonl.gz")
COINS = ("BTC", "ETH", "SOL", "WLFI")
BAR_S, STALE_S = 5, 30
EDGES = (6.0, -9.0, 12.0, -5.0)  # bps, assumed
HELD = (0.05, -0.10, 0.0, 0.08)
COST_BPS, INERTIA_BPS, AVERSION, BOUND = 2.0, 5.0, 5.0, 0.5
OSQP = {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iter": 400_000, "polishing": True}


@dataclass(frozen=True, slots=True)
class Case:
    """One problem in our words; PyPortfolioOpt gets the same in its own."""

    name: str
    horizon_s: int
    held: tuple[float, ...] = (0.0,) * len(COINS)
    cost_bps: float = 0.0
    inertia_bps: float = 0.0
    net: float = 0.0  # 0 = market neutral
    gross: float = 1e3
    turnover: float = 1e3
    sector: float = 1e3  # of the first two coins together


CASES = (
    Case("market neutral", 86_400),
    Case("market neutral, four hours", 14_400),
    Case("with linear costs from a book", 86_400, HELD, COST_BPS),
    Case("with quadratic costs", 86_400, inertia_bps=INERTIA_BPS),
    Case("gross and net caps", 86_400, cost_bps=COST_BPS, net=0.1, gross=0.4),
    Case("turnover and sector caps", 86_400, HELD, COST_BPS, net=0.2, turnover=0.15, sector=0.12),
)


def mids(path: Path) -> Iterator[tuple[int, str, float]]:
    """Yield receive time in ms, coin and mid price of every quote with two sides."""
    with gzip.open(path, "rt") as lines:
        for line in lines:
            if '"bbo"' not in line:
                continue
            stamp, _, text = line.partition(" ")
            data = json.loads(text)["data"]
            bid, ask = data["bbo"]
            if bid and ask and data["coin"] in COINS:
                yield int(stamp) // 1_000_000, data["coin"], (float(bid["px"]) + float(ask["px"])) / 2.0


def returns_of(path: Path) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Return bar returns in bps by coin and the bars' ends in ms; NaN where a coin was silent for too long."""
    step, last = BAR_S * 1000, dict[str, tuple[int, float]]()
    rows: list[list[float]] = []
    ends: list[int] = []
    edge = 0
    for time_ms, coin, mid in mids(path):
        edge = edge or (time_ms // step + 1) * step
        while time_ms >= edge:
            fresh = [last.get(c, (0, np.nan)) for c in COINS]
            rows.append([px if edge - at <= STALE_S * 1000 else np.nan for at, px in fresh])
            ends.append(edge)
            edge += step
        last[coin] = (time_ms, mid)
    prices = np.array(rows)
    moved = (prices[1:] / prices[:-1] - 1.0) * BPS
    return {c: moved[:, k] for k, c in enumerate(COINS)}, np.array(ends[1:], dtype=np.int64)


def ours(case: Case, sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of the fast solver."""
    n = len(COINS)
    rows = (("first two", (1.0, 1.0, 0.0, 0.0), case.sector),)
    problem = Problem(
        coins=COINS, mu=np.array(EDGES), sigma=sigma, w0=np.array(case.held), cost=np.full(n, case.cost_bps),
        risk_aversion=AVERSION, inertia_bps=case.inertia_bps, lower=np.full(n, -BOUND), upper=np.full(n, BOUND),
        margin=np.zeros(n), caps=Caps(gross=case.gross, net=case.net, turnover=case.turnover, sectors=rows),
    )  # fmt: skip
    found = FastSolver().solve(problem).weights
    if found is None:
        raise SystemExit(f"{case.name}: no weights")
    return found


def theirs(case: Case, sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of PyPortfolioOpt, utility in bps as ours."""
    import cvxpy as cp

    held = np.array(case.held)
    cov = pd.DataFrame(sigma / BPS, index=COINS, columns=COINS)
    mu = pd.Series(EDGES, index=COINS)
    model = EfficientFrontier(mu, cov, weight_bounds=(-BOUND, BOUND), solver="OSQP", solver_options=OSQP)
    if case.inertia_bps:
        model.add_objective(objective_functions.L2_reg, gamma=case.inertia_bps)
    if case.cost_bps:
        model.add_objective(objective_functions.transaction_cost, w_prev=held, k=case.cost_bps)
    model.add_constraint(lambda w: cp.norm(w, 1) <= case.gross)
    model.add_constraint(lambda w: cp.norm(w - held, 1) <= case.turnover)
    model.add_constraint(lambda w: cp.norm(w[:2], 1) <= case.sector)
    if case.net:
        model.add_constraint(lambda w: cp.abs(cp.sum(w)) <= case.net)
        model.convex_objective(
            lambda w, mu, cov: objective_functions.quadratic_utility(w, mu, cov, risk_aversion=2.0 * AVERSION),
            weights_sum_to_one=False, mu=mu.to_numpy(), cov=cov.to_numpy(),
        )  # fmt: skip
    else:
        model.max_quadratic_utility(risk_aversion=2.0 * AVERSION, market_neutral=True)
    return np.array(model.weights)


def compare(capture: str, folder: Path) -> list[dict[str, Any]]:
    """Print one recording and return a row per case."""
    returns, ends = returns_of(folder / capture)
    known = ledoit_wolf(returns, ends, BAR_S, int(ends[-1]))
    table = pd.DataFrame(returns)[list(known.coins)].dropna()
    model = risk_models.CovarianceShrinkage(table, returns_data=True, frequency=1)
    peer = model.ledoit_wolf().to_numpy()
    apart = float(np.abs(known.matrix - peer).max() / np.abs(peer).max())
    deviations = ", ".join(f"{c} {x:.2f}" for c, x in zip(known.coins, np.sqrt(np.diag(known.matrix)), strict=True))
    print(f"{capture}: {known.rows} bars of {BAR_S} s, deviation in bps {deviations}")
    intensities = f"{known.shrinkage:.6f} and {model.delta:.6f}"
    print(f"  Ledoit-Wolf intensities {intensities}; matrices apart by {apart:.1e} of the largest entry")
    return [row_of(case, known, capture) for case in CASES]


def row_of(case: Case, known: Covariance, capture: str) -> dict[str, Any]:
    """Solve one case with both, print and return it."""
    sigma = known.over(case.horizon_s, COINS)
    mine, peer = ours(case, sigma), theirs(case, sigma)
    print(f"  {case.name:32} ours {mine.round(5)}  theirs {peer.round(5)}  apart {np.abs(mine - peer).max():.1e}")
    return {
        "capture": capture, "case": case.name, "horizon_s": case.horizon_s, "held": case.held, "net": case.net,
        "cost_bps": case.cost_bps, "inertia_bps": case.inertia_bps, "gross": case.gross, "turnover": case.turnover,
        "sector": case.sector, "sigma_bps2": sigma.round(9).tolist(), "weights": peer.round(9).tolist(),
    }  # fmt: skip


def main() -> None:
    """Compare every recording, print, and record what PyPortfolioOpt said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--record", type=Path, help="JSON file for the unit test")
    given = parser.parse_args()
    names = ("pyportfolioopt", "cvxpy", "osqp", "scikit-learn")
    made_with = {name: version(name) for name in names}
    print(", ".join(f"{name} {found}" for name, found in made_with.items()))
    rows = [row for capture in CAPTURES for row in compare(capture, given.data)]
    if given.record:
        settings = {"coins": COINS, "mu_bps": EDGES, "risk_aversion": AVERSION, "bound": BOUND}
        given.record.write_text(json.dumps({"made_with": made_with, **settings, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
