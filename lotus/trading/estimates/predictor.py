"""The trader's own intelligence (XI): fill probability, slippage and latency of an entry before it is sent.

Fill is a ridge logistic regression, slippage and log latency are linear quantile regressions (Koenker and Bassett
1978) with sorted quantiles, all fitted only on executions whose outcome was known. Without history the answer is
neutral. How good they are is measured on stored predictions, never on what was fitted. What an entry at rest would do
is the same fit on those that rested, filled meaning whole and at rest. They explain and hint; only that hint, once it
is measured to know something, is asked before a plan of the book rests.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.outcomes.intervals import clustered_error
from lotus.timebase import BLOCK_MS
from lotus.trading.execution.orders import Side
from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import Strategy

Floats = NDArray[np.float64]
QUANTILES = (0.1, 0.5, 0.9)
MIN_HISTORY = 40  # outcomes below which nothing is fitted
MOST_HISTORY = 1_000  # newest outcomes that are fitted: more would hold a thread for seconds
MIN_CLASS = 5  # fills and misses below which only their share is used
NEUTRAL_FILL = 0.5
BINS = 10
LARGE_SHARE = 1.0  # of the depth: beyond it a plan is better sent in parts
_L1 = 1e-3


@dataclass(frozen=True, slots=True)
class Features:
    """What is known when an entry is sent: spread and volatility in bps, size over the depth within its slippage."""

    spread_bps: float
    depth_share: float
    volatility_bps: float
    side: Side
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class PastExecution:
    """An entry sent at `sent_ms` and what became of it, known at `known_ms`; unmeasured outcomes are None.

    `rested` tells of an entry that was to rest whether it was filled whole while it did.
    """

    features: Features
    sent_ms: int
    known_ms: int
    filled: bool
    slippage_bps: float | None = None
    latency_ms: float | None = None
    rested: bool | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """Probability that the entry is filled whole; the quantiles `QUANTILES` of slippage and latency, None: unknown."""

    fill_prob: float
    slippage_bps: tuple[float, ...] | None = None
    latency_ms: tuple[float, ...] | None = None
    fitted_on: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """Centre and scale f8[k] of the inputs and coefficients (intercept first); None where nothing could be fitted."""

    fitted_on: int = 0
    base_rate: float = NEUTRAL_FILL
    centre: Floats | None = None
    scale: Floats | None = None
    fill: Floats | None = None
    slippage: Floats | None = None
    latency: Floats | None = None


class RouteHint(StrEnum):
    """How an entry might be sent; the plan decides."""

    CROSS = "cross"
    POST_ONLY = "post_only"
    SLICE = "slice"
    PASSIVE_ICEBERG = "passive_iceberg"


def prepare() -> None:
    """Fit what says nothing, so that a process is as large before its first fit as after: that loads 80 MB."""
    some = [Features(k % 7, 0.1 * (k % 5), k % 3, Side.BUY if k % 2 else Side.SELL, Strategy.LIMIT) for k in range(64)]
    fitted([PastExecution(one, k, k, k % 4 > 0, k % 11, 1.0 + k % 13) for k, one in enumerate(some)], len(some))


def fitted(history: Sequence[PastExecution], now_ms: int) -> Model:
    """Return the model of all executions whose outcome was known at `now_ms`; neutral below `MIN_HISTORY` of them."""
    past = sorted((e for e in history if e.known_ms <= now_ms), key=lambda e: (e.known_ms, e.sent_ms))
    if len(past) < MIN_HISTORY:
        return Model(len(past))
    raw = np.array([_inputs(e.features) for e in past])
    centre, scale = raw.mean(axis=0), raw.std(axis=0)
    scale[scale < 1e-9] = 1.0
    inputs, hit = (raw - centre) / scale, np.array([e.filled for e in past])
    return Model(
        fitted_on=len(past),
        base_rate=_base_rate(hit.tolist()),
        centre=round_learned(centre),
        scale=round_learned(scale),
        fill=_logistic(inputs, hit),
        slippage=_quantiles(inputs, [e.slippage_bps for e in past]),
        latency=_quantiles(inputs, [_log(e.latency_ms) for e in past]),
    )


def at_rest(history: Sequence[PastExecution]) -> list[PastExecution]:
    """Return the executions that were to rest, each with whether it was filled at rest as its fill."""
    rested = ((e, e.rested) for e in history)
    return [replace(e, filled=hit, slippage_bps=None, latency_ms=None) for e, hit in rested if hit is not None]


def predicted(model: Model, features: Features) -> Prediction:
    """Return what a model says of an entry."""
    if model.centre is None or model.scale is None:
        return Prediction(model.base_rate, fitted_on=model.fitted_on)
    inputs = np.concatenate([[1.0], (np.array(_inputs(features)) - model.centre) / model.scale])
    fill = model.base_rate if model.fill is None else _sigmoid(float(inputs @ model.fill))
    slippage = None if model.slippage is None else tuple(sorted((model.slippage @ inputs).tolist()))
    latency = None if model.latency is None else tuple(sorted(np.exp(model.latency @ inputs).tolist()))
    return Prediction(fill, slippage, latency, model.fitted_on)


def route_hint(model: Model, features: Features, knobs: ExecutionKnobs, rest: Prediction | None = None) -> RouteHint:
    """Return the hint: rest when a resting entry would probably fill, in parts when larger than the depth.

    Without a prediction of entries at rest (`rest`) a limit order stands for one.
    """
    resting = Features(
        features.spread_bps, features.depth_share, features.volatility_bps, features.side, Strategy.LIMIT
    )
    patient = (rest or predicted(model, resting)).fill_prob >= knobs.passive_fill
    if features.depth_share > LARGE_SHARE:
        return RouteHint.PASSIVE_ICEBERG if patient else RouteHint.SLICE
    return RouteHint.POST_ONLY if patient else RouteHint.CROSS


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of one tenth of [0, 1]: how many, their mean and the share that came true."""

    count: int
    mean: float
    share: float


