"""The credit of a week by detector, coin and expert, pooled in part; and which experts keep their vote.

Daily estimates are those of `expert_credit`. Of each cell (detector and coin) stands the mean of days with Student's
interval, none below five days; beside it the same drawn towards the expert's other cells by `pooling`. An expert keeps
voting when its value, over all coins, is shown to be above 0 in two detectors at least: one-sided t tests over the
days of four weeks, Holm's procedure over all pairs at .05. (S. Holm, 1979.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.curation.value import MIN_DAYS, over_days
from lotus.governance.credit.expert_credit import daily
from lotus.governance.credit.pooling import normal_normal

Rows = Mapping[str, NDArray[np.generic]]
ALL: Final = ""  # of detectors or coins in a row
LEVEL: Final = 0.05
DETECTORS: Final = 2
WEEKS: Final = 4


@dataclass(frozen=True, slots=True)
class ExpertCredit:
    """One expert in one cell, or over all of its detectors or coins (""); values in bps of a learning day.

    `low` and `high`: 95 %, None below five days; `pooled` and its error: drawn towards the other cells; `shapley` with
    its error from orders and days, None on the bench.
    """

    detector_id: str
    asset: str
    expert_id: str
    votes: bool
    weight: float
    windows: int
    days: int
    delta_sigma: float
    delta_value: float
    low: float | None
    high: float | None
    pooled: float | None
    pooled_error: float | None
    shapley: float | None
    shapley_error: float | None


def credits_of(rows: Rows, days: Sequence[str]) -> list[ExpertCredit]:
    """Return the credit over the sampled days: cells, detectors over all coins, and experts over all; key order."""
    lines = [dict(zip(rows, row, strict=True)) for row in zip(*(rows[n].tolist() for n in rows), strict=True)]
    out: list[ExpertCredit] = []
    for expert in sorted({line["expert_id"] for line in lines}):
        own = [line for line in lines if line["expert_id"] == expert]
        cells = sorted({(line["detector_id"], line["asset"]) for line in own})
        made = [_credit(own, days, *cell, expert) for cell in cells]
        out += _pooled(made, days)
        detectors = [_credit(own, days, d, ALL, expert) for d in sorted({cell[0] for cell in cells})]
        out += _pooled(detectors, days)
        whole = _credit(own, days, ALL, ALL, expert)
        if len(days) >= MIN_DAYS:
            found = normal_normal(*_moments(detectors, days))
            whole = _with_pooled(whole, found.mean, found.error)
        out.append(whole)
    return sorted(out, key=lambda c: (c.detector_id, c.asset, c.expert_id))


def keepers(rows: Rows, days: Sequence[str]) -> frozenset[str]:
    """Return the experts whose value over all coins is shown above 0 in two detectors; none below five days."""
    if len(days) < MIN_DAYS:
        return frozenset()
    p = {pair: _p_above(values) for pair, values in daily(rows, days, ("detector_id", "expert_id")).items()}
    shown: dict[str, int] = {}
    for rank, pair in enumerate(sorted(p, key=lambda pair: (p[pair], pair))):
        if p[pair] > LEVEL / (len(p) - rank):
            break
        shown[pair[1]] = shown.get(pair[1], 0) + 1
    return frozenset(expert for expert, detectors in shown.items() if detectors >= DETECTORS)


def _p_above(values: NDArray[np.float64]) -> float:
    """Return the p value of "the mean of days is at most 0"."""
    from scipy.special import stdtr

    n, spread = len(values), float(values.std(ddof=1))
    if spread == 0.0:
        return 1.0
    return 1.0 - float(stdtr(n - 1, float(values.mean()) * np.sqrt(n) / spread))


def _credit(
    own: Sequence[Mapping[str, Any]], days: Sequence[str], detector: str, asset: str, expert: str
) -> ExpertCredit:
    lines = [x for x in own if detector in (ALL, x["detector_id"]) and asset in (ALL, x["asset"])]
    values, shared = np.zeros(len(days)), np.zeros(len(days))
    at = {day: k for k, day in enumerate(days)}
    bench = all(x["shapley_bps"] != x["shapley_bps"] for x in lines)
    variance = 0.0
    for x in lines:
        values[at[x["day"]]] += x["value_bps"] / x["q"]
        if x["shapley_bps"] == x["shapley_bps"]:
            shared[at[x["day"]]] += x["shapley_bps"] / x["q"]
            variance += x["shapley_var"] / x["q"] ** 2
    n, total = len(days), over_days(values.tolist())
    windows = sum(x["windows"] for x in lines)
    between = float(shared.var(ddof=1)) / n if n > 1 else 0.0  # of days; that of orders is a part of it
    return ExpertCredit(
        detector_id=detector, asset=asset, expert_id=expert, votes=bool(lines[-1]["votes"]),
        weight=float(lines[-1]["weight"]), windows=windows, days=n,
        delta_sigma=sum(x["delta_sigma"] * x["windows"] for x in lines) / windows,
        delta_value=total.total / n, low=_share(total.low, n), high=_share(total.high, n), pooled=None,
        pooled_error=None, shapley=None if bench else float(shared.mean()),
        shapley_error=None if bench else float(np.sqrt(max(between, variance / n**2))),
    )  # fmt: skip


def _share(value: float | None, days: int) -> float | None:
    return None if value is None else value / days


def _pooled(cells: Sequence[ExpertCredit], days: Sequence[str]) -> list[ExpertCredit]:
    if len(days) < MIN_DAYS or not cells:
        return list(cells)
    found = normal_normal(*_moments(cells, days))
    return [_with_pooled(c, m, e) for c, m, e in zip(cells, found.cells.tolist(), found.errors.tolist(), strict=True)]


def _moments(cells: Sequence[ExpertCredit], days: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.special import stdtrit

    reach = float(stdtrit(len(days) - 1, 0.975))
    means = np.array([c.delta_value for c in cells])
    errors = np.array([np.nan if c.high is None else (c.high - c.delta_value) / reach for c in cells])
    return means, errors**2


def _with_pooled(one: ExpertCredit, mean: float, error: float) -> ExpertCredit:
    return one if mean != mean else replace(one, pooled=mean, pooled_error=error)
