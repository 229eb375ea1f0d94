"""Small worlds with known truth, straight as payoff scores.

Twelve features with half-lives from seconds to days, a score that depends on some of them, a policy that publishes by
the score and by a hidden reason, heavy-tailed overlapping returns with volatility regimes and a shared market factor.
`null`: the edge is constant. `conf`: the edge rises with the score and the features only correlate with it. `mirage`:
the paper payoff is better in some boxes and slippage takes it. `plant`: conf plus lessons (rule, effect in bps).
"""

import numpy as np
from scipy.signal import lfilter

from lotus.learning.payoff_scores import score
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import BIN_COLUMNS, FEATURES, N_BINS, rule_mask
from lotus.simulation.learning_world import with_strata
from lotus.timebase import day_start_ms, days_between, next_day

HALF_LIVES = (500, 60, 15, 120, 25, 2500, 1500, 700, 250, 0, 20, 400)  # windows of 5 s; session is the clock
ASSETS = ("BTC", "ETH", "SOL")
SD_BPS = 12.0
FIRST_DAY = "2025-01-06"
MIRAGE = (
    Rule.of(Literal(4, 3, 4)),
    Rule.of(Literal(0, 3, 4), Literal(10, 0, 2)),
    Rule.of(Literal(3, 0, 1), Literal(8, 2, 4), Literal(2, 0, 3)),
)


def _ar(rng, n, half_life):
    rho = 0.5 ** (1.0 / half_life)
    start = rng.normal()
    return lfilter([np.sqrt(1 - rho**2)], [1, -rho], rng.normal(size=n), zi=[rho * start])[0]


def _features(rng, n, block):
    x = np.stack([_ar(rng, n, h) if h else np.zeros(n) for h in HALF_LIVES], axis=1)
    for k, loading in ((8, 0.5), (1, 0.4), (3, -0.3)):
        x[:, k] = loading * x[:, 0] + np.sqrt(1 - loading**2) * x[:, k]
    bins = np.empty((n, 12), dtype=np.uint8)
    for k, count in enumerate(N_BINS):
        edges = np.array([-0.8416, -0.2533, 0.2533, 0.8416]) if count == 5 else np.array([-0.4307, 0.4307])
        bins[:, k] = block % 4 if FEATURES[k].name == "session" else np.searchsorted(edges, x[:, k])
    return x, bins


def _returns(rng, n, horizon, shared):
    noise = 0.6 * shared + 0.8 * rng.standard_t(5, n + horizon) / np.sqrt(5 / 3)
    vol = np.exp(0.35 * _ar(rng, n + horizon, 300))
    steps = noise * vol
    total = np.convolve(steps, np.ones(horizon), "valid")[:n]
    return SD_BPS * total / np.sqrt(horizon) / 1.06


def world(kind="null", seed=0, days=13, blocks=(1, 2), per_block=900, detectors=1, lessons=(), policy="random"):
    """Return {day: PAYOFF_SCORES columns}; `lessons` is a sequence of (rule, bps) planted in detector d0."""
    rng = np.random.default_rng([seed, 20250106])
    planted = (lessons, ())
    out = {}
    for day in days_between(FIRST_DAY, next_day(FIRST_DAY, days - 1)):
        tide = rng.normal(0, 1.0)
        parts = [
            _piece(rng, kind, day, block, per_block, f"d{d}", asset, shared, tide, planted[d > 0], policy)
            for block in blocks
            for shared in [rng.normal(size=per_block + 6)]
            for asset in ASSETS
            for d in range(detectors)
        ]
        out[day] = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    return with_strata(out)


def _piece(rng, kind, day, block, n, detector, asset, shared, tide, lessons, policy):
    x, bins = _features(rng, n, block)
    strength = 0.8 * _ar(rng, n, 40) + 0.35 * x[:, 0] + 0.3 * x[:, 2] + 0.25 * x[:, 3]
    hidden = 0.5 * _ar(rng, n, 80)
    u0 = 2.0 * (strength - 1.45) + hidden
    p = np.clip(1 / (1 + np.exp(-u0)), 0.02, 0.98)
    u0 = np.log(p / (1 - p))
    if policy == "deterministic":
        p = (p > 0.5).astype(float)
    published = rng.random(n) < p
    edge = np.full(n, 0.5) if kind == "null" else 6.0 / (1 + np.exp(-0.7 * strength))
    gross = edge + tide + _returns(rng, n, 6, shared)
    for rule, bps in lessons:
        gross = gross + bps * rule_mask(rule, bins)
    slippage = rng.exponential(1.0, n)
    paper = gross - 9.0
    if kind == "mirage":
        for k, rule in enumerate(MIRAGE):
            inside, sign = rule_mask(rule, bins), (1, -1, 1)[k]
            paper, slippage = paper + 4.0 * sign * inside, slippage + 4.0 * sign * inside
    executed = np.where(published, paper - slippage + 1.0, np.nan)
    end = day_start_ms(day) + block * 21_600_000 + 5_000 * np.arange(1, n + 1)
    columns = {
        "event_id": np.array([f"{detector}-{asset}-{e}" for e in end], dtype=object),
        "detector_id": np.full(n, detector, dtype=object),
        "spec_version": np.ones(n, dtype=np.int32),
        "asset": np.full(n, asset, dtype=object),
        "horizon_s": np.full(n, 30, dtype=np.int32),
        "window_end_ms": end,
        "day": np.full(n, day, dtype=object),
        "block": np.full(n, block, dtype=np.uint8),
        "p": p,
        "u0": u0,
        "published": published,
        "payoff_p": paper,
        "payoff_y": executed,
        "hit": (paper > 0).astype(float),
        "fill_source": np.where(published, "tape_sim", "").astype(object),
        "h": p * (1 - p),
        "f": score(p, published, paper, executed),
    }
    return columns | {name: bins[:, k] for k, name in enumerate(BIN_COLUMNS)}
