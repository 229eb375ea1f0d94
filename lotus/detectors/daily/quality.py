"""Signal quality of a detector from matured days: accuracy, precision, stability, orthogonality, cost.

All in [0, 1]; a term that cannot be formed (too little history, a zero denominator) is None and stands at 0.5.
r = forward return, P = modelled probe payoff, both bps at the decision horizon; d = sign of the signal.
Newey and West (1987) for the heteroskedasticity- and autocorrelation-consistent t.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.history import MAX_ASSETS, DayHistory
from lotus.priors.vocabulary import N_FEATURES

WEIGHTS: Mapping[str, float] = {
    "accuracy": 0.35, "precision": 0.25, "stability": 0.20, "orthogonality": 0.20, "cost": -0.20,
}  # fmt: skip
MIN_DAYS = 10
MIN_OVERLAP = 30


@dataclass(frozen=True, slots=True)
class Matured:
    """Signals of one detector with their matured payoffs (P modelled, Y executed), sorted by key; `day` counts days."""

    key: NDArray[np.int64]
    s: NDArray[np.float64]
    ret: NDArray[np.float64]
    payoff: NDArray[np.float64]
    day: NDArray[np.int64]
    bins: NDArray[np.uint8]
    published: NDArray[np.bool_]
    executed: NDArray[np.float64]

    @property
    def days(self) -> int:
        """Number of days with a matured signal."""
        return len(np.unique(self.day))


def matured(history: Sequence[DayHistory], detector: int) -> Matured:
    """Join the payoffs that matured in `history` (rising days) with the signals that earned them."""
    signals = [_rows(h.detector, detector) for h in history]
    paid = [_rows(h.paid_detector, detector) for h in history]
    key = np.concatenate([h.signal_key[r] for h, r in zip(history, signals, strict=True)])
    paid_key = np.concatenate([h.paid_key[r] for h, r in zip(history, paid, strict=True)])
    places = np.minimum(np.searchsorted(key, paid_key), max(len(key) - 1, 0))
    has_event = key[places] == paid_key if len(key) else np.zeros(len(paid_key), np.bool_)
    places = places[has_event]

    def joined(name: str, rows: Sequence[slice], keep: NDArray[np.generic]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = np.concatenate([getattr(h, name)[r] for h, r in zip(history, rows, strict=True)])
        kept: NDArray[np.float64] = values[keep]
        return kept

    day = np.concatenate([np.full(r.stop - r.start, k) for k, r in enumerate(paid)])[has_event]
    return Matured(
        key=paid_key[has_event],
        s=joined("s", signals, places),
        ret=joined("ret", paid, has_event),
        payoff=joined("payoff", paid, has_event),
        day=day.astype(np.int64),
        bins=joined("bins", signals, places).astype(np.uint8),
        published=joined("published", signals, places).astype(np.bool_),
        executed=joined("executed", paid, has_event),
    )


def nobody() -> Matured:
    """Return the signals of a detector that has none."""
    none, whole = np.zeros(0), np.zeros(0, np.int64)
    empty = np.zeros((0, N_FEATURES), np.uint8)
    return Matured(
        key=whole, s=none, ret=none, payoff=none, day=whole, bins=empty, published=np.zeros(0, np.bool_), executed=none
    )


def accuracy(m: Matured) -> float | None:
    """Return sum 1{sign s = sign r} |s| / sum |s|, ties one half."""
    weight = np.abs(m.s)
    hits = 0.5 + 0.5 * np.sign(m.s * m.ret)
    return _ratio(float(np.sum(hits * weight)), float(weight.sum()))


def precision(m: Matured, lag: int) -> float | None:
    """Return clip(t / 4, 0, 1), t = slope of r on s over its Newey-West error with `lag` windows."""
    if len(m.s) < MIN_OVERLAP:
        return None
    s = m.s - m.s.mean()
    square = float(np.sum(s * s))
    if square <= 0.0:
        return None
    slope = float(np.sum(s * m.ret)) / square
    errors = m.ret - m.ret.mean() - slope * s
    variance = newey_west(m.key // MAX_ASSETS, s * errors, lag)
    if variance <= 0.0:
        return None
    return min(max(slope * square / float(np.sqrt(variance)) / 4.0, 0.0), 1.0)


def newey_west(time: NDArray[np.int64], score: NDArray[np.float64], lag: int) -> float:
    """Return sum over lags |l| <= L of (1 - |l|/(L+1)) sum_t u_t u_{t+l}, u_t = scores of one time together."""
    moments, back = np.unique(time, return_inverse=True)
    places = np.concatenate([[0], np.cumsum(np.minimum(np.diff(moments), lag + 1))])
    u = np.zeros(int(places[-1]) + 1)
    u[places] = np.bincount(back, weights=score)
    total = float(np.sum(u * u))
    for step in range(1, min(lag, len(u) - 1) + 1):
        total += 2.0 * (1.0 - step / (lag + 1.0)) * float(np.sum(u[:-step] * u[step:]))
    return total


def stability(m: Matured) -> float | None:
    """Return m+ / (m+ + sd(IR_day) / sqrt(n)), IR_day = mean P / sd P of a day, m+ = max(mean IR, 0)."""
    ratios = []
    for day in np.unique(m.day):
        payoff = m.payoff[m.day == day]
        if len(payoff) > 1 and payoff.std() > 0.0:
            ratios.append(payoff.mean() / payoff.std())
    if len(ratios) < 2:
        return None
    mean = max(float(np.mean(ratios)), 0.0)
    return _ratio(mean, mean + float(np.std(ratios, ddof=1)) / float(np.sqrt(len(ratios))))


def orthogonality(cohort: Sequence[Matured], detector: int) -> float | None:
    """Return 1 - max_j |corr(P, P_j)| over the windows that two detectors share; None when it shares none."""
    own = cohort[detector]
    worst = None
    for j, other in enumerate(cohort):
        if j == detector:
            continue
        _, a, b = np.intersect1d(own.key, other.key, assume_unique=True, return_indices=True)
        p, q = own.payoff[a], other.payoff[b]
        if len(p) >= MIN_OVERLAP and p.std() > 0.0 and q.std() > 0.0:
            worst = max(worst or 0.0, abs(float(np.corrcoef(p, q)[0, 1])))
    return None if worst is None else min(max(1.0 - worst, 0.0), 1.0)


def cost_share(m: Matured) -> float | None:
    """Return cost / (cost + max(gross edge, 0)): gross edge = mean d r, cost = mean d r - P."""
    if not len(m.s):
        return None
    gross = np.sign(m.s) * m.ret
    cost = max(float(np.mean(gross - m.payoff)), 0.0)
    return _ratio(cost, cost + max(float(gross.mean()), 0.0))


def quality(cohort: Sequence[Matured], detector: int, lag: int) -> tuple[dict[str, float], list[str]]:
    """Return the parts `accuracy .. cost`, `score` = clip of their weighted sum, and the names that stand at 0.5.

    Below 10 matured days everything, the score included, is 0.5.
    """
    m = cohort[detector]
    if m.days < MIN_DAYS:
        return dict.fromkeys((*WEIGHTS, "score"), 0.5), [*WEIGHTS, "score"]
    parts = {
        "accuracy": accuracy(m),
        "precision": precision(m, lag),
        "stability": stability(m),
        "orthogonality": orthogonality(cohort, detector),
        "cost": cost_share(m),
    }
    filled = {name: 0.5 if value is None else float(value) for name, value in parts.items()}
    score = sum(WEIGHTS[name] * value for name, value in filled.items())
    return filled | {"score": min(max(score, 0.0), 1.0)}, [name for name, value in parts.items() if value is None]


def _rows(detectors: NDArray[np.int64], detector: int) -> slice:
    return slice(int(np.searchsorted(detectors, detector)), int(np.searchsorted(detectors, detector + 1)))


def _ratio(above: float, below: float) -> float | None:
    return above / below if below > 0.0 else None
