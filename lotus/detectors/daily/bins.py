"""Bins of the context, the scale of surprise, and the threshold of publication, from the trailing days.

Quantile bins with ties to the lower bin; signed features symmetrised by pooling x and -x (evidence: x and 1 - x).
Everything is an as-of estimate: the day it serves is not in it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.detectors.daily.history import MAX_ASSETS, DayHistory
from lotus.hashing import round_learned
from lotus.jit import allocating_kernel
from lotus.manifest import ScoreDefaults
from lotus.priors.vocabulary import FEATURE_NAMES, FEATURES, N_BINS, SESSION

_HBAR = FEATURE_NAMES.index("hbar")
_MX = FEATURE_NAMES.index("mx")
MIN_ROWS = 200  # eligible signals below which threshold and temperature keep their defaults


def hbar_scale(history: Sequence[DayHistory], n_assets: int) -> NDArray[np.float64]:
    """Return f8 [A, 2]: mean and deviation of ln(rv + 1e-4) per asset; NaN without history or without variation."""
    out = np.full((n_assets, 2), np.nan)
    for a in range(n_assets):
        rv = np.concatenate([h.rv[h.key % MAX_ASSETS == a] for h in history] or [np.zeros(0)])
        logs = np.log(rv[np.isfinite(rv)] + 1e-4)
        if len(logs) > 1 and logs.std() > 0.0:
            out[a] = logs.mean(), logs.std()
    return round_learned(out)


def surprise_of(history: DayHistory, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return kr_hbar of each window of a day as it would be under `scale` f8 [A, 2] (NaN where that is NaN)."""
    return replay_surprise(history.key, history.rv, scale, MAX_ASSETS)


@allocating_kernel
def replay_surprise(
    key: NDArray[np.int64], rv: NDArray[np.float64], scale: NDArray[np.float64], stride: int
) -> NDArray[np.float64]:
    """Page-Hinkley surprise over windows sorted by key, reset wherever an asset misses a window."""
    out = np.full(len(key), np.nan)
    sums = np.zeros(scale.shape[0])
    last = np.full(scale.shape[0], -2, np.int64)
    for i in range(len(key)):
        a = key[i] % stride
        window = key[i] // stride
        if window != last[a] + 1:
            sums[a] = 0.0
        last[a] = window
        if scale[a, 1] > 0.0:
            if rv[i] == rv[i]:
                x = min(max((mathx.log(rv[i] + 1e-4) - scale[a, 0]) / scale[a, 1], -5.0), 5.0)
                sums[a] = max(0.0, sums[a] + x - 0.25)
            out[i] = sums[a] / (sums[a] + 5.0)
    return out


def bin_edges(
    history: Sequence[DayHistory], surprise: Sequence[NDArray[np.float64]], n_assets: int
) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Return edges[asset][feature]: rising upper edges of all bins but the last; empty without values.

    `surprise`: kr_hbar per day under the scale in force. Session edges are fixed once there is a day of history.
    """
    out = []
    for a in range(n_assets):
        own_rows = [h.key % MAX_ASSETS == a for h in history]
        rows = np.concatenate(
            [h.x[m] for h, m in zip(history, own_rows, strict=True)] or [np.zeros((0, len(FEATURES)))]
        )
        hbar = np.concatenate([u[m] for u, m in zip(surprise, own_rows, strict=True)] or [np.zeros(0)])
        out.append(tuple(_edges(f, hbar if f == _HBAR else rows[:, f]) for f in range(len(FEATURES))))
    return tuple(out)


def _edges(feature: int, values: NDArray[np.float64]) -> tuple[float, ...]:
    values = values[np.isfinite(values)]
    n = N_BINS[feature]
    if not len(values):
        return ()
    if feature == SESSION:
        return tuple(k + 0.5 for k in range(n - 1))
    ranks = np.arange(1, n) / n
    centre = 0.5 if feature == _MX else 0.0
    if not (FEATURES[feature].aligned or feature == _MX):
        edges = np.quantile(values, ranks, method="inverted_cdf")
    else:
        edges = np.quantile(np.concatenate([values, 2.0 * centre - values]), ranks)
        edges = centre + (edges - edges[::-1]) / 2.0
    return tuple(round_learned(edges).tolist())


def threshold(ln_sigma: NDArray[np.float64], score: ScoreDefaults) -> tuple[float, float] | None:
    """Return (tau_pub, T) from trailing ln sigma of eligible signals before priors; None below 200 of them.

    T = clip(sd / 2, its bounds); tau solves mean clip(logistic((ln sigma - ln tau) / T), eps, 1 - eps) = publish share
    by bisection (with T = 0: the quantile).
    """
    if len(ln_sigma) < MIN_ROWS:
        return None
    t = min(max(float(ln_sigma.std()) / 2.0, score.temperature_min), score.temperature_max)
    t = float(round_learned(np.array([t]))[0])
    low, high = float(ln_sigma.min()) - 10.0, float(ln_sigma.max()) + 10.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if _share(ln_sigma, middle, t, score.epsilon) > score.publish_share:
            low = middle
        else:
            high = middle
    return float(round_learned(np.exp(np.array([high])))[0]), t


def _share(ln_sigma: NDArray[np.float64], ln_tau: float, t: float, epsilon: float) -> float:
    if t <= 0.0:
        return float(np.mean(ln_sigma >= ln_tau))
    z = np.clip((ln_sigma - ln_tau) / t, -40.0, 40.0)
    return float(np.mean(np.clip(1.0 / (1.0 + np.exp(-z)), epsilon, 1.0 - epsilon)))
