"""Worlds in which nothing is to be learned and a careless learner is fooled: logs that `learning_world` lacks.

One asset, a window a minute, a payoff over the next five (an hour where said) on a price that nobody can predict, an
edge that rises with the propensity and nothing else. Each kind adds one thing that desks and logs have: features made
of past returns or of the desk's own results, publication below 2 %, a desk open in one block, an estimated propensity,
a paper payoff that knows whether it was published, loss limits, sizing after wins, regimes, impact, late, one-sided or
once huge payoffs, a rule that died. Written apart from the generator on which the learner was proved.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.hashing import key64
from lotus.learning.payoff_scores import Columns, score
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import BIN_COLUMNS, N_BINS, rule_mask
from lotus.simulation.learning_world import with_strata
from lotus.timebase import BLOCK_MS, day_start_ms, days_between, next_day

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MINUTES = 1_440
FIRST_DAY = "2024-03-04"
HALF_LIVES = (4.0, 15.0, 60.0, 200.0, 1440.0, 4000.0, 30.0, 90.0, 10.0, 700.0, 300.0, 20.0)  # minutes
SD_BPS, EDGE_BPS, DAY_SD_BPS, VOL_STATE = 12.0, 6.0, 1.0, 0.3
DEAD_BPS = 4.0


@dataclass(slots=True)
class _Log:
    """A log in the making; arrays [n] over minutes. `p` is what is logged, `drawn` what draws (None: p)."""

    rng: np.random.Generator
    seed: int
    days: int
    day: NDArray[np.int64]
    minute: NDArray[np.int64]
    price: Floats
    side: Floats
    features: list[Floats]
    u0: Floats
    luck: Floats
    horizon: int = 5
    matures: int = 5
    day_sd_bps: float = DAY_SD_BPS
    drawn: Floats | None = None
    edge: Callable[[Floats], Floats] = lambda p: EDGE_BPS * p
    noise: Floats | None = None
    extra: Floats | float = 0.0
    open: Mask | None = None
    paper_when_unpublished: Floats | None = None
    paper_is_fill: bool = False
    impact_bps: float = 0.0
    answers: Callable[[float], float | None] | None = None  # running result, bps -> shift of the logit, None = stop
    own_results: bool = False
    planted: tuple[tuple[Rule, float], ...] = ()

    def past(self, minutes: int) -> Floats:
        """Return what the price did over the minutes before, bps."""
        now = np.arange(len(self.day))
        return self.price[now] - self.price[np.maximum(now - minutes, 0)]

    def since_midnight(self) -> Floats:
        """Return what the price did since the day began, bps."""
        return self.price[np.arange(len(self.day))] - self.price[self.day * MINUTES]


def _past_returns(log: _Log) -> None:
    for place, minutes in enumerate((5, 15, 60, 240)):
        log.features[place] = log.past(minutes) * log.side
    log.features[4], log.features[5] = log.since_midnight() * log.side, log.since_midnight()
    log.features[6], log.features[7] = log.past(60), log.minute.astype(np.float64)


def _past_return_1h(log: _Log) -> None:
    log.horizon = log.matures = 60
    _past_returns(log)


def _one_side(sign: Callable[[_Log], Floats]) -> Callable[[_Log], None]:
    def change(log: _Log) -> None:
        log.side = sign(log)
        _past_returns(log)

    return change


def _rare(log: _Log) -> None:
    log.u0 = np.clip(-5.0 + _ar(log.rng, len(log.u0), 30.0), -9.0, 0.0)
    log.features[0] = log.u0 + _ar(log.rng, len(log.u0), 60.0)
    log.features[1] = 0.5 * log.u0 + _ar(log.rng, len(log.u0), 200.0)
    log.edge = lambda p: 3.0 * (np.log(p / (1.0 - p)) + 5.0)


def _one_block(log: _Log) -> None:
    log.open = (log.minute >= 14 * 60) & (log.minute < 17 * 60)
    for place in range(6):
        log.features[place] = log.rng.normal(size=log.days)[log.day]


def _estimated(log: _Log) -> None:
    hidden = log.u0 + log.features[2] + 0.8 * log.features[3]
    log.drawn = 1.0 / (1.0 + np.exp(-hidden))
    log.edge = lambda p: EDGE_BPS * p


def _knows(log: _Log) -> None:
    log.paper_when_unpublished = 3.0 * np.sign(log.features[3])


def _overwritten(log: _Log) -> None:
    log.paper_when_unpublished, log.paper_is_fill = 1.0 + 2.0 * np.sign(log.features[3]), True


def _stop(log: _Log) -> None:
    _past_returns(log)
    if log.seed % 2:
        log.answers = lambda result: None if result > 80.0 else 0.0
    else:
        log.answers = lambda result: None if result < -60.0 else 0.0


def _sizing(log: _Log) -> None:
    _past_returns(log)
    log.answers = lambda result: 1.0 if result > 0.0 else 0.0


def _own_profit(log: _Log) -> None:
    log.answers, log.own_results = (lambda _: 0.0), True


def _regimes(log: _Log) -> None:
    log.extra = np.where(log.day // 10 % 2 == 0, 2.0, -2.0)
    log.features[4], log.features[5] = (_ar(log.rng, len(log.u0), x) for x in (5000.0, 10_000.0))


def _late(log: _Log) -> None:
    log.matures = 4 * log.horizon


def _one_sided(log: _Log) -> None:
    lost = log.rng.random(len(log.u0)) < 0.02
    once = np.where(lost, -30.0, 30.0 * 0.02 / 0.98)
    log.noise = np.convolve(once, np.ones(log.horizon) / 2.0, "same")


def _huge_day(log: _Log) -> None:
    log.noise = _moves(log) * np.where(log.day == log.days // 2, 30.0, 1.0)


def _dead(log: _Log) -> None:
    corner = _bins(log.features[1], N_BINS[1]) == N_BINS[1] - 1
    log.extra = DEAD_BPS * (corner & (log.day < log.days * 2 // 3))


def _honest(log: _Log) -> None:
    """Leave the log as it is."""


def _day_effects(log: _Log) -> None:
    log.day_sd_bps = 4.0


def _impact(log: _Log) -> None:
    log.impact_bps = 0.3


_CHANGES: dict[str, Callable[[_Log], None]] = {
    "honest": _honest,
    "day-effects": _day_effects,
    "past-returns": _past_returns,
    "past-returns-1h": _past_return_1h,
    "momentum": _one_side(lambda log: np.where(log.past(30) >= 0.0, 1.0, -1.0)),
    "reversal": _one_side(lambda log: np.where(log.past(30) >= 0.0, -1.0, 1.0)),
    "long-only": _one_side(lambda log: np.ones(len(log.side))),
    "own-profit": _own_profit,
    "rare": _rare,
    "one-block": _one_block,
    "estimated": _estimated,
    "overwritten": _overwritten,
    "knows": _knows,
    "stop": _stop,
    "sizing": _sizing,
    "regimes": _regimes,
    "impact": _impact,
    "late": _late,
    "one-sided": _one_sided,
    "huge-day": _huge_day,
    "dead": _dead,
}
KINDS = tuple(_CHANGES)


PLANTABLE = ("honest", "past-returns", "past-returns-1h", "rare", "one-block")
PLANTED_FEATURES = range(6, 12)  # in every plantable kind these move within the day


@dataclass(frozen=True, slots=True)
class HostileWorld:
    """The log {day: PAYOFF_SCORES columns}, what each window was expected to pay [n] in bps, and what was planted."""

    scores: dict[str, Columns]
    expected: Floats
    planted: tuple[tuple[Rule, float], ...] = ()


def hostile_world(
    kind: str, seed: int, days: int = 40, effect_bps: float = 0.0, like: int | None = None
) -> HostileWorld:
    """Return the world of one detector; `effect_bps` plants a true rule in the topmost bin of one feature.

    The rule is that of the world of seed `like` (default: its own). Raises `ConfigError` for an unknown kind,
    or an effect in one that is not `PLANTABLE`.
    """
    if kind not in _CHANGES:
        raise ConfigError(f"hostile world {kind!r}", f"one of {', '.join(KINDS)}")
    if effect_bps and kind not in PLANTABLE:
        raise ConfigError(f"an effect of {effect_bps} bps in {kind!r}", f"0, or one of {', '.join(PLANTABLE)}")
    log = _plain(kind, seed, days)
    _CHANGES[kind](log)
    if effect_bps:
        of = seed if like is None else like
        feature = PLANTED_FEATURES[key64("hostile plant", kind, of) % len(PLANTED_FEATURES)]
        top = N_BINS[feature] - 1
        bps = effect_bps if key64("hostile sign", kind, of) % 2 else -effect_bps
        log.planted = ((Rule.of(Literal(feature, top, top)), bps),)
    columns, expected = _columns(log)
    return HostileWorld(with_strata(columns), expected, log.planted)


def _plain(kind: str, seed: int, days: int) -> _Log:
    key = np.array([key64("hostile", kind), key64("hostile", kind, seed)], dtype=np.uint64)
    rng = np.random.Generator(np.random.Philox(key=key))
    n = days * MINUTES
    vol = np.exp(VOL_STATE * _ar(rng, n + 256, 1440.0))
    moves = SD_BPS / np.sqrt(5.0) * rng.standard_t(4, n + 256) / np.sqrt(2.0) * vol
    features = [_ar(rng, n, half_life) for half_life in HALF_LIVES]
    side = np.where(np.cumsum(rng.random(n) < 1.0 / 30.0) % 2 == 0, 1.0, -1.0)
    strength = 0.9 * _ar(rng, n, 30.0) + 0.3 * features[8]
    u0 = np.clip(2.0 * (strength - 1.3) + 0.7 * _ar(rng, n, 60.0), -3.9, 3.9)
    at = np.arange(n)
    price = np.concatenate([[0.0], np.cumsum(moves)])
    return _Log(rng, seed, days, at // MINUTES, at % MINUTES, price, side, features, u0, rng.random(n))


def _moves(log: _Log) -> Floats:
    """Return what each window's side made of the price until its payoff is known, in deviations of 12 bps."""
    at = np.arange(len(log.u0))
    forward = log.price[at + log.matures] - log.price[at]
    return np.asarray(log.side * forward * np.sqrt(5.0 / log.matures), dtype=np.float64)


