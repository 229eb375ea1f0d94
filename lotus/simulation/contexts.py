"""Slow exogenous state of each asset: basis, funding, open interest, book steepness, and volatility of the market.

Ornstein-Uhlenbeck processes in integers (10^-6 units, half-lives of minutes) and two- or three-state regimes. They move
within a session so that a within-day contrast can see them, and they know nothing of prices. `aligned_bin` says in
which nominal quantile bin a state is: the simulator's side of the context bins (docs/concepts/windows.md).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.jit import kernel
from lotus.simulation.layout import Ints
from lotus.simulation.rng import bell, below, streams
from lotus.simulation.schedule import BASIS, Episode
from lotus.simulation.spec import MICRO

_LN2 = 0.6931471805599453
_Q = 1 << 32
BASIS_HALF_LIFE_S, BASIS_SD = 400, 3 * MICRO  # micro-bps
BASIS_KICK = 14 * MICRO  # micro-bps, a basis shock
FUNDING_HALF_LIFE_S, FUNDING_SD = 300, 80_000 * 64  # 1/64 of 10^-10
INTEREST_HALF_LIFE_S, INTEREST_SD = 300, 5_000  # 10^-6 of the level
# nominal 20/40/60/80 % points of a Gaussian with the deviation above: the bins that a learner will freeze
_FUNDING_EDGES = (-67_329, -20_268, 20_268, 67_329)  # 10^-10
_INTEREST_EDGES = (-4_208, -1_267, 1_267, 4_208)  # 10^-6 of the level
_SLOPE_BINS = np.array([1, 4], dtype=np.int64)  # of a flat and a steep book
_VOL_STATES = np.array([165, 240, 335], dtype=np.int64)  # in 256ths
STEEP_DWELL_S = (225, 180, 150, 120)  # flat: 225 + U(180) s, steep: 150 + U(120) s: steep 40 % of the time


@dataclass(frozen=True, slots=True)
class Contexts:
    """Per asset and block: basis micro-bps, funding 10^-10, interest 10^-6 off its level, steep 0/1; vol in 256ths."""

    basis: Ints
    funding: Ints
    interest: Ints
    steep: Ints
    vol: Ints


def contexts(assets: int, blocks: int, block_ms: int, episodes: list[list[Episode]], *key: str | int) -> Contexts:
    """Return the context arrays [assets, blocks] of one span; basis shocks are taken from each asset's episodes."""
    market = np.empty(blocks, dtype=np.int64)
    _regimes(streams(1, *key, "vol"), market, np.array([300, 300, 300, 300]) * 1000 // block_ms, 3)
    rows: list[list[Ints]] = [[], [], [], []]
    for a in range(assets):
        state = streams(4, *key, "context", a)
        kicks = np.zeros(blocks, dtype=np.int64)
        for episode in episodes[a]:
            if episode.family == BASIS:
                kicks[episode.onset_ms // block_ms] -= episode.direction * BASIS_KICK
        nothing = np.zeros(blocks, dtype=np.int64)
        basis = _process(state[0:1], kicks, BASIS_HALF_LIFE_S, BASIS_SD, block_ms)
        funding = _process(state[1:2], nothing, FUNDING_HALF_LIFE_S, FUNDING_SD, block_ms) // 64
        change = _process(state[2:3], nothing, INTEREST_HALF_LIFE_S, INTEREST_SD * 64, block_ms) // 64
        steep = np.empty(blocks, dtype=np.int64)
        _regimes(state[3:4], steep, np.array(STEEP_DWELL_S) * 1000 // block_ms, 2)
        for row, values in zip(rows, (basis, funding, change, steep), strict=True):
            row.append(values)
    basis_rows, funding_rows, interest_rows, steep_rows = (np.stack(row) for row in rows)
    return Contexts(basis_rows, funding_rows, interest_rows, steep_rows, _VOL_STATES[market])


def aligned_bin(state: Contexts, feature: str, asset: int, block: int, direction: int) -> int:
    """Return the nominal bin (0-4) of a feature aligned with `direction`; raises `ConfigError` for other features."""
    if feature == "depth_slope":
        return int(_SLOPE_BINS[state.steep[asset, block]])
    if feature == "oi":
        return sum(int(state.interest[asset, block]) > edge for edge in _INTEREST_EDGES)
    if feature == "funding":
        return sum(direction * int(state.funding[asset, block]) > edge for edge in _FUNDING_EDGES)
    raise ConfigError(f"no planted rule may use {feature!r}", "oi, funding or depth_slope")


def slope_bins(state: Contexts) -> Ints:
    """Return the nominal bin of the steepness of the book, [assets, blocks]."""
    return np.asarray(_SLOPE_BINS[state.steep])


def _process(state: NDArray[np.uint64], kicks: Ints, half_life_s: int, sd: int, block_ms: int) -> Ints:
    decay = _LN2 * block_ms / (half_life_s * 1000)
    amplitude = round(sd * math.sqrt(2.0 * decay) / 4.0)
    out = np.empty(kicks.size, dtype=np.int64)
    _ornstein_uhlenbeck(state, kicks, round(decay * _Q), amplitude, sd // 4, out)
    return out


@kernel
def _ornstein_uhlenbeck(
    state: NDArray[np.uint64], kicks: Ints, decay_q32: int, amplitude: int, start: int, out: Ints
) -> None:
    x = bell(state, 0) * start
    for k in range(out.size):
        pull = (abs(x) * decay_q32) >> 32
        x = x - pull if x > 0 else x + pull
        x += bell(state, 0) * amplitude + kicks[k]
        out[k] = x


@kernel
def _regimes(state: NDArray[np.uint64], out: Ints, dwell: Ints, count: int) -> None:
    """Fill a regime path; even states dwell dwell[0] + U(dwell[1]) blocks, odd ones dwell[2] + U(dwell[3])."""
    regime = below(state, 0, count)
    left = below(state, 0, dwell[0] + dwell[1])
    for k in range(out.size):
        if left == 0:
            regime = (regime + 1 + below(state, 0, count - 1)) % count if count > 2 else 1 - regime
            odd = 2 * (regime & 1)
            left = dwell[odd] + below(state, 0, dwell[odd + 1])
        out[k] = regime
        left -= 1
