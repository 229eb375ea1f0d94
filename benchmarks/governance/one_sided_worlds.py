"""Four weeks of cues and next hours whose truth is known: what of the components foretells a one-sided hour.

Three assets, a row every five minutes, paths of Student's t with 4 degrees of freedom that share a market, volatility
that remembers. Components of asymmetry remember as well; two of them, the first and the fourth, push the next hour to
one side where the world is planted, to which side is a coin's throw. What else a world has:

nothing    no component foretells anything
lasting    components stay for days (.999 from row to row)
trending   each day has a drift of its own
vol        volatility moves widely and slowly, so that far hours come in runs
quiet      on weekends the market moves half
planted    the push of a planted world, in step deviations per unit of a component
turned     planted for three weeks, and nothing of it is left in the last
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.asymmetry_fit import AsymmetryRows

PER_DAY, AHEAD, FREEDOM = 288, 12, 4.0
PUSHES = np.array([1.0, 0.0, 0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class OneSided:
    """A world: what is peculiar to it, how strongly components push, days, assets."""

    kind: str = "nothing"
    push: float = 0.0
    days: int = 28
    assets: int = 3


def rows_of(world: OneSided, seed: int) -> AsymmetryRows:
    """Return the rows of a world."""
    rng = np.random.default_rng([seed, 271])
    count = world.days * PER_DAY
    market = rng.standard_t(FREEDOM, size=count + AHEAD)
    parts = [_asset(rng, world, market, asset) for asset in range(world.assets)]
    return AsymmetryRows(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _asset(
    rng: np.random.Generator, world: OneSided, market: NDArray[np.float64], asset: int
) -> tuple[NDArray[np.generic], ...]:
    count = world.days * PER_DAY
    day = np.arange(count) // PER_DAY
    weekend = (day % 7 >= 5).astype(np.float64)
    lasting = 0.999 if world.kind == "lasting" else 0.97
    z = np.clip(np.stack([_remembering(rng, count, lasting) for _ in range(4)], axis=1), 0.0, 5.0)
    z = np.concatenate([z, weekend[:, None]], axis=1)
    share, width = (0.999, 0.6) if world.kind == "vol" else (0.995, 0.3)
    volatility = np.exp(width * _remembering(rng, count + AHEAD, share))
    if world.kind == "quiet":
        volatility[:count] *= 1.0 - 0.5 * weekend
    drift = np.repeat(rng.normal(0.0, 0.4, world.days + 1), PER_DAY)[: count + AHEAD]
    own = rng.standard_t(FREEDOM, size=count + AHEAD)
    step = (np.sqrt(0.51) * own + 0.7 * market) * volatility + drift * (world.kind == "trending")
    push = world.push * (z @ PUSHES) * rng.choice([-1.0, 1.0], count) * volatility[:count]
    if world.kind == "turned":
        push[day >= world.days - 7] = 0.0
    high, low, path = np.zeros(count), np.zeros(count), np.zeros(count)
    for k in range(1, AHEAD + 1):
        path = path + step[k : count + k] + push
        high, low = np.maximum(high, path), np.minimum(low, path)
    return z, np.maximum(high, -low), np.minimum(high, -low), day, np.full(count, asset)


def _remembering(rng: np.random.Generator, count: int, share: float) -> NDArray[np.float64]:
    from scipy.signal import lfilter

    shocks = rng.normal(size=count)
    shocks[1:] *= np.sqrt(1.0 - share * share)
    return np.asarray(lfilter([1.0], [1.0, -share], shocks))
