"""Audits (step A): is the propensity in the log the one that drew, and does publishing leave other windows alone?

Calibration: A - p has mean zero, globally and in every rule of at most two literals (largest statistic against random
signs). Placebo: so has (A - p) P of the following window of the same asset, unless publishing moves the market.
Dispersion: (A - p)^2 must average p (1 - p); a policy that is deterministic but logs a probability fails it at once.
An alarm blocks new lessons of the detector until five clean nights.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.axes import axes
from lotus.learning.effect import RECENT_DAYS
from lotus.learning.lesson import Audit, AuditState
from lotus.learning.rows import DetectorRows
from lotus.learning.search import draw_squares, evidence_of
from lotus.manifest import LearningDefaults

Z_GLOBAL, Z_DISPERSION, MIN_STRATUM, CLEAN_NIGHTS, STRATA = 4.0, 6.0, 500, 5, 10
EXTREME_MARGIN = 2.0 * math.log(10.0)  # beyond the largest T^2 of J draws: a tenth of the last rank's probability

Floats = NDArray[np.float64]


def audit(rows: DetectorRows, signs: Floats, settings: LearningDefaults, before: AuditState | None = None) -> Audit:
    """Return the audits of one detector over its last 20 learning days; `signs` [days, draws]; `before`: last night."""
    before = before or AuditState()
    recent = rows.recent(RECENT_DAYS)
    p, a = rows.p, rows.published.astype(np.float64)
    variance = p * (1.0 - p)
    following = following_payoff(rows)
    calibration = np.where(recent, a - p, 0.0)
    placebo = np.where(recent, (a - p) * following, 0.0)
    calibration_z = _ratio(calibration.sum(), np.sum(variance[recent]))
    placebo_z = _ratio(placebo.sum(), np.sum((variance * following**2)[recent]))
    dispersion_z, worst = _dispersion(p[recent], a[recent])
    extreme = [_extreme(rows, recent, value, signs, settings) for value in (calibration, placebo)]
    figures = round_learned(np.array([calibration_z, placebo_z, dispersion_z, worst]))
    checks = (
        (abs(figures[0]) > Z_GLOBAL, f"published more or less often than logged: z {figures[0]:.1f}"),
        (abs(figures[1]) > Z_GLOBAL, f"publishing moves the following window: z {figures[1]:.1f}"),
        (abs(figures[2]) > Z_DISPERSION, f"draws do not scatter as the propensity says: z {figures[2]:.1f}"),
        (abs(figures[3]) > Z_DISPERSION, f"draws do not scatter in one stratum of p: z {figures[3]:.1f}"),
        (extreme[0] and before.extreme_calibration, "calibration beyond every draw in some rule, two nights running"),
        (extreme[1] and before.extreme_placebo, "placebo beyond every draw in some rule, two nights running"),
    )
    failed = [text for bad, text in checks if bad]
    clean = 0 if failed else before.clean_nights + 1
    alarm = bool(failed) or (before.alarm and clean < CLEAN_NIGHTS)
    reason = "; ".join(failed) or (f"{clean} of {CLEAN_NIGHTS} clean nights since an alarm" if alarm else "")
    z = [float(x) for x in figures]
    state = AuditState(alarm, clean, extreme[0], extreme[1])
    return Audit(rows.detector_id, int(recent.sum()), z[0], z[1], z[2], z[3], extreme[0], extreme[1], reason, state)


def following_payoff(rows: DetectorRows) -> Floats:
    """Return P of the day's next window of the same asset less the day's mean, 0 for the last one; rows in time order.

    Only the same day is read, so a day's sums never change.
    """
    known = ~np.isnan(rows.payoff_p)
    paid = np.where(known, rows.payoff_p, 0.0)
    counts = np.maximum(np.bincount(rows.day, weights=known, minlength=len(rows.days)), 1.0)
    mean = np.bincount(rows.day, weights=paid, minlength=len(rows.days)) / counts
    centred = np.where(known, paid - mean[rows.day], 0.0)
    order = np.lexsort((rows.asset, rows.day))  # stable: time order inside asset and day
    same = (rows.asset[order][1:] == rows.asset[order][:-1]) & (rows.day[order][1:] == rows.day[order][:-1])
    out = np.zeros(len(rows))
    out[order[:-1][same]] = centred[order[1:][same]]
    return out


def _dispersion(p: Floats, a: Floats) -> tuple[float, float]:
    variance = p * (1.0 - p)
    surprise, expected = (a - p) ** 2 - variance, variance * (1.0 - 2.0 * p) ** 2
    stratum = np.minimum((p * STRATA).astype(np.int64), STRATA - 1)
    worst = 0.0
    for k in range(STRATA):
        inside = stratum == k
        if int(inside.sum()) >= MIN_STRATUM:
            worst = max(worst, _ratio(surprise[inside].sum(), expected[inside].sum()), key=abs)
    return _ratio(surprise.sum(), expected.sum()), worst


def _extreme(
    rows: DetectorRows, recent: NDArray[np.bool_], value: Floats, signs: Floats, settings: LearningDefaults
) -> bool:
    """Return whether the largest T^2 over supported rules of at most two literals is far beyond that of every draw.

    The margin carries the rank of the real path a decade further than J draws can show (T^2 has the tail of a
    chi-square): looked at every night for a year, the last rank alone is reached by one honest log in seven.
    """
    if int(np.unique(rows.day[recent]).size) < settings.min_days:
        return False
    space, g = axes(2), np.ones(len(rows.days))
    evidence = evidence_of(rows, value, g, space)
    support = evidence_of(rows, np.where(recent, rows.h, 0.0), g, space).total
    family = np.isfinite(evidence.m) & (support >= settings.min_coverage * support.max(initial=0.0))
    if not family.any():
        return False
    draws = draw_squares(evidence, family, signs, space).max(axis=0)
    return bool(np.max(evidence.t[family] ** 2) > draws.max() + EXTREME_MARGIN)


def _ratio(value: float, variance: float) -> float:
    return float(value / np.sqrt(variance)) if variance > 0.0 else 0.0
