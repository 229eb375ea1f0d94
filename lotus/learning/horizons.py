"""What published windows did over each horizon: hit rate, excursions, net payoff, scores of the published probability.

Descriptive only: one horizon decides (it has the draw), the others never promote anything. Means of overlapping returns
carry a heteroscedasticity- and autocorrelation-consistent error (Newey and West 1987) whose lag spans the horizon.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned

Floats = NDArray[np.float64]
_LEAST = 1e-6  # probabilities are scored inside [_LEAST, 1 - _LEAST]


@dataclass(frozen=True, slots=True)
class HorizonStats:
    """One horizon of a set of published windows: means over windows, net payoff in bps after the modelled cost.

    `net_se_bps` is the Newey-West error of `net_bps`; `brier` and `log_score` (nats, lower is better) judge the
    published probability that the move goes with the signal; ties are half a hit.
    """

    horizon_s: int
    windows: int
    hit_rate: float
    net_bps: float
    net_se_bps: float
    mfe_net_bps: float
    mae_net_bps: float
    brier: float
    log_score: float


def horizon_stats(windows: Mapping[str, NDArray[np.generic]], horizons_s: Sequence[int]) -> tuple[HorizonStats, ...]:
    """Return one row per horizon over windows with columns of SIGNAL_EVAL and `probability` [n] of a hit.

    Windows without an outcome at a horizon do not count there. Net excursions: mfe and mae less the cost that the
    modelled probe paid (its move less its payoff).
    """
    order = np.lexsort((np.asarray(windows["asset"]).astype("S"), np.asarray(windows["window_end_ms"])))
    end = np.asarray(windows["window_end_ms"], dtype=np.int64)[order]
    probability = np.clip(np.asarray(windows["probability"], dtype=np.float64)[order], _LEAST, 1.0 - _LEAST)
    return tuple(_one(windows, order, end, probability, horizon) for horizon in horizons_s)


def _one(
    windows: Mapping[str, NDArray[np.generic]], order: NDArray[np.int64], end: NDArray[np.int64], p: Floats, h: int
) -> HorizonStats:
    names = ("payoff_p", "hit", "mfe", "mae", "fwd_ret_bps")
    net, hit, mfe, mae, move = (np.asarray(windows[f"{name}_{h}"], dtype=np.float64)[order] for name in names)
    known = np.isfinite(net) & np.isfinite(hit) & np.isfinite(mfe) & np.isfinite(mae) & np.isfinite(move)
    n = int(known.sum())
    if not n:
        return HorizonStats(h, 0, *(0.0,) * 7)
    net, hit, mfe, mae, move, p = (x[known] for x in (net, hit, mfe, mae, move, p))
    end = end[known]
    went_with = np.where(hit == 0.5, 0.0, np.where(hit > 0.5, np.abs(move), -np.abs(move)))
    cost = went_with - net
    overlap = int(np.max(np.arange(n) - np.searchsorted(end, end - 1000 * h, side="right")))
    scores = ((p - hit) ** 2).mean(), -(hit * np.log(p) + (1.0 - hit) * np.log(1.0 - p)).mean()
    means = hit.mean(), net.mean(), newey_west(net, overlap), (mfe - cost).mean(), (mae - cost).mean(), *scores
    return HorizonStats(h, n, *(float(x) for x in round_learned(np.array(means))))


def newey_west(values: Floats, lags: int) -> float:
    """Return the standard error of the mean of `values` [n] in time order with Bartlett weights up to `lags`."""
    if len(values) < 2:
        return 0.0
    from statsmodels.stats.sandwich_covariance import S_hac_simple  # type: ignore[import-untyped]

    centred = (values - values.mean())[:, None]
    return float(np.sqrt(max(0.0, float(S_hac_simple(centred, nlags=min(lags, len(values) - 1))[0, 0])))) / len(values)
