"""How far promises are kept: the slope of realised over promised payoffs per source, and scores of the forecasts.

slope = (sum p r + E rho_0) / (sum p^2 + E), p promised and r realised in bps, older days fading with a half-life, E the
promised energy that the start rho_0 is worth. The reliability in [0, 1] walks towards it by a share a day and never by
more than a step; nobody sets it by hand. What is read are the daily sums of `promises`. In the literature:
Mincer-Zarnowitz regression through the origin; Brier 1950; reliability diagrams (Murphy 1973); Wilson intervals.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.decision.knowledge.evidence import Columns, grouped
from lotus.decision.knowledge.promises import LEAST_P
from lotus.decision.policy.policy import ReliabilityRule
from lotus.errors import LookAheadError

Z95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class SourceReliability:
    """One source at one horizon: its `value` in [0, 1] and the faded sums behind its slope.

    `through` is the last day whose outcomes are in it, "" before the first; `promises` counts all of them.
    """

    source: str
    horizon_s: int
    value: float
    sum_pr: float = 0.0
    sum_pp: float = 0.0
    through: str = ""
    promises: int = 0


@dataclass(frozen=True, slots=True)
class CurveBin:
    """Forecasts of one range of probability: promised and found share of hits with its 95 % interval, mean bps.

    The interval is that of `effective` forecasts, the sum of their weights: overlapping ones are not independent.
    """

    count: int
    effective: float
    promised_p: float
    hit_share: float
    hit_low: float
    hit_high: float
    promised_bps: float
    realised_bps: float


@dataclass(frozen=True, slots=True)
class ForecastQuality:
    """Scores of all promises; `*_base` are those of always telling the share of hits. Lower is better for all four."""

    count: int
    brier: float
    brier_base: float
    log_score: float
    log_base: float
    slope: float
    curve: tuple[CurveBin, ...]


def start_of(source: str, rule: ReliabilityRule) -> float:
    """Return where a source begins: people and charts low, they earn it."""
    return rule.detector_start if source.startswith("det:") else rule.human_start


def initial(source: str, horizon_s: int, rule: ReliabilityRule) -> SourceReliability:
    """Return the reliability of a source that has promised nothing yet."""
    return SourceReliability(source, horizon_s, start_of(source, rule))


def slope_of(sums: SourceReliability, rule: ReliabilityRule) -> float:
    """Return the slope of realised over promised with the start as its prior."""
    energy = rule.prior_energy_bps2
    total = sums.sum_pp + energy
    return (sums.sum_pr + energy * start_of(sums.source, rule)) / total if total > 0.0 else sums.value


def added(sums: SourceReliability, pairs: Iterable[tuple[float, float]]) -> SourceReliability:
    """Return the reliability with (promised, realised) pairs in bps in its sums; the value stays."""
    rows = sorted(pairs)
    return replace(
        sums,
        sum_pr=sums.sum_pr + math.fsum(p * r for p, r in rows),
        sum_pp=sums.sum_pp + math.fsum(p * p for p, _ in rows),
        promises=sums.promises + len(rows),
    )


def stepped(sums: SourceReliability, rule: ReliabilityRule) -> SourceReliability:
    """Return the reliability after one bounded step of its value towards the slope of its sums."""
    wanted = min(max(slope_of(sums, rule), 0.0), 1.0)
    step = min(max(rule.rate * (wanted - sums.value), -rule.max_step), rule.max_step)
    return replace(sums, value=_rounded(min(max(sums.value + step, 0.0), 1.0)))


def updated(
    previous: Sequence[SourceReliability], promises: Columns, day: str, rule: ReliabilityRule
) -> tuple[SourceReliability, ...]:
    """Return all reliabilities, in natural order, after a day's promises (`promises.promise_sums`): one step a source.

    Without any a source drifts back to its start. Raises `LookAheadError` for a day that was already absorbed.
    """
    kept = {(k.source, k.horizon_s): k for k in previous}
    keys = list(zip(promises["source"].tolist(), promises["horizon_s"].tolist(), strict=True))
    fade = 0.5 ** (1.0 / rule.half_life_days)
    for key in sorted({*kept, *keys}):
        own = kept.get(key) or initial(*key, rule)
        if own.through >= day:
            raise LookAheadError(f"day {day} of {key[0]}", f"a day after {own.through}", "a day absorbed twice")
        rows = [k for k, name in enumerate(keys) if name == key]
        summed = replace(
            own,
            sum_pr=own.sum_pr * fade + math.fsum(promises["wpr"][rows].tolist()),
            sum_pp=own.sum_pp * fade + math.fsum(promises["wpp"][rows].tolist()),
            through=day,
            promises=own.promises + sum(promises["n"][rows].tolist()),
        )
        kept[key] = stepped(summed, rule)
    return tuple(kept[key] for key in sorted(kept))


def forecast_quality(promises: Columns, bins: int = 10) -> ForecastQuality | None:
    """Return the scores and the reliability curve of promises (`promises.promise_sums`, days joined); None without.

    The curve has at most `bins` groups of about equal count by rising promised probability; equal promises stay in one
    group, or their outcomes would tell them apart.
    """
    names = [name for name in promises if name not in ("source", "horizon_s", "p_bin")]
    values = {name: promises[name].astype(np.float64) for name in names}
    rows = grouped((promises["p_bin"].astype(np.int64),), values)[1]
    total = {name: math.fsum(v.tolist()) for name, v in rows.items()}
    n = total["n"]
    if not n:
        return None
    base = total["hit"] / n
    sure = min(max(base, LEAST_P), 1.0 - LEAST_P)
    return ForecastQuality(
        count=int(n),
        brier=_rounded(total["brier"] / n),
        brier_base=_rounded(total["hit2"] / n - base * base),
        log_score=_rounded(total["log"] / n),
        log_base=_rounded(-(base * math.log(sure) + (1.0 - base) * math.log(1.0 - sure))),
        slope=_rounded(total["pr"] / total["pp"]) if total["pp"] > 0.0 else 0.0,
        curve=tuple(_bin({name: v[a:b] for name, v in rows.items()}) for a, b in pairwise(_cuts(rows["n"], bins))),
    )


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    >>> [round(x, 4) for x in wilson(8.0, 10)]
    [0.4902, 0.9433]
    """
    share, z2 = hits / n, Z95 * Z95
    centre, half = share + z2 / (2 * n), Z95 * math.sqrt(share * (1.0 - share) / n + z2 / (4 * n * n))
    return (centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n)


def _cuts(counts: NDArray[np.generic], bins: int) -> list[int]:
    """Return where groups of rising promises begin and end; a cut inside equal promises moves to their first."""
    after = np.cumsum(counts.astype(np.int64))
    n = int(after[-1])
    wanted = (int(np.searchsorted(after, n * k // bins, side="right")) for k in range(1, bins))
    return sorted({0, len(after), *wanted})


def _bin(rows: Columns) -> CurveBin:
    total = {name: math.fsum(v.tolist()) for name, v in rows.items()}
    n, effective = total["n"], total["w"]
    share = total["hit"] / n
    low, high = wilson(share * effective, effective) if effective > 0.0 else (0.0, 1.0)
    values = (effective, total["p"] / n, share, low, high, total["promised"] / n, total["realised"] / n)
    return CurveBin(int(n), *(_rounded(x) for x in values))


def _rounded(x: float) -> float:
    return float(f"{x:.8e}")
