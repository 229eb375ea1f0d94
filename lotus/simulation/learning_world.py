"""Worlds with known truth, straight as payoff scores: what the learner's error rates and power are measured on.

A market (contexts from seconds to days, heavy-tailed overlapping returns with volatility clusters, one effect per day)
and detectors in it (strength, hidden reason, direction, draws). `null`: the edge is constant. `conf`: the edge rises
with the propensity, contexts only go along with it and the policy has a hidden reason. `mirage`: the modelled payoff is
4 bps better or worse in three boxes and slippage takes it. `plant`: conf plus lessons of 1, 2 and 3 literals. `drift`:
plant whose lessons die half-way. No estimate belongs here, and nothing that reads the product's results. In the
literature: a semi-synthetic data-generating process with known conditional effects.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.hashing import key64
from lotus.jit import kernel
from lotus.learning.payoff_scores import PAYOFF_SCORES, Columns, precision, score, stratified
from lotus.learning.strata import HISTORY_DAYS
from lotus.learning.strata_table import Histograms, histograms_of, pasts_of_days
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import ALIGNED, BIN_COLUMNS, FEATURE_NAMES, N_BINS, N_FEATURES, SESSION, literals_of
from lotus.priors.vocabulary import rule_mask as covers
from lotus.timebase import BLOCK_MS, DAY_MS, day_start_ms, days_between, next_day, session_of

Floats = NDArray[np.float64]

KINDS = ("null", "conf", "mirage", "plant", "drift")
FULL_DAY = 4_320  # windows of 20 s; half-lives, the horizon and flips below are counted in them
HALF_LIVES = (4_320, 180, 10, 360, 20, 12_000, 1_440, 720, 180, 0, 10, 60)  # 0 = by the clock
WITH_VOL = {"hbar": 0.4, "mx": 0.25, "depth_slope": -0.3, "oi": 0.2, "spread": 0.5}  # correlation with volatility
STRENGTH = {"vol": 0.35, "mx": 0.3, "depth_slope": 0.25}  # loadings of the detector's score; the rest is its own
OWN_HALF_LIFE, HIDDEN_HALF_LIFE, HIDDEN_SD = 60, 120, 1.0
FLOOR = 0.02
HORIZON, FLIP = 15, 1.0 / 30.0
SD_BPS, GARCH_A, GARCH_B, VOL_STATE = 12.0, 0.05, 0.94, 0.30
DAY_SD_BPS, SLIPPAGE_BPS, MIRAGE_BPS, NULL_EDGE_BPS = 1.0, 1.0, 4.0, 2.0
FIRST_DAY = "2024-01-01"
QUINTILES = np.array([-0.8416212, -0.2533471, 0.2533471, 0.8416212])
TERTILES = np.array([-0.4307273, 0.4307273])
MIRAGE = (
    (Rule.of(Literal(4, 3, 4)), 1.0),
    (Rule.of(Literal(0, 3, 4), Literal(10, 0, 2)), -1.0),
    (Rule.of(Literal(3, 0, 1), Literal(8, 2, 4), Literal(2, 0, 3)), 1.0),
)


@dataclass(frozen=True, slots=True)
class Market:
    """What all detectors share. `contexts` [n, 12] standard normal (session: its number), `forward` [n] bps."""

    seed: int
    days: tuple[str, ...]
    windows: int
    contexts: Floats
    forward: Floats
    tide: Floats

    @property
    def day_of_window(self) -> NDArray[np.int64]:
        """Day index of each window, int64 [n]."""
        return np.repeat(np.arange(len(self.days), dtype=np.int64), self.windows)


@dataclass(frozen=True, slots=True)
class Track:
    """One detector in a market before anything is published; arrays [n].

    `u0` clipped logit without patches, `draw` uniform, `mean` expected net payoff if published, bps; `modelled` P and
    `executed` Y (what it would be) in bps; `truth` the planted effects alone, bps.
    """

    detector_id: str
    bins: NDArray[np.uint8]
    u0: Floats
    draw: Floats
    mean: Floats
    truth: Floats
    modelled: Floats
    executed: Floats


@kernel
def _autoregress(noise: Floats, rho: float) -> None:
    """Turn white noise [n] into a stationary AR(1) of unit variance, in place."""
    fresh = np.sqrt(1.0 - rho * rho)
    for i in range(1, len(noise)):
        noise[i] = rho * noise[i - 1] + fresh * noise[i]


@kernel
def _cluster(shock: Floats, a: float, b: float) -> None:
    """Multiply unit shocks [n] by the deviation of a GARCH(1, 1) of unit mean variance, in place."""
    variance = 1.0
    for i in range(len(shock)):
        step = np.sqrt(variance) * shock[i]
        variance = 1.0 - a - b + a * step * step + b * variance
        shock[i] = step


def stream(*names: str | int) -> np.random.Generator:
    """Return the generator of a named purpose (Philox, keyed by the hash of the names)."""
    key = np.array([key64("learning_world", *names), key64(*names)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def market(seed: int, days: int, windows: int = FULL_DAY, day_sd_bps: float = DAY_SD_BPS) -> Market:
    """Return a market of `days` days with `windows` windows each; half-lives keep their length in time.

    `day_sd_bps` is the deviation of the effect that a day has on every payoff.
    """
    n, pace = days * windows, windows / FULL_DAY
    names = tuple(days_between(FIRST_DAY, next_day(FIRST_DAY, days - 1)))
    contexts = np.empty((n, N_FEATURES))
    for k, half_life in enumerate(HALF_LIVES):
        contexts[:, k] = _ar(n, half_life * pace, seed, "context", k) if half_life else _sessions(names, windows)
    for name, loading in WITH_VOL.items():
        k = FEATURE_NAMES.index(name)
        contexts[:, k] = loading * contexts[:, 0] + np.sqrt(1.0 - loading**2) * contexts[:, k]
    tide = stream(seed, "tide").normal(0.0, day_sd_bps, days)
    return Market(seed, names, windows, contexts, _forward(seed, contexts[:, 0], pace), tide)


def track(
    of: Market, kind: str, detector_id: str = "d0", lessons: Sequence[tuple[Rule, float]] = (), herd: float = 0.0
) -> Track:
    """Return one detector of a market; `lessons` are (rule, bps) for `plant` and `drift`.

    `herd` is the share of time in which the detector takes the side that the herd takes: payoffs of two detectors then
    correlate by its square. Raises `ConfigError` for an unknown kind.
    """
    if kind not in KINDS:
        raise ConfigError(f"world {kind!r}", f"one of {', '.join(KINDS)}")
    n, pace = len(of.forward), of.windows / FULL_DAY
    key = (of.seed, detector_id)
    direction = _side(n, pace, *key, "direction")
    if herd:
        follows = stream(*key, "herd").random(len(of.days) * 48).repeat(-(-n // (len(of.days) * 48)))[:n] < herd
        direction = np.where(follows, _side(n, pace, of.seed, "herd"), direction)
    bins = bins_of_contexts(of.contexts, direction)
    own = np.sqrt(1.0 - sum(x * x for x in STRENGTH.values()) - 2 * _shared_covariance())
    strength = own * _ar(n, OWN_HALF_LIFE * pace, *key, "strength")
    for name, loading in STRENGTH.items():
        strength = strength + loading * of.contexts[:, FEATURE_NAMES.index(name)]
    u0 = 2.0 * (strength - 1.6) + HIDDEN_SD * _ar(n, HIDDEN_HALF_LIFE * pace, *key, "hidden")
    limit = np.log((1.0 - FLOOR) / FLOOR)
    u0 = np.clip(u0, -limit, limit)
    truth = np.zeros(n)
    alive = np.arange(n) < n // 2 if kind == "drift" else np.ones(n, dtype=np.bool_)
    for rule, bps in lessons:
        truth += bps * (covers(rule, bins) & alive)
    mean = np.full(n, NULL_EDGE_BPS) if kind == "null" else 6.0 / (1.0 + np.exp(-0.7 * u0))
    mean = mean + truth + np.repeat(of.tide, of.windows)
    paid = mean + direction * of.forward
    modelled = paid.copy()
    if kind == "mirage":
        for rule, sign in MIRAGE:
            modelled += MIRAGE_BPS * sign * covers(rule, bins)
    slippage = stream(*key, "slippage").exponential(SLIPPAGE_BPS, n)
    executed = paid + SLIPPAGE_BPS - slippage
    return Track(detector_id, bins, u0, stream(*key, "draw").random(n), mean, truth, modelled, executed)


def bins_of_contexts(contexts: Floats, direction: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return context bins uint8 [n, 12]: quantiles, of d*x where the vocabulary aligns a feature with the signal."""
    bins = np.empty(contexts.shape, dtype=np.uint8)
    for k, count in enumerate(N_BINS):
        x = contexts[:, k] * direction if ALIGNED[k] else contexts[:, k]
        bins[:, k] = x if k == SESSION else np.searchsorted(QUINTILES if count == 5 else TERTILES, x)
    return bins


