"""The allocation problem and its answer as plain values: what is maximised, under which caps, and what was found.

maximise  mu'w - lambda w'Sigma w / 10^4 - gamma |w - w0|^2 - c'|w - w0|                                          [bps]
subject to  lower <= w <= upper,  sum|w| <= gross,  |sum w| <= net,  sum margin|w| <= margin_share,
            sum over a sector |w| <= its cap,  |B w| <= factor caps,  sum|w - w0| <= turnover,  sqrt(w'Sigma w) <= risk

Weights are notional over equity, mu and c in bps, Sigma in bps^2, all over one horizon. In the literature:
mean-variance allocation with linear and quadratic transaction costs (Boyd et al., Multi-Period Trading via Convex
Optimization, 2017). How it is solved is `solver`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError

Floats = NDArray[np.float64]
UNBOUNDED = 1e3  # a cap that never binds, in weights; solvers want finite numbers
BPS = 1e4
RELATIVE = 1e-6  # how far an answer may lie from its caps, and how little a trade counts as none


@dataclass(frozen=True, slots=True)
class Caps:
    """Hard caps of one problem: sums over coins, in weights; `risk_bps` is the largest deviation of the book.

    `sectors` and `factors` are (name, row over coins, cap): a 0/1 row of members, a row of exposures.
    """

    gross: float = UNBOUNDED
    net: float = UNBOUNDED
    margin_share: float = UNBOUNDED
    turnover: float = UNBOUNDED
    risk_bps: float = UNBOUNDED * BPS
    sectors: tuple[tuple[str, tuple[float, ...], float], ...] = ()
    factors: tuple[tuple[str, tuple[float, ...], float], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One allocation: `mu`, `w0`, `cost`, `margin`, `lower`, `upper` f8 [n] in the order of `coins`, `sigma` f8 [n, n].

    `bound_names` says for each coin which of its caps made `lower` and `upper`. `margin` is margin per weight.
    """

    coins: tuple[str, ...]
    mu: Floats
    sigma: Floats
    w0: Floats
    cost: Floats
    risk_aversion: float
    inertia_bps: float
    lower: Floats
    upper: Floats
    margin: Floats
    caps: Caps
    bound_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.coins)
        vectors = (self.mu, self.w0, self.cost, self.lower, self.upper, self.margin)
        if n == 0 or any(v.shape != (n,) for v in vectors) or self.sigma.shape != (n, n):
            raise ConfigError(f"shapes {[v.shape for v in vectors]}, {self.sigma.shape}", f"vectors of {n}, {n} x {n}")
        if not all(bool(np.isfinite(v).all()) for v in (*vectors, self.sigma)):
            raise ConfigError("a number that is not finite", "finite numbers", "a price or covariance is missing")
        if bool((self.lower > self.upper).any()) or bool((self.cost < 0.0).any()) or self.inertia_bps < 0.0:
            raise ConfigError("crossed bounds or a negative cost", "lower <= upper, costs from 0 on")
        if self.risk_aversion < 0.0 or min(self.cap_values) < 0.0:
            raise ConfigError("a negative risk aversion or cap", "numbers from 0 on")

    @property
    def cap_values(self) -> tuple[float, ...]:
        """Every cap over coins, in the order of `solver.CAP_ROWS`."""
        c = self.caps
        sums = (c.gross, c.margin_share, c.turnover, c.net, c.risk_bps)
        return (*sums, *(cap for *_, cap in c.sectors), *(cap for *_, cap in c.factors))

    def objective_bps(self, w: Floats) -> float:
        """Return the value of the objective at `w`."""
        moved = w - self.w0
        risk = self.risk_aversion * float(w @ self.sigma @ w) / BPS
        return float(self.mu @ w) - risk - self.inertia_bps * float(moved @ moved) - float(self.cost @ np.abs(moved))

    def excess(self, w: Floats) -> dict[str, float]:
        """Return by how much `w` is beyond each cap (0 or less: within); the risk in parts of its cap."""
        c, size = self.caps, np.abs(w)
        excesses = {
            "bounds": float(np.maximum(w - self.upper, self.lower - w).max()),
            "gross": float(size.sum()) - c.gross,
            "leverage": float(self.margin @ size) - c.margin_share,
            "turnover": float(np.abs(w - self.w0).sum()) - c.turnover,
            "net": abs(float(w.sum())) - c.net,
            "risk": math.sqrt(max(float(w @ self.sigma @ w), 0.0)) / max(c.risk_bps, RELATIVE) - 1.0,
        }
        excesses |= {f"sector:{name}": float(np.asarray(row) @ size) - cap for name, row, cap in c.sectors}
        return excesses | {f"factor:{name}": abs(float(np.asarray(row) @ w)) - cap for name, row, cap in c.factors}

    def allows(self, w: Floats) -> bool:
        """Return whether `w` breaks no cap by more than `RELATIVE`."""
        return max(self.excess(w).values()) <= RELATIVE


@dataclass(frozen=True, slots=True)
class Binding:
    """A cap that holds the answer back: what one unit more of it would be worth, in bps of the objective."""

    name: str
    price_bps: float


@dataclass(frozen=True, slots=True)
class Solution:
    """What a solver found: weights f8 [n], or None when no weights meet the caps, with the caps that bind."""

    weights: Floats | None
    bindings: tuple[Binding, ...] = ()
    detail: str = ""


def bindings_of(names: Sequence[str], prices: Sequence[float], at_least_bps: float = 1e-4) -> tuple[Binding, ...]:
    """Return the caps whose price is worth telling, dearest first, ties by name; prices of one name are added."""
    sums: dict[str, float] = {}
    for name, price in zip(names, prices, strict=True):
        sums[name] = sums.get(name, 0.0) + price
    kept = [Binding(name, float(f"{price:.6g}")) for name, price in sums.items() if price > at_least_bps]
    return tuple(sorted(kept, key=lambda b: (-b.price_bps, b.name)))
