"""Calls of experts of known hit rates."""

import numpy as np

from lotus.experts.weekly.refit import RefitRows


def world(seed: int, scale: float, n: int = 30_000) -> RefitRows:
    """Windows of ten days; the expert says z where the log odds are z * scale, and is silent in a fifth of them."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0.0, 1.0, (n, 1)) * (rng.random((n, 1)) < 0.8)
    z[rng.random(n) < 0.05] = np.nan
    odds = np.where(np.isfinite(z[:, 0]), z[:, 0] * scale, 0.0)
    at = np.arange(n)
    return RefitRows(
        z, rng.random(n) < 1 / (1 + np.exp(-odds)), at // (n // 10), at // (n // 100), np.zeros(n, np.int64)
    )
