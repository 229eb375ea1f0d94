"""Random allocation problems for the tests of the solvers and of what is built on them."""

import numpy as np
from hypothesis import strategies as st

from lotus.decision.allocation.problem import Caps, Floats, Problem

SEEDS = st.integers(0, 2**32 - 1)


def covariance(rng: np.random.Generator, n: int) -> Floats:
    """Three common factors and a part of their own, bps^2: deviations of 20 to 60 bps."""
    factors = rng.normal(size=(n, 3)) * 20.0
    found: Floats = factors @ factors.T + np.diag(rng.uniform(50.0, 400.0, n))
    return found


def some_problem(seed: int, n: int, *, tight: bool = True, held: float = 0.01) -> Problem:
    """A problem of n coins that a book near flat can meet; `tight` lets every kind of cap bind now and then."""
    rng = np.random.default_rng(seed)
    half = tuple([1.0] * (n // 2) + [0.0] * (n - n // 2))
    caps = Caps(
        gross=float(rng.uniform(0.3, 1.5)),
        net=float(rng.uniform(0.1, 0.5)),
        margin_share=float(rng.uniform(0.05, 0.3)),
        turnover=float(rng.uniform(0.2, 1.0)),
        risk_bps=float(rng.uniform(3.0, 40.0)),
        sectors=(("majors", half, float(rng.uniform(0.2, 0.6))),),
        factors=(("market", tuple(rng.normal(1.0, 0.2, n)), float(rng.uniform(0.1, 0.4))),),
    )
    return Problem(
        coins=tuple(f"C{i:02d}" for i in range(n)),
        mu=rng.normal(size=n) * 10.0,
        sigma=covariance(rng, n),
        w0=rng.normal(size=n) * held / n,
        cost=rng.uniform(1.0, 4.0, n),
        risk_aversion=2.0,
        inertia_bps=5.0,
        lower=np.full(n, -0.2),
        upper=np.full(n, 0.2),
        margin=rng.uniform(0.02, 0.4, n),
        caps=caps if tight else Caps(),
    )


def wild_problem(seed: int) -> Problem:
    """A problem of any scale: numbers over six decades, singular covariances, pinned coins, books far outside."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 2, 5, 20]))

    def size(low: float, high: float) -> float:
        return float(10.0 ** rng.uniform(low, high))

    direction = rng.normal(size=n) * 10.0
    sigma = np.outer(direction, direction) if rng.random() < 0.1 else covariance(rng, n) * size(-3.0, 3.0)
    bound = size(-4.0, 0.0)
    half = tuple([1.0] * (n // 2) + [0.0] * (n - n // 2))
    return Problem(
        coins=tuple(f"C{i:02d}" for i in range(n)),
        mu=rng.normal(size=n) * size(-2.0, 3.0),
        sigma=sigma,
        w0=np.where(rng.random(n) < 0.5, 0.0, rng.normal(size=n) * size(-4.0, 0.0)),
        cost=rng.uniform(0.0, 5.0, n),
        risk_aversion=2.0 * size(0.0, 1.0),
        inertia_bps=5.0 * size(-2.0, 1.0),
        lower=np.where(rng.random(n) < 0.3, 0.0, -bound),
        upper=np.where(rng.random(n) < 0.3, 0.0, bound),
        margin=np.full(n, 0.1),
        caps=Caps(
            gross=size(-3.0, 0.5),
            net=size(-3.0, 0.5) if rng.random() > 0.05 else 0.0,
            margin_share=size(-3.0, 0.0),
            turnover=size(-4.0, 0.5),
            risk_bps=size(-1.0, 3.0),
            sectors=(("majors", half, size(-3.0, 0.0)),),
            factors=(("market", tuple(rng.normal(1.0, 0.3, n)), size(-3.0, 0.0)),),
        ),
    )