@dataclass(frozen=True, slots=True)
class QuantileCalibration:
    """Of predicted quantiles: mean pinball loss, that of the past's own quantiles, and the share within the outer two.

    The share should be the distance of the outer quantiles, 0.8.
    """

    count: int
    pinball: float
    pinball_reference: float
    coverage: float


@dataclass(frozen=True, slots=True)
class ForecastCalibration:
    """Walk-forward quality: Brier score beside that of the past's own share, reliability, and the quantiles.

    `gain` is the 95 % interval of how much lower the own score is, over blocks of six hours; None below five.
    """

    count: int
    brier: float
    brier_reference: float
    reliability: tuple[Bin, ...]
    slippage: QuantileCalibration | None
    latency: QuantileCalibration | None
    gain: tuple[float, float] | None = None

    @property
    def is_better(self) -> bool:
        """Whether the predictions are shown to know more than the past's share."""
        return self.gain is not None and self.gain[0] > 0.0


@dataclass(frozen=True, slots=True)
class ForecastOutcome:
    """An execution and its prediction before it was sent, by a fit of `fitted_ms`."""

    execution: PastExecution
    prediction: Prediction
    fitted_ms: int


def stored_quality(
    forecasts: Sequence[ForecastOutcome], history: Sequence[PastExecution]
) -> ForecastCalibration | None:
    """Return how good stored predictions were, beside the share and the quantiles that their fits had seen.

    Predictions of no fit are left out; None when there are no others. `history` holds the executions of one venue.
    """
    ordered = sorted(history, key=lambda e: (e.known_ms, e.sent_ms))
    pasts = {t.fitted_ms: [e for e in ordered if e.known_ms < t.fitted_ms][-MOST_HISTORY:] for t in forecasts}
    share = {fitted_ms: _base_rate([e.filled for e in past]) for fitted_ms, past in pasts.items()}
    fitted_ones = [t for t in forecasts if t.prediction.fitted_on >= MIN_HISTORY]
    return _quality([(t.execution, t.prediction, share[t.fitted_ms], pasts[t.fitted_ms]) for t in fitted_ones])


