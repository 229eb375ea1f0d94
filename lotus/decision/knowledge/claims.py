"""How far the claims of fired braids are kept: a slope by source, horizon and level, and what it adds to a promise.

A window's promise is that of its score (`calibration`) plus b C, C the sum of the claims of its fired braids. The
residual e = payoff - promise of the score is regressed on C over the windows of the level and those without a claim,
within days, so that a day that paid all windows alike teaches nothing:

b = sum_d S_Ce,d / sum_d S_CC,d,   Var b = D/(D-1) sum_d (S_Ce,d - b S_CC,d)^2 / (sum_d S_CC,d)^2

with S the centred sums of day d under the weights of the outcomes. In force is b t^2 / (t^2 + Var b), t = 0.5, cut to
[0, 1], and 0 before 10 days. Priors and calibrations of a window's day come from earlier days, so every residual is out
of sample. In the literature: Mincer-Zarnowitz regression, fixed effects, cluster-robust variance, normal shrinkage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.decision.alphas import AlphaInput
from lotus.decision.knowledge.calibration import DmAlpha
from lotus.decision.knowledge.evidence import Columns, Outcomes, Table, grouped
from lotus.hashing import round_learned
from lotus.priors.claims import NO_LEVEL
from lotus.timebase import DAY_MS, day_of

Floats = NDArray[np.float64]
SlopeKey = tuple[str, int, int]  # source, horizon_s, level
Slopes = Mapping[SlopeKey, float]
MIN_DAYS: Final = 10  # days with windows of both kinds before a slope is in force
SPREAD: Final = 0.5  # deviation of slopes before any evidence

DM_CLAIMS: Final = TableSpec(
    "dm_claims",
    ("source", "horizon_s", "level"),
    (
        Column("source", "text", "", "who spoke: det:<detector>@<version>"),
        Column("horizon_s", "i4", "s", "decision horizon", low=1),
        Column("level", "i4", "", "highest level of the braids that fired; -1 where none has a claim", low=NO_LEVEL),
        Column("n", "i8", "", "promises", low=1),
        Column("w", "f8", "1", "sum of their weights", low=0),
        Column("wc", "f8", "bps", "weighted sum of claims"),
        Column("wcc", "f8", "bps^2", "weighted sum of squared claims", low=0),
        Column("we", "f8", "bps", "weighted sum of payoff minus what the score promised"),
        Column("wce", "f8", "bps^2", "weighted sum of claim times that difference"),
    ),
)


@dataclass(frozen=True, slots=True)
class ClaimSlope:
    """How far claims of a source, horizon and level are kept: `value` in [0, 1] is in force, `found` is as measured.

    `se` is the standard error of `found` by days; `days` and `windows` are what it rests on.
    """

    source: str
    horizon_s: int
    level: int
    value: float
    found: float
    se: float
    days: int
    windows: int


def claim_sums(outcomes: Outcomes, mu: Floats) -> Table:
    """Return the sums of a day, of sources and horizons with a claim; `mu` f8 [n] is what scores promised, NaN = none.

    Outcomes without a promise are left out. No rows where no braid with a claim fired.
    """
    whole = np.isfinite(mu)
    level, source, horizon = (x[whole] for x in (outcomes.claim_level, outcomes.source, outcomes.horizon_s))
    lines = source * (int(horizon.max()) + 1 if len(horizon) else 1) + horizon
    rows = np.isin(lines, lines[level > NO_LEVEL])
    w, c = outcomes.weight[whole][rows], outcomes.claim_bps[whole][rows]
    e = (outcomes.realised_bps - mu)[whole][rows]
    values = {"n": np.ones(len(w)), "w": w, "wc": w * c, "wcc": w * c * c, "we": w * e, "wce": w * c * e}
    (by_source, by_horizon, by_level), summed = grouped((source[rows], horizon[rows], level[rows]), values)
    return {
        "source": np.array(outcomes.sources, dtype=object)[by_source],
        "horizon_s": by_horizon.astype(np.int32),
        "level": by_level.astype(np.int32),
        **summed,
        "n": summed["n"].astype(np.int64),
    }


def no_claims() -> Table:
    """Return the sums of a day without claims."""
    return {c.name: np.zeros(0, dtype=DM_CLAIMS.numpy_dtype(c.name)) for c in DM_CLAIMS.columns}


def slopes_of(days: Mapping[str, Columns]) -> tuple[ClaimSlope, ...]:
    """Return the slopes after the last of `days` (sums by day), by source, horizon and level."""
    found: dict[SlopeKey, list[tuple[float, float, int]]] = {}
    for day in sorted(days):
        rows = {(str(r["source"]), int(r["horizon_s"]), int(r["level"])): r for r in _records(days[day])}
        for (source, horizon, level), row in rows.items():
            if level == NO_LEVEL:
                continue
            both = [row, *([rows[source, horizon, NO_LEVEL]] if (source, horizon, NO_LEVEL) in rows else [])]
            w, c, e = (sum(r[name] for r in both) for name in ("w", "wc", "we"))
            if w > 0.0:
                sums = row["wce"] - c * e / w, row["wcc"] - c * c / w, int(row["n"])
                found.setdefault((source, horizon, level), []).append(sums)
    return tuple(_slope(key, found[key]) for key in sorted(found))


def in_force(slopes: tuple[ClaimSlope, ...]) -> Slopes:
    """Return the slopes that add something, by source, horizon and level."""
    return {(s.source, s.horizon_s, s.level): s.value for s in slopes if s.value > 0.0}


def with_claims(mu: Floats, outcomes: Outcomes, slopes: Mapping[str, Slopes]) -> Floats:
    """Return promises of scores f8 [n] with what claims add, by the slopes in force on each window's own day."""
    promised = mu.copy()
    for k in np.flatnonzero(outcomes.claim_level > NO_LEVEL).tolist():
        key = outcomes.sources[outcomes.source[k]], int(outcomes.horizon_s[k]), int(outcomes.claim_level[k])
        slope = slopes.get(day_of(int(outcomes.end_ms[k]) // DAY_MS * DAY_MS), {}).get(key, 0.0)
        if slope > 0.0:
            promised[k] = raised(float(mu[k]), slope, float(outcomes.claim_bps[k]))
    return promised


def heard(alpha: DmAlpha, view: AlphaInput, slopes: Slopes, now_ms: int) -> DmAlpha:
    """Return a calibrated view with what its claims add to its promise; the same where nothing is in force for them."""
    slope = slopes.get((view.source, view.horizon_s, view.claim_level), 0.0)
    if slope == 0.0:
        return alpha
    age_s = max(now_ms - view.window_end_ms, 0) / 1000.0
    promise = raised(abs(alpha.raw_mu_bps) * alpha.shrinkage, slope, view.claim_bps)
    mu_bps = promise * view.sign * 2.0 ** (-age_s / alpha.half_life_s)
    return replace(
        alpha, mu_bps=mu_bps, claim_bps=view.claim_bps, claim_level=view.claim_level, claim_slope=slope,
        claim_added_bps=mu_bps - alpha.mu_bps,
    )  # fmt: skip


def raised(promise_bps: float, slope: float, claim_bps: float) -> float:
    """Return a promise with what claims add to it; never below zero, as a source is not believed the other way round.

    >>> raised(1.0, 0.5, 4.0), raised(1.0, 0.5, -4.0)
    (3.0, 0.0)
    """
    return max(promise_bps + slope * claim_bps, 0.0)


def _records(table: Columns) -> list[dict[str, float]]:
    names = list(table)
    return [dict(zip(names, row, strict=True)) for row in zip(*(table[n].tolist() for n in names), strict=True)]


def _slope(key: SlopeKey, days: list[tuple[float, float, int]]) -> ClaimSlope:
    """Return the slope of centred sums (claim x residual, claim^2, windows) by day; days without contrast count not."""
    useful = [(ce, cc) for ce, cc, _ in days if cc > 1e-9]
    ce, cc = np.array([x for x, _ in useful]), np.array([x for _, x in useful])
    n, total = len(useful), float(cc.sum())
    slope = float(ce.sum()) / total if n else 0.0
    spread = n / (n - 1) * float(((ce - slope * cc) ** 2).sum()) / total**2 if n > 1 else np.inf
    value = slope * SPREAD**2 / (SPREAD**2 + spread) if n >= MIN_DAYS else 0.0
    rounded = round_learned(np.array([min(max(value, 0.0), 1.0), slope, spread**0.5]))
    (source, horizon_s, level), (in_force_value, found, error) = key, rounded.tolist()
    windows = sum(count for *_, count in days)
    return ClaimSlope(source, horizon_s, level, in_force_value, found, error, n, windows)
