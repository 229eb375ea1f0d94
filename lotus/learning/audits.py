"""Audits (step A): is the propensity in the log the one that drew, and does publishing leave other windows alone?

Calibration: A - p has mean zero, globally and in every rule of at most two literals (largest statistic against random
signs). Placebo: so has (A - p) P of the following window of the same asset, unless publishing moves the market.
Dispersion: (A - p)^2 must average p (1 - p); a policy that is deterministic but logs a probability fails it at once.
An alarm blocks new lessons of the detector until five clean nights.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.audit_sums import AUDIT_LITERALS, AuditDay
from lotus.learning.axes import axes
from lotus.learning.lesson import Audit, AuditState
from lotus.learning.search import draw_squares, evidence_of
from lotus.manifest import LearningDefaults
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus.timebase import BLOCKS_PER_DAY

AUDIT_DAYS = 20
Z_GLOBAL, Z_DISPERSION, MIN_STRATUM, CLEAN_NIGHTS = 4.0, 6.0, 500, 5
EXTREME_MARGIN = 2.0 * math.log(10.0)  # beyond the largest T^2 of J draws: a tenth of the last rank's probability

Floats = NDArray[np.float64]


def audit(
    detector_id: str,
    days: Sequence[AuditDay],
    signs: Floats,
    settings: LearningDefaults,
    before: AuditState | None = None,
    vocabulary: Vocabulary = DEFAULT,
) -> Audit:
    """Return the audits of one detector over its days among the last 20 learning days.

    `signs` [days, draws] are those of these days; `before`: last night's state.
    """
    before = before or AuditState()
    sums = np.sum([day.sums for day in days], axis=0) if days else np.zeros(4)
    strata = np.sum([day.strata for day in days], axis=0) if days else np.zeros((1, 3))
    crowded = [_ratio(x[1], x[2]) for x in strata if x[0] >= MIN_STRATUM]
    worst = max(crowded, key=abs, default=0.0)
    total = strata.sum(axis=0)
    figures = round_learned(
        np.array([_ratio(sums[0], sums[1]), _ratio(sums[2], sums[3]), _ratio(total[1], total[2]), worst])
    )
    extreme = [_extreme(days, which, signs, settings, vocabulary) for which in (0, 1)]
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
    return Audit(detector_id, int(total[0]), z[0], z[1], z[2], z[3], extreme[0], extreme[1], reason, state)


def _extreme(
    days: Sequence[AuditDay], which: int, signs: Floats, settings: LearningDefaults, vocabulary: Vocabulary
) -> bool:
    """Return whether the largest T^2 over supported rules of at most two literals is far beyond that of every draw.

    `which`: 0 calibration, 1 placebo. The margin carries the rank of the real path a decade further than J draws can
    show (T^2 has the tail of a chi-square): looked at every night for a year, the last rank alone is reached by one
    honest log in four.
    """
    if len(days) < settings.min_days:
        return False
    space, once = axes(AUDIT_LITERALS, vocabulary), np.ones(len(days))
    lane_day = np.repeat(np.arange(len(days)), BLOCKS_PER_DAY)
    evidence = evidence_of(np.concatenate([day.cubes[which] for day in days]), lane_day, once, space)
    weight = np.sum([day.cubes[2] for day in days], axis=(0, 1))
    support = evidence_of(weight[None], np.zeros(1, dtype=np.int64), np.ones(1), space).total
    family = np.isfinite(evidence.m) & (support >= settings.min_coverage * support.max(initial=0.0))
    if not family.any():
        return False
    draws = draw_squares(evidence, family, signs, space).max(axis=0)
    return bool(np.max(evidence.t[family] ** 2) > draws.max() + EXTREME_MARGIN)


def _ratio(value: float, variance: float) -> float:
    return float(value / np.sqrt(variance)) if variance > 0.0 else 0.0
