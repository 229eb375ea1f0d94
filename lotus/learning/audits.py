"""Audits (step A): is the propensity in the log the one that drew, and are payoffs what the log says they are?

Calibration: A - p has mean zero, globally and in every rule of at most two literals (largest statistic against random
signs). Placebo: so has (A - p) P of the following window of the same asset, and of all windows within one and five
horizons after, unless publishing moves the market. Dispersion: (A - p)^2 must average p (1 - p); a policy that is
deterministic but logs a probability fails it at once. Beyond the horizon payoffs may go along with each other as
features last, slowly less so; where twice the distance makes a difference, they were known later than declared. An
alarm blocks new lessons of the detector until five clean nights. What does not block but changes what is asked: a
modelled payoff that knows whether it was published (scored without it), a desk that answers to the day's own results
(earlier days are asked too), skewed days (no proposals).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.audit_sums import AUDIT_LITERALS, LAGS, SPANS, AuditDay
from lotus.learning.axes import axes
from lotus.learning.boxes import box_moments
from lotus.learning.lesson import Audit, AuditState
from lotus.learning.search import draw_squares, evidence_of
from lotus.manifest import LearningDefaults
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus.timebase import BLOCKS_PER_DAY

AUDIT_DAYS = 20
Z_GLOBAL, Z_DISPERSION, MIN_STRATUM, CLEAN_NIGHTS = 4.0, 6.0, 500, 5
EXTREME_MARGIN = 2.0 * math.log(10.0)  # beyond the largest T^2 of J draws: a tenth of the last rank's probability
FIRST_DRAWS = 16  # one of them nearly always reaches an honest log's largest; the others are then not made
MAX_EQUAL = 0.2  # share of executed windows whose modelled payoff is exactly the executed one
MAX_BEYOND = 0.1  # share of the weight beyond the outer knots
MAX_LATE, T_LATE = 0.1, 3.0  # correlation at a distance and what twice as far loses of it, and the t of that by day
MIN_LATE = 0.3  # share of the pairs (by size) that must be left at twice the distance
T_RESULTS = 3.0
MAX_SKEW = 4.0  # of day sums, in its standard errors

Floats = NDArray[np.float64]


def audit(
    detector_id: str,
    days: Sequence[AuditDay],
    signs: Floats,
    settings: LearningDefaults,
    before: AuditState | None = None,
    vocabulary: Vocabulary = DEFAULT,
    window: Sequence[AuditDay] = (),
) -> Audit:
    """Return the audits of one detector over its days among the last 20 learning days (one look: of its window).

    `signs` [days, draws] are those of these days; `before`: last night's state; `window`: all its days in the search
    window, over which answers to results and skew are judged (default: the same days).
    """
    before = before or AuditState()
    sums = np.sum([day.sums for day in days], axis=0) if days else np.zeros(9)
    strata = np.sum([day.strata for day in days], axis=0) if days else np.zeros((1, 3))
    pairs = np.sum([day.pairs for day in days], axis=0) if days else np.zeros((len(SPANS) + 1, 2))
    crowded = [_ratio(x[1], x[2]) for x in strata if x[0] >= MIN_STRATUM]
    worst = max(crowded, key=abs, default=0.0)
    total = strata.sum(axis=0)
    window = window or days
    lag, correlation = _late(window)
    results, skew = _results(window), _skew(window)
    held = np.sum([day.sums for day in window], axis=0) if window else np.zeros(9)
    figures = round_learned(
        np.array([
            _ratio(sums[0], sums[1]), _ratio(sums[2], sums[3]), _ratio(total[1], total[2]), worst,
            *(_ratio(*pair) for pair in pairs), sums[5] / max(sums[4], 1.0), held[6] / max(held[7], 1e-300),
            lag, correlation, results, skew,
        ])
    )  # fmt: skip
    z = [float(x) for x in figures]
    spread, (paper, equal, beyond) = (z[4], z[5]), z[6:9]
    extreme = _extreme(days, signs, settings, vocabulary)
    once = settings.looks == "final"  # there is no second night
    again = "at the one look" if once else "two nights running"
    checks = (
        (abs(z[0]) > Z_GLOBAL, f"published more or less often than logged: z {z[0]:.1f}"),
        (abs(z[1]) > Z_GLOBAL, f"publishing moves the following window: z {z[1]:.1f}"),
        *(
            (abs(x) > Z_GLOBAL, f"publishing moves the windows of the next {_horizons(n)}: z {x:.1f}")
            for n, x in zip(SPANS, spread, strict=True)
        ),
        (abs(z[2]) > Z_DISPERSION, f"draws do not scatter as the propensity says: z {z[2]:.1f}"),
        (abs(z[3]) > Z_DISPERSION, f"draws do not scatter in one stratum of p: z {z[3]:.1f}"),
        (extreme[0] and (once or before.extreme_calibration), f"calibration beyond every draw in some rule, {again}"),
        (
            extreme[1] and (once or before.extreme_placebo),
            f"publishing moves the windows of the next 5 horizons beyond every draw in some rule, {again}",
        ),
    )
    failed = [text for bad, text in checks if bad]
    clean = 0 if failed else before.clean_nights + 1
    alarm = bool(failed) or (before.alarm and clean < CLEAN_NIGHTS)
    reason = "; ".join(failed) or (f"{clean} of {CLEAN_NIGHTS} clean nights since an alarm" if alarm else "")
    state = AuditState(alarm, clean, extreme[0], extreme[1])
    unfit = (  # of these nothing is remembered: they speak of the whole window
        (lag > 0.0, f"payoffs {lag:g} horizons apart go along by {z[10]:.2f}, twice as far by much less: known later "
         "than declared; log the horizon at which they are known"),
        (beyond > MAX_BEYOND, f"{beyond:.0%} of the weight lies beyond the propensities of the 20 days before, above "
         f"{MAX_BEYOND:.0%}: the policy changed; learn from the days after the change"),
    )  # fmt: skip
    reason = "; ".join([*([reason] if reason else []), *(text for bad, text in unfit if bad)])
    return Audit(
        detector_id, int(total[0]), z[0], z[1], z[2], z[3], extreme[0], extreme[1], reason, state,
        spread, paper, equal, z[9], z[10], beyond, z[11], z[12],
        paper_note=_paper_note(paper, equal, extreme[2]), results_note=_results_note(z[11]),
        skew_note=_skew_note(z[12]),
    )  # fmt: skip


def _horizons(n: int) -> str:
    return "horizon" if n == 1 else f"{n} horizons"


def _paper_note(z: float, equal: float, extreme: bool) -> str:
    if equal > MAX_EQUAL:
        return f"{equal:.0%} of the modelled payoffs are exactly the executed ones: scored without them"
    if abs(z) > Z_GLOBAL:
        return f"modelled payoffs know whether they were published (z {z:.1f}): scored without them"
    if extreme:
        return "modelled payoffs know whether they were published, beyond every draw in some rule: scored without them"
    return ""


def _results_note(t: float) -> str:
    if abs(t) <= T_RESULTS:
        return ""
    return f"the desk trades {'more' if t > 0.0 else 'less'} after good results of the day (t {t:.1f})"


def _skew_note(z: float) -> str:
    if abs(z) <= MAX_SKEW:
        return ""
    return f"payoffs of days are one-sided (skew {z:.1f} standard errors): signs by day hold for symmetric ones"


def _late(days: Sequence[AuditDay]) -> tuple[float, float]:
    """Return the largest distance, in horizons, at which payoffs correlate more than at twice that, and by how much."""
    if not days:
        return 0.0, 0.0
    parts = np.stack([day.lags for day in days])
    scale = np.sqrt(parts[:, :, 1].sum(axis=0) * parts[:, :, 2].sum(axis=0))
    by_day = parts[:, :, 0] / np.where(scale > 0.0, scale, 1.0)
    lost = by_day[:, :-1] - by_day[:, 1:]
    t = lost.sum(axis=0) / np.sqrt(np.maximum((lost**2).sum(axis=0), 1e-300))
    known = scale[1:] >= MIN_LATE * scale[:-1]
    near = by_day.sum(axis=0)[:-1]  # of overlapping payoffs it is positive
    late = np.flatnonzero((lost.sum(axis=0) > MAX_LATE) & (t > T_LATE) & (near > MAX_LATE) & known)
    return (float(LAGS[late[-1]]), float(near[late[-1]])) if len(late) else (0.0, 0.0)


def _results(days: Sequence[AuditDay]) -> float:
    """Return T by day of payoffs so far against how much more than on other days is traded in the next step."""
    if len(days) < 2:
        return 0.0
    excess, weight = (np.stack([day.steps[k] for day in days]) for k in range(2))
    others = (weight.sum(axis=0) - weight) / (len(days) - 1)
    so_far = np.cumsum(excess, axis=1)[:, :-1]
    moved = (so_far * (weight - others)[:, 1:]).sum(axis=1)
    return _by_day(moved)


def _skew(days: Sequence[AuditDay]) -> float:
    """Return the skew of the day sums of f in its standard errors, sqrt(6 / n)."""
    sums = np.array([day.sums[8] for day in days])
    if len(sums) < 3:
        return 0.0
    left = sums - sums.mean()
    spread = float((left**2).mean())
    return float((left**3).mean()) / spread**1.5 / math.sqrt(6.0 / len(sums)) if spread > 0.0 else 0.0


def _by_day(values: Floats) -> float:
    square = float((values * values).sum())
    return float(values.sum()) / math.sqrt(square) if square > 0.0 else 0.0


def _extreme(
    days: Sequence[AuditDay], signs: Floats, settings: LearningDefaults, vocabulary: Vocabulary
) -> tuple[bool, bool, bool]:
    """Return whether the largest T^2 over supported rules of at most two literals is far beyond that of every draw.

    Of calibration, of windows of the next five horizons, of the same window's modelled payoff. The margin carries the
    rank of the real path a decade further than J draws can show (T^2 has the tail of a chi-square): looked at every
    night for a year, the last rank alone is reached by one honest log in four.
    """
    if len(days) < settings.min_days:
        return False, False, False
    space, once = axes(AUDIT_LITERALS, vocabulary), np.ones(len(days))
    lane_day = np.repeat(np.arange(len(days)), BLOCKS_PER_DAY)
    *sums, weight = np.stack([day.cubes for day in days], axis=1).reshape(4, len(lane_day), -1)
    support = box_moments(weight.sum(axis=0)[None], np.ones(1), *space.table)[0]
    supported = support >= settings.min_coverage * support.max(initial=0.0)
    parts = [np.ascontiguousarray(x) for x in np.split(signs, [FIRST_DRAWS], axis=1) if x.size]

    def beyond(cube: Floats) -> bool:
        evidence = evidence_of(cube, lane_day, once, space, support)
        family = np.isfinite(evidence.m) & supported
        if not family.any():
            return False
        largest = np.max(evidence.t[family] ** 2)
        draws = (draw_squares(evidence, family, part, space).max() for part in parts)
        return all(largest > x + EXTREME_MARGIN for x in draws)

    calibration, placebo, paper = map(beyond, sums)
    return calibration, placebo, paper


def _ratio(value: float, variance: float) -> float:
    return float(value / np.sqrt(variance)) if variance > 0.0 else 0.0