def planted_rules(seed: int, of: Market, effect_bps: float) -> tuple[tuple[Rule, float], ...]:
    """Return three lessons of 1, 2 and 3 literals, random signs, each covering 6 to 25 % of the windows."""
    rng = stream(seed, "lessons")
    bins = bins_of_contexts(of.contexts, 1.0 - 2.0 * (stream(of.seed, "any side").random(len(of.forward)) < 0.5))
    lessons: list[tuple[Rule, float]] = []
    while len(lessons) < 3:
        features = rng.choice(N_FEATURES, size=len(lessons) + 1, replace=False)
        rule = Rule.of(*(_literal(rng, int(f)) for f in features))
        if 0.06 <= float(covers(rule, bins).mean()) <= 0.25:
            lessons.append((rule, effect_bps * (1.0 if rng.random() < 0.5 else -1.0)))
    return tuple(lessons)


def scores_of(
    of: Market,
    one: Track,
    p: Floats | None = None,
    drawn: Floats | None = None,
    before: Sequence[Histograms] = (),
) -> dict[str, Columns]:
    """Return {day: PAYOFF_SCORES columns} of one detector.

    `p` [n] is the propensity in the log (default: that of u0), `drawn` [n] the one that really drew (default: p);
    `before`: histograms of the days before the market's first.
    """
    p = 1.0 / (1.0 + np.exp(-one.u0)) if p is None else p
    published = one.draw < (p if drawn is None else drawn)
    executed = np.where(published, one.executed, np.nan)
    n, step = of.windows, DAY_MS // of.windows
    offset = step * np.arange(1, n + 1, dtype=np.int64)
    whole = {"p": p, "u0": one.u0, "published": published, "payoff_p": one.modelled, "payoff_y": executed}
    whole |= {"hit": (one.modelled > 0.0).astype(np.float64), "h": p * (1.0 - p)}
    whole |= {"f": score(p, published, one.modelled, executed)}
    whole |= {"fill_source": np.where(published, "tape_sim", "").astype(object)}
    whole |= {name: one.bins[:, k] for k, name in enumerate(BIN_COLUMNS)}
    same: dict[str, NDArray[np.generic]] = {
        "detector_id": np.full(n, one.detector_id, dtype=object),
        "spec_version": np.ones(n, dtype=np.int32),
        "asset": np.full(n, "BTC", dtype=object),
        "horizon_s": np.full(n, HORIZON * 20, dtype=np.int32),
        "block": ((offset - 1) // BLOCK_MS).astype(np.uint8),
    }
    out: dict[str, Columns] = {}
    for i, day in enumerate(of.days):
        mine = {name: values[i * n : (i + 1) * n] for name, values in whole.items()}
        mine |= same | {"day": np.full(n, day, dtype=object), "window_end_ms": day_start_ms(day) + offset}
        mine["event_id"] = np.array([f"{one.detector_id}-{day}-{k}" for k in range(n)], dtype=object)
        out[day] = mine
    return with_strata(out, before)


def with_strata(days: Mapping[str, Columns], before: Sequence[Histograms] = ()) -> dict[str, Columns]:
    """Return days of PAYOFF_SCORES with the columns that follow from the days before (`stratified`).

    `before`: histograms of the days before the first, oldest first.
    """
    past: deque[Histograms] = deque(before, maxlen=HISTORY_DAYS)
    out: dict[str, Columns] = {}
    for day, columns in days.items():
        version, u0 = np.asarray(columns["spec_version"], dtype=np.int64), np.asarray(columns["u0"], dtype=np.float64)
        pasts = pasts_of_days(past)
        whole = {**columns, **stratified(np.asarray(columns["detector_id"]), version, u0, pasts)}
        whole["weight"] = precision(whole, pasts)
        out[day] = {name: whole[name] for name in PAYOFF_SCORES.names}
        past.append(histograms_of(whole))
    return out


def merged(parts: Sequence[dict[str, Columns]]) -> dict[str, Columns]:
    """Return several detectors' scores as one table a day."""
    if len(parts) == 1:
        return parts[0]
    return {
        day: {name: np.concatenate([part[day][name] for part in parts]) for name in PAYOFF_SCORES.names}
        for day in parts[0]
    }


def _ar(n: int, half_life: float, *names: str | int) -> Floats:
    out = stream(*names).standard_normal(n)
    _autoregress(out, 0.5 ** (1.0 / half_life))
    return out


def _side(n: int, pace: float, *names: str | int) -> Floats:
    """Return a direction +-1 that flips every 30 windows of a full day on average."""
    flips = stream(*names).random(n) < min(0.5, FLIP / pace)
    return np.where(np.cumsum(flips) % 2 == 0, 1.0, -1.0)


def _shared_covariance() -> float:
    """Return the covariance that the loadings of the score share through volatility."""
    vol, names = STRENGTH["vol"], [x for x in STRENGTH if x != "vol"]
    with_vol = sum(vol * STRENGTH[x] * WITH_VOL[x] for x in names)
    return with_vol + STRENGTH["mx"] * STRENGTH["depth_slope"] * WITH_VOL["mx"] * WITH_VOL["depth_slope"]


@cache
def _sessions(days: tuple[str, ...], windows: int) -> Floats:
    step = DAY_MS // windows
    return np.array([int(session_of(day_start_ms(day) + step * k)) for day in days for k in range(windows)], np.float64)


def _forward(seed: int, vol: Floats, pace: float) -> Floats:
    """Return the return over the horizon that begins with each window, bps, overlapping (t4 x GARCH x volatility)."""
    length = max(1, round(HORIZON * pace))
    rng = stream(seed, "returns")
    n = len(vol) + length - 1
    shock = rng.standard_normal(n) / np.sqrt(rng.chisquare(4, n) / 2.0)
    _cluster(shock, GARCH_A, GARCH_B)
    shock *= np.exp(VOL_STATE * np.concatenate([vol, np.full(length - 1, vol[-1])]) - VOL_STATE**2)
    total = np.concatenate([[0.0], np.cumsum(shock)])
    forward: Floats = SD_BPS * (total[length:] - total[:-length]) / np.sqrt(length)
    return forward


def _literal(rng: np.random.Generator, feature: int) -> Literal:
    own = literals_of(feature)
    return own[int(rng.integers(len(own)))]