def _quality(
    made: Sequence[tuple[PastExecution, Prediction, float, Sequence[PastExecution]]],
) -> ForecastCalibration | None:
    """Measure predictions against outcomes, each beside the share and the executions known when it was made."""
    if not made:
        return None
    hit = np.array([float(e.filled) for e, *_ in made])
    prob = np.array([p.fill_prob for _, p, *_ in made])
    base = np.array([share for *_, share, _ in made])
    return ForecastCalibration(
        count=len(made),
        brier=float(np.mean((prob - hit) ** 2)),
        brier_reference=float(np.mean((base - hit) ** 2)),
        reliability=_reliability(prob, hit),
        slippage=_judged([(e.slippage_bps, p.slippage_bps, [x.slippage_bps for x in past]) for e, p, _, past in made]),
        latency=_judged([(e.latency_ms, p.latency_ms, [x.latency_ms for x in past]) for e, p, _, past in made]),
        gain=_between((base - hit) ** 2 - (prob - hit) ** 2, [e.sent_ms for e, *_ in made]),
    )


def _between(values: Floats, times_ms: Sequence[int]) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean of values at some times, which hang together within six hours."""
    mean = float(values.mean())
    _, reach = clustered_error(values - mean, np.array(times_ms, np.float64) // BLOCK_MS)
    return None if np.isnan(reach) else (mean - reach, mean + reach)


def _inputs(features: Features) -> list[float]:
    kinds = [float(features.strategy is s) for s in (Strategy.LIMIT, Strategy.TWAP, Strategy.ICEBERG)]
    sizes = [math.log1p(max(0.0, x)) for x in (features.spread_bps, features.depth_share, features.volatility_bps)]
    return [*sizes, float(features.side), *kinds]


def _base_rate(hits: Sequence[bool]) -> float:
    return (sum(hits) + 1.0) / (len(hits) + 2.0)


def _log(x: float | None) -> float | None:
    return None if x is None else math.log(max(x, 1e-3))


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-35.0, min(35.0, x))))


def _logistic(inputs: Floats, hit: NDArray[np.bool_]) -> Floats | None:
    from sklearn.linear_model import LogisticRegression

    if min(int(hit.sum()), int((~hit).sum())) < MIN_CLASS:
        return None
    model = LogisticRegression(C=1.0, max_iter=500).fit(inputs, hit)
    return round_learned(np.concatenate([model.intercept_, model.coef_[0]]))


def _quantiles(inputs: Floats, outcomes: Sequence[float | None]) -> Floats | None:
    """Return coefficients f8[3, 1 + k] of the quantiles, or None with too few outcomes."""
    from sklearn.linear_model import QuantileRegressor

    rows = [k for k, y in enumerate(outcomes) if y is not None]
    if len(rows) < MIN_HISTORY:
        return None
    y = np.array([outcomes[k] for k in rows], np.float64)
    out = []
    for q in QUANTILES:
        model = QuantileRegressor(quantile=q, alpha=_L1, solver="highs").fit(inputs[rows], y)
        out.append(np.concatenate([[model.intercept_], model.coef_]))
    return round_learned(np.array(out))


def _reliability(prob: Floats, hit: Floats) -> tuple[Bin, ...]:
    place = np.minimum((prob * BINS).astype(np.int64), BINS - 1)
    return tuple(
        Bin(int(rows.sum()), float(prob[rows].mean()), float(hit[rows].mean()))
        for rows in (place == k for k in range(BINS))
        if rows.any()
    )


def _judged(
    rows: Sequence[tuple[float | None, tuple[float, ...] | None, Sequence[float | None]]],
) -> QuantileCalibration | None:
    loss, reference, within = [], [], []
    for outcome, quantiles, past in rows:
        seen = [x for x in past if x is not None]
        if outcome is None or quantiles is None or not seen:
            continue
        loss.append(_pinball(outcome, quantiles))
        reference.append(_pinball(outcome, np.quantile(seen, QUANTILES).tolist()))
        within.append(quantiles[0] <= outcome <= quantiles[-1])
    if not loss:
        return None
    return QuantileCalibration(len(loss), float(np.mean(loss)), float(np.mean(reference)), float(np.mean(within)))


def _pinball(outcome: float, quantiles: Sequence[float]) -> float:
    """Return the mean over the quantiles of max(q (y - x), (q - 1) (y - x))."""
    gaps = [(q, outcome - x) for q, x in zip(QUANTILES, quantiles, strict=True)]
    return sum(max(q * gap, (q - 1.0) * gap) for q, gap in gaps) / len(gaps)
