"""What was promised and what came of it, as daily sums: reliability and the scores of the forecasts are read from them.

A promise is what the calibration in force on a window's day says of it at its close: lambda mu, sigma; a hit (a payoff
above zero, exactly zero is half of one) is promised with probability p = Phi(mu / sigma). A day is kept as sums per
source, horizon and thousandth of p, the finest that a reliability curve is drawn from. In the literature: forecast
verification (Murphy 1973).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.decision.knowledge.calibration import Floats, ScoreCalibration
from lotus.decision.knowledge.evidence import REGIME_NAMES, Outcomes, Table, grouped, placed
from lotus.timebase import DAY_MS, day_of

PER_UNIT: Final = 1000
LEAST_P: Final = 1e-6  # a forecast is never surer than this, so that the log score stays finite

DM_PROMISES: Final = TableSpec(
    "dm_promises",
    ("source", "horizon_s", "p_bin"),
    (
        Column("source", "text", "", "who spoke: det:<detector>@<version>"),
        Column("horizon_s", "i4", "s", "decision horizon", low=1),
        Column("p_bin", "i4", "1/1000", "thousandth of the promised probability of a hit", low=0, high=PER_UNIT),
        Column("n", "i8", "", "promises", low=1),
        Column("w", "f8", "1", "sum of their weights", low=0),
        Column("p", "f8", "1", "sum of promised probabilities", low=0),
        Column("hit", "f8", "1", "hits; a payoff of exactly zero is half of one", low=0),
        Column("hit2", "f8", "1", "sum of squared hits", low=0),
        Column("brier", "f8", "1", "sum of (p - hit)^2", low=0),
        Column("log", "f8", "nats", "sum of -(hit ln p + (1 - hit) ln(1 - p))", low=0),
        Column("promised", "f8", "bps", "sum of promises", low=0),
        Column("realised", "f8", "bps", "sum of moves in the signal's direction, before costs"),
        Column("pr", "f8", "bps^2", "sum of promised times realised"),
        Column("pp", "f8", "bps^2", "sum of squared promises", low=0),
        Column("wpr", "f8", "bps^2", "weighted sum of promised times realised"),
        Column("wpp", "f8", "bps^2", "weighted sum of squared promises", low=0),
    ),
)


def promised(outcomes: Outcomes, fitted: Mapping[str, ScoreCalibration]) -> tuple[Floats, Floats]:
    """Return (mu, sigma) in bps, f8 [n] each, as the calibration of each window's own day (`fitted`) promised it.

    NaN where that day had none, or it knew nothing of the source at the horizon.
    """
    mu, sigma = np.full(len(outcomes), np.nan), np.full(len(outcomes), np.nan)
    keys = (outcomes.source, outcomes.horizon_s, outcomes.regime, outcomes.end_ms // DAY_MS)
    _, first, which = np.unique(placed(keys), return_index=True, return_inverse=True)
    distinct = np.stack([key[first] for key in keys], axis=1)
    for k, (source, horizon, regime, day) in enumerate(distinct.tolist()):
        calibration = fitted.get(day_of(day * DAY_MS))
        name, word = outcomes.sources[source], REGIME_NAMES[regime]
        cells = calibration.cells_of(name, horizon, word) if calibration else None
        if calibration is None or cells is None:
            continue
        (cell, own), own_rows = cells, which == k
        level = np.interp(outcomes.score[own_rows], cell.scores, cell.bps)
        mu[own_rows], sigma[own_rows] = np.maximum(level, 0.0) * calibration.shrinkage(own), cell.sigma_bps
    return mu, sigma


def promise_sums(outcomes: Outcomes, mu: Floats, sigma: Floats) -> Table:
    """Return the sums of a day's promises in key order; outcomes without a promise are left out."""
    has_promise = np.isfinite(mu) & np.isfinite(sigma)
    m, r, w = mu[has_promise], outcomes.realised_bps[has_promise], outcomes.weight[has_promise]
    p, hit = probability(m, sigma[has_promise]), np.where(r == 0.0, 0.5, (r > 0.0).astype(np.float64))
    values = {
        "n": np.ones(len(m)), "w": w, "p": p, "hit": hit, "hit2": hit * hit, "brier": (p - hit) ** 2,
        "log": -(hit * np.log(p) + (1.0 - hit) * np.log1p(-p)), "promised": m, "realised": r, "pr": m * r, "pp": m * m,
        "wpr": w * m * r, "wpp": w * m * m,
    }  # fmt: skip
    bins = (p * PER_UNIT).astype(np.int64)
    (source, horizon, bin_), summed = grouped(
        (outcomes.source[has_promise], outcomes.horizon_s[has_promise], bins), values
    )
    return {
        "source": np.array(outcomes.sources, dtype=object)[source],
        "horizon_s": horizon.astype(np.int32),
        "p_bin": bin_.astype(np.int32),
        **summed,
        "n": summed["n"].astype(np.int64),
    }


def probability(mu: Floats, sigma: Floats) -> NDArray[np.float64]:
    """Return the promised probability of a hit, f8 [n]; one half where nothing ever varied."""
    from scipy.special import ndtr

    ratio = np.divide(mu, sigma, out=np.zeros(len(mu)), where=sigma > 0.0)
    probabilities: Floats = np.clip(ndtr(ratio), LEAST_P, 1.0 - LEAST_P)
    return probabilities
