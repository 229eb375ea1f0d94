"""How far promises are kept: the slope of realised over promised payoffs per source, and scores of the forecasts.

slope = (sum p r + E rho_0) / (sum p^2 + E), p promised and r realised in bps, older days fading with a half-life, E the
promised energy that the start rho_0 is worth. The reliability in [0, 1] walks towards it by a share a day and never by
more than a step; nobody sets it by hand. A hit is a payoff above zero (exactly zero is half a hit), promised with
probability Phi(mu / sigma). In the literature: Mincer-Zarnowitz regression through the origin; Brier 1950; reliability
diagrams (Murphy 1973); Wilson intervals.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist
from typing import Final

from lotus.decision.calibration import Outcome
from lotus.decision.policy import ReliabilityRule
from lotus.errors import LookAheadError

_NORMAL: Final = NormalDist()
Z95: Final = 1.959963984540054
LEAST_P: Final = 1e-6  # a forecast is never surer than this, so that the log score stays finite


@dataclass(frozen=True, slots=True)
class Reliability:
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


def initial(source: str, horizon_s: int, rule: ReliabilityRule) -> Reliability:
    """Return the reliability of a source that has promised nothing yet."""
    return Reliability(source, horizon_s, start_of(source, rule))


def slope_of(known: Reliability, rule: ReliabilityRule) -> float:
    """Return the slope of realised over promised with the start as its prior."""
    energy = rule.prior_energy_bps2
    total = known.sum_pp + energy
    return (known.sum_pr + energy * start_of(known.source, rule)) / total if total > 0.0 else known.value


def added(known: Reliability, pairs: Iterable[tuple[float, float]]) -> Reliability:
    """Return the reliability with (promised, realised) pairs in bps in its sums; the value stays."""
    rows = sorted(pairs)
    return replace(
        known,
        sum_pr=known.sum_pr + math.fsum(p * r for p, r in rows),
        sum_pp=known.sum_pp + math.fsum(p * p for p, _ in rows),
        promises=known.promises + len(rows),
    )


def stepped(known: Reliability, rule: ReliabilityRule) -> Reliability:
    """Return the reliability after one bounded step of its value towards the slope of its sums."""
    wanted = min(max(slope_of(known, rule), 0.0), 1.0)
    step = min(max(rule.rate * (wanted - known.value), -rule.max_step), rule.max_step)
    return replace(known, value=_rounded(min(max(known.value + step, 0.0), 1.0)))


def updated(
    known: Sequence[Reliability], outcomes: Iterable[Outcome], day: str, rule: ReliabilityRule
) -> tuple[Reliability, ...]:
    """Return all reliabilities, in natural order, after the outcomes that matured on `day`: one step per source.

    Outcomes without a promise add nothing; without any a source drifts back to its start. Raises `LookAheadError` for
    one of another day, and for a day that was already absorbed.
    """
    kept = {(k.source, k.horizon_s): k for k in known}
    pairs: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for o in outcomes:
        if o.matured_day != day:
            raise LookAheadError(f"an outcome of {o.matured_day}", f"outcomes that matured on {day}")
        if o.promised_bps is not None:
            root = math.sqrt(o.weight)
            mine_too = pairs.setdefault((o.source, o.horizon_s), [])
            mine_too.append((o.promised_bps * root, o.realised_bps * root))
    fade = 0.5 ** (1.0 / rule.half_life_days)
    for key in sorted({*kept, *pairs}):
        mine = kept.get(key) or initial(*key, rule)
        if mine.through >= day:
            raise LookAheadError(f"day {day} of {key[0]}", f"a day after {mine.through}", "a day absorbed twice")
        faded = replace(mine, sum_pr=mine.sum_pr * fade, sum_pp=mine.sum_pp * fade, through=day)
        kept[key] = stepped(added(faded, pairs.get(key, ())), rule)
    return tuple(kept[key] for key in sorted(kept))


def forecast_quality(outcomes: Iterable[Outcome], bins: int = 10) -> ForecastQuality | None:
    """Return the scores and the reliability curve of all outcomes with a promise; None without any.

    The curve has at most `bins` groups of about equal count by rising promised probability; equal promises stay in one
    group, or their outcomes would tell them apart.
    """
    rows = sorted(
        (_probability(o.promised_bps, o.sigma_bps), o.promised_bps, o.realised_bps, _hit(o.realised_bps), o.weight)
        for o in outcomes
        if o.promised_bps is not None and o.sigma_bps is not None
    )
    if not rows:
        return None
    n = len(rows)
    base = math.fsum(hit for *_, hit, _ in rows) / n
    energy = math.fsum(p * p for _, p, *_ in rows)
    return ForecastQuality(
        count=n,
        brier=_rounded(math.fsum((p - hit) ** 2 for p, *_, hit, _ in rows) / n),
        brier_base=_rounded(math.fsum((base - hit) ** 2 for *_, hit, _ in rows) / n),
        log_score=_rounded(math.fsum(_log_loss(p, hit) for p, *_, hit, _ in rows) / n),
        log_base=_rounded(math.fsum(_log_loss(_clipped(base), hit) for *_, hit, _ in rows) / n),
        slope=_rounded(math.fsum(p * r for _, p, r, *_ in rows) / energy) if energy > 0.0 else 0.0,
        curve=tuple(_bin(rows[a:b]) for a, b in pairwise(_cuts([p for p, *_ in rows], bins))),
    )


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    >>> [round(x, 4) for x in wilson(8.0, 10)]
    [0.4902, 0.9433]
    """
    share, z2 = hits / n, Z95 * Z95
    centre, half = share + z2 / (2 * n), Z95 * math.sqrt(share * (1.0 - share) / n + z2 / (4 * n * n))
    return (centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n)


def _cuts(promised: Sequence[float], bins: int) -> list[int]:
    """Return where groups of rising promises begin and end; a cut inside equal promises moves to their first."""
    n = len(promised)
    wanted = (bisect_left(promised, promised[n * k // bins]) for k in range(1, bins))
    return sorted({0, n, *wanted})


def _bin(rows: Sequence[tuple[float, float, float, float, float]]) -> CurveBin:
    n, effective = len(rows), math.fsum(weight for *_, weight in rows)
    share = math.fsum(hit for *_, hit, _ in rows) / n
    low, high = wilson(share * effective, effective) if effective > 0.0 else (0.0, 1.0)
    means = [math.fsum(row[k] for row in rows) / n for k in range(3)]
    values = (effective, means[0], share, low, high, means[1], means[2])
    return CurveBin(n, *(_rounded(x) for x in values))


def _probability(mu_bps: float, sigma_bps: float) -> float:
    return _clipped(_NORMAL.cdf(mu_bps / sigma_bps) if sigma_bps > 0.0 else 0.5)


def _clipped(p: float) -> float:
    return min(max(p, LEAST_P), 1.0 - LEAST_P)


def _hit(realised_bps: float) -> float:
    return 0.5 if realised_bps == 0.0 else float(realised_bps > 0.0)


def _log_loss(p: float, hit: float) -> float:
    return -(hit * math.log(p) + (1.0 - hit) * math.log(1.0 - p))


def _rounded(x: float) -> float:
    return float(f"{x:.8e}")