def _columns(log: _Log) -> tuple[dict[str, Columns], Floats]:
    rng, n = log.rng, len(log.u0)
    p = 1.0 / (1.0 + np.exp(-log.u0))
    drawn = p if log.drawn is None else log.drawn
    tide = rng.normal(0.0, log.day_sd_bps, log.days)[log.day]
    bins = _all_bins(log)
    extra = log.extra + sum((bps * rule_mask(rule, bins) for rule, bps in log.planted), np.zeros(n))
    expected = log.edge(drawn) + tide + extra
    paid = (_moves(log) if log.noise is None else log.noise) + expected
    fill = paid - (rng.exponential(1.0, n) - 1.0)
    kept = np.ones(n, dtype=np.bool_) if log.open is None else log.open
    published, u0 = log.luck < drawn, log.u0
    if log.answers is not None:
        published, u0, kept = _with_results(log, fill)
        bins = _all_bins(log)
        p = 1.0 / (1.0 + np.exp(-u0))
    if log.drawn is not None:
        u0 = _fitted_logit(log.u0, published)
        p = 1.0 / (1.0 + np.exp(-u0))
    if log.impact_bps:
        pushed = np.convolve(published.astype(np.float64), np.concatenate([[0.0], np.ones(20)]))[:n]
        paid, fill = paid + log.impact_bps * pushed, fill + log.impact_bps * pushed
    executed = np.where(published, fill, np.nan)
    paper = paid if log.paper_when_unpublished is None else np.where(published, paid, paid + log.paper_when_unpublished)
    paper = np.where(published, fill, paper) if log.paper_is_fill else paper
    whole: dict[str, NDArray[np.generic]] = {
        "p": p, "u0": u0, "published": published, "payoff_p": paper, "payoff_y": executed, "h": p * (1.0 - p),
        "hit": (paper > 0.0).astype(np.float64), "f": score(p, published, paper, executed),
        "fill_source": np.where(published, "tape_sim", "").astype(object),
        **{name: bins[:, k] for k, name in enumerate(BIN_COLUMNS)},
    }  # fmt: skip
    out: dict[str, Columns] = {}
    for i, day in enumerate(days_between(FIRST_DAY, next_day(FIRST_DAY, log.days - 1))):
        at = np.flatnonzero((log.day == i) & kept)
        if len(at):
            end_ms = 60_000 * (log.minute[at] + 1)
            out[day] = {name: values[at] for name, values in whole.items()} | {
                "event_id": np.array([f"{day}-{k}" for k in at], dtype=object),
                "detector_id": np.full(len(at), "d0", dtype=object),
                "spec_version": np.ones(len(at), dtype=np.int32),
                "asset": np.full(len(at), "BTC", dtype=object),
                "horizon_s": np.full(len(at), 60 * log.horizon, dtype=np.int32),
                "window_end_ms": day_start_ms(day) + end_ms,
                "day": np.full(len(at), day, dtype=object),
                "block": ((end_ms - 1) // BLOCK_MS).astype(np.uint8),
            }
    return out, expected[kept]


def _all_bins(log: _Log) -> NDArray[np.uint8]:
    return np.stack([_bins(x, N_BINS[k]) for k, x in enumerate(log.features)], axis=1)


def _with_results(log: _Log, fill: Floats) -> tuple[Mask, Floats, Mask]:
    """Return what is published, the logits and which windows there are, where the desk answers to its own day."""
    n = len(fill)
    published, u0, kept = np.zeros(n, dtype=np.bool_), log.u0.copy(), np.ones(n, dtype=np.bool_)
    results, wins, since = np.zeros(n), np.zeros(n), np.zeros(n)
    assert log.answers is not None
    for first in range(0, n, MINUTES):
        result, under_way, known, last_loss = 0.0, list[int](), list[bool](), first - MINUTES
        for i in range(first, first + MINUTES):
            while under_way and under_way[0] + log.horizon <= i:
                done = under_way.pop(0)
                result += fill[done]
                known.append(bool(fill[done] > 0.0))
                last_loss = last_loss if known[-1] else i
            shift = log.answers(result)
            if shift is None:
                kept[i : first + MINUTES] = False
                break
            u0[i] += shift
            results[i], wins[i], since[i] = result, sum(known[-10:]), i - last_loss
            if log.luck[i] < 1.0 / (1.0 + np.exp(-u0[i])):
                published[i] = True
                under_way.append(i)
    if log.own_results:
        log.features[:3] = [results, wins, since]
    return published, u0, kept


def _fitted_logit(u0: Floats, published: Mask) -> Floats:
    """Return the logit of a logistic regression of publication on 1, u0 and its square, fitted on the whole log."""
    z, beta = np.column_stack([np.ones(len(u0)), u0, u0 * u0]), np.zeros(3)
    for _ in range(12):
        p = 1.0 / (1.0 + np.exp(-z @ beta))
        beta = beta + np.linalg.solve((z * (p * (1.0 - p))[:, None]).T @ z, z.T @ (published - p))
    return np.asarray(z @ beta, dtype=np.float64)


def _bins(values: Floats, count: int) -> NDArray[np.uint8]:
    """Return bins uint8 [n] of equally many windows, ties apart by their place."""
    rank = np.empty(len(values))
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return (rank * count // len(values)).astype(np.uint8)


def _ar(rng: np.random.Generator, n: int, half_life: float) -> Floats:
    """Return a stationary normal series of unit variance that remembers half after `half_life` steps."""
    from scipy.signal import lfilter

    rho = 0.5 ** (1.0 / half_life)
    out, _ = lfilter([np.sqrt(1.0 - rho**2)], [1.0, -rho], rng.normal(size=n), zi=[rho * rng.normal()])
    return np.asarray(out, dtype=np.float64)
