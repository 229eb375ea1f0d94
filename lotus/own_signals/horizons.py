"""What a rule's published windows did at every horizon of the files: described, never searched.

Means are over published windows inside and outside the rule, net of cost, with 95 % intervals from six-hour blocks,
because payoffs of neighbouring windows overlap. They are raw means: what was published there was chosen by its score.
Brier and log score judge the probability of a payoff above zero that came with the signal. In the literature: mark-outs
with cluster-robust errors; proper scoring rules.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.rows import DetectorRows
from lotus.own_signals.table import Floats, Ints, SignalTable
from lotus.priors.types import Rule

_Z95 = 1.959963984540054
_LEAST = 1e-6  # probabilities are scored inside [_LEAST, 1 - _LEAST]


@dataclass(frozen=True, slots=True)
class Markout:
    """Published windows of a rule at one horizon: how many, mean payoff with its interval, hits, excursions, scores.

    All in bps after cost. A hit is a payoff above zero, exactly zero is half a hit. `brier` and `log_score` (nats;
    lower is better) judge `p_hit`. None: the files have no such column, or no published window of the rule has a value.
    """

    horizon_s: int
    windows: int
    mean_bps: float
    ci95: tuple[float, float]
    hit_rate: float
    mean_outside_bps: float
    mfe_bps: float | None
    mae_bps: float | None
    brier: float | None
    log_score: float | None


@dataclass(frozen=True, slots=True)
class HorizonOutcomes:
    """Payoff net of cost, excursions and `p_hit` of the published windows, by horizon.

    `event` [m] int32: their `event_id`, ascending; each measure of `MEASURES` that the files have: float64 [m].
    """

    event: NDArray[np.int32]
    by_horizon: Mapping[int, Mapping[str, Floats]]


def outcomes_by_horizon(table: SignalTable, draw: Ints, decides: NDArray[np.bool_], cost_bps: float) -> HorizonOutcomes:
    """Return the outcomes of the published rows that decide; `draw` numbers the draw of every row."""
    published = table.published[decides]
    event = np.flatnonzero(published).astype(np.int32)
    wanted = draw[decides][published]
    place = np.full(int(draw[-1]) + 1, -1, dtype=np.int32)
    place[wanted] = np.arange(len(wanted))
    out: dict[int, dict[str, Floats]] = {int(h): {} for h in np.unique(table.horizon_s)}
    for name in ("payoff", *table.described):
        values = table.payoff if name == "payoff" else np.asarray(table.described[name])
        for horizon, measures in out.items():
            rows = np.flatnonzero((table.horizon_s == horizon) & table.published)
            draws = place[draw[rows]]
            measures[name] = np.full(len(wanted), np.nan)
            measures[name][draws[draws >= 0]] = values[rows[draws >= 0]] - (0.0 if name == "p_hit" else cost_bps)
    return HorizonOutcomes(event, out)


def markouts(rows: DetectorRows, rule: Rule, outcomes: HorizonOutcomes) -> tuple[Markout, ...]:
    """Return the mark-outs of a rule, shortest horizon first; horizons without an executed payoff are left out."""
    taken = np.flatnonzero(rows.published)
    places = np.searchsorted(outcomes.event, rows.event_id[taken].astype(np.int64))
    inside, lane = rows.covered(rule)[taken], rows.lane[taken]
    results = []
    for horizon, measures in sorted(outcomes.by_horizon.items()):
        values = {name: column[places] for name, column in measures.items()}
        paid = ~np.isnan(values["payoff"])
        here = paid & inside
        if int(here.sum()) > 1:
            outside = values["payoff"][paid & ~inside]
            results.append(_markout(horizon, {k: v[here] for k, v in values.items()}, lane[here], outside))
    return tuple(results)


def _markout(horizon: int, inside: Mapping[str, Floats], lane: Ints, outside: Floats) -> Markout:
    paid = inside["payoff"]
    mean, se = _clustered(paid, lane)
    hit = np.where(paid > 0.0, 1.0, np.where(paid == 0.0, 0.5, 0.0))
    p = np.clip(inside.get("p_hit", np.full(len(paid), np.nan)), _LEAST, 1.0 - _LEAST)
    return Markout(
        horizon_s=horizon,
        windows=len(paid),
        mean_bps=_learned(mean),
        ci95=(_learned(mean - _Z95 * se), _learned(mean + _Z95 * se)),
        hit_rate=_learned(float(hit.mean())),
        mean_outside_bps=_learned(float(outside.mean())) if len(outside) else math.nan,
        mfe_bps=_mean_of(inside.get("mfe_bps")),
        mae_bps=_mean_of(inside.get("mae_bps")),
        brier=_mean_of((p - hit) ** 2),
        log_score=_mean_of(-(hit * np.log(p) + (1.0 - hit) * np.log(1.0 - p))),
    )


def _mean_of(values: Floats | None) -> float | None:
    """Return the mean of the known values, None without any."""
    finite = np.zeros(0) if values is None else values[~np.isnan(values)]
    return _learned(float(finite.mean())) if len(finite) else None


def _learned(value: float) -> float:
    return float(round_learned(np.array([value]))[0])


def _clustered(values: Floats, lane: Ints) -> tuple[float, float]:
    """Return mean and standard error with blocks as clusters."""
    mean = float(values.mean())
    sums = np.bincount(lane, weights=values - mean)
    n = len(np.unique(lane))
    if n < 2:
        return mean, math.inf
    return mean, math.sqrt(float((sums * sums).sum()) * n / (n - 1)) / len(values)
