"""Executions of a world whose laws of fill, slippage and latency are planted."""

import math

import numpy as np

from lotus.trading.estimates.predictor import Features, PastExecution
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Strategy


def true_fill(features: Features) -> float:
    """Return the planted probability of a fill."""
    resting = features.strategy in (Strategy.LIMIT, Strategy.ICEBERG)
    logit = 2.0 - 1.5 * math.log1p(features.depth_share) - 1.5 * resting + 0.5 * math.log1p(features.volatility_bps)
    return 1.0 / (1.0 + math.exp(-logit))


def world(count: int, seed: int) -> list[PastExecution]:
    """Return executions a second apart, known two seconds later, with planted laws of fill, slippage and latency."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        features = Features(
            float(rng.gamma(2.0, 1.0)),
            float(rng.exponential(1.5)),
            float(rng.gamma(2.0, 3.0)),
            Side(int(rng.choice([-1, 1]))),
            list(Strategy)[int(rng.integers(4))],
        )
        slip = math.log1p(features.spread_bps) + math.log1p(features.volatility_bps) * float(rng.normal())
        latency = 50.0 * math.exp(0.4 * math.log1p(features.depth_share) + 0.3 * float(rng.normal()))
        filled = bool(rng.random() < true_fill(features))
        rows.append(PastExecution(features, 1_000 * k, 1_000 * k + 2_000, filled, slip if filled else None, latency))
    return rows


ROWS = world(900, 3)
