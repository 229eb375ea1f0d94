"""A made-up desk's events files with a lesson in them that is known: to try `lotus learn` on, and to measure it with.

Detectors publish by chance with a probability that grows with their score; payoffs are heavy-tailed moves that nothing
in the files predicts, plus a little for the score. Only `breakout` has a corner that pays more: high `x_flow` while
`x_regime` is calm. Everything follows from the seed. In the literature: simulation with planted truth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.timebase import DAY_MS, day_start_ms

Column = NDArray[Any]
FIRST_DAY, HORIZON_S, STEPS = "2025-01-06", 300, 4
PLANTED_RULE = "x_flow >= 3 and x_regime = calm"
_EDGE = 0.2533  # the two upper of five bins of x_flow
_NAMED = ("x_flow", "x_vol", "x_gap")


@dataclass(frozen=True, slots=True)
class ExampleSpec:
    """How much is made; `effect_bps` is planted in the first detector, `features` counts x_regime."""

    seed: int = 7
    days: int = 20
    windows: int = 240  # a day, asset and detector
    assets: tuple[str, ...] = ("BTC", "ETH", "SOL")
    detectors: tuple[str, ...] = ("breakout", "fade")
    features: int = 4
    effect_bps: float = 6.0

    @property
    def rows(self) -> int:
        """Rows of all days."""
        return self.days * self.windows * len(self.assets) * len(self.detectors)


def example_days(spec: ExampleSpec) -> Iterator[tuple[str, dict[str, Column]]]:
    """Yield (day, columns) of every day: rows by time; `ts` int64 us, NaN where a payoff is not known."""
    start = day_start_ms(FIRST_DAY)
    for day in range(spec.days):
        parts = [
            _piece(spec, day, asset, detector, start + day * DAY_MS)
            for detector in range(len(spec.detectors))
            for asset in range(len(spec.assets))
        ]
        order = np.argsort(np.concatenate([part["ts"] for part in parts]), kind="stable")
        name = str(np.datetime64(start + day * DAY_MS, "ms").astype("datetime64[D]"))
        yield name, {key: np.concatenate([part[key] for part in parts])[order] for key in parts[0]}


def _piece(spec: ExampleSpec, day: int, asset: int, detector: int, start_ms: int) -> dict[str, Column]:
    rng, n = np.random.default_rng([spec.seed, day, asset, detector]), spec.windows
    lives = (20.0, 200.0, 40.0, *(10.0 * 1.5**k for k in range(max(0, spec.features - 4))))
    names = (*_NAMED, *(f"x_more{k}" for k in range(1, max(0, spec.features - 4) + 1)))
    x = {name: _drifting(rng, n, life) for name, life in zip(names, lives, strict=True)}
    calm = _drifting(rng, n, 60.0) <= 0.0
    strength = 0.8 * _drifting(rng, n, 30.0) + 0.3 * x["x_vol"]
    p = np.clip(1.0 / (1.0 + np.exp(-2.0 * (strength - 0.9))), 0.02, 0.98)
    published = rng.random(n) < p
    ts_ms = np.arange(n, dtype=np.int64) * (DAY_MS // n)
    minute = ts_ms * STEPS // (1000 * HORIZON_S)  # windows closer than the horizon share what lies between
    moves = 2.5 * rng.standard_t(5, int(minute[-1]) + STEPS)
    path = np.cumsum(np.lib.stride_tricks.sliding_window_view(moves, STEPS)[minute], axis=1)
    extra = 3.0 * p + rng.normal() - 1.5
    if detector == 0:
        extra = extra + spec.effect_bps * ((x["x_flow"] > _EDGE) & calm)
    path += extra[:, None] * (np.arange(1, STEPS + 1) / STEPS)
    paper, slip = path[:, -1], rng.exponential(1.0, n)
    shown = np.where(published, np.round(paper - slip, 4), np.nan)
    return {
        "ts": 1000 * (start_ms + ts_ms),
        "asset": np.full(n, spec.assets[asset]),
        "detector_id": np.full(n, spec.detectors[detector]),
        "horizon_s": np.full(n, HORIZON_S),
        "published": published,
        "propensity": np.round(p, 6),
        "payoff_bps": shown,
        "paper_payoff_bps": np.round(paper, 4),
        "mfe_bps": np.maximum(np.where(published, np.round(path.max(axis=1), 4), np.nan), shown),
        "mae_bps": np.minimum(np.where(published, np.round(path.min(axis=1) - slip, 4), np.nan), shown),
        "p_hit": np.round(np.clip(0.5 + 0.05 * strength, 0.05, 0.95), 4),
        "x_regime": np.where(calm, "calm", "wild"),
        **{name: np.round(values, 5) for name, values in x.items()},
    }


def _drifting(rng: np.random.Generator, n: int, half_life: float) -> Column:
    """Return a stationary normal series of unit variance that remembers half after so many windows."""
    from scipy.signal import lfilter

    rho = 0.5 ** (1.0 / half_life)
    out, _ = lfilter([np.sqrt(1.0 - rho**2)], [1.0, -rho], rng.normal(size=n), zi=[rho * rng.normal()])
    return np.asarray(out, dtype=np.float64)
