"""A second opinion on active lessons: the contrast of inside and outside by EconML's doubly robust learner.

Ours trusts the logged propensity and uses the paper payoff as control; theirs fits the outcome, cross-fitted, and is
right when either the propensity or the fit is. Both estimate C, the overlap-weighted difference of the payoff of
publishing inside and outside the rule given the strata and the day. A disagreement says that a log or a cost model is
wrong, not which. Weekly, never in the nightly path. Reference: Kennedy 2023, doubly robust (DR) learner.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.effect import effect_of, lane_sums, residuals
from lotus.learning.rows import DetectorRows
from lotus.priors.types import Rule

GROUPS, MAX_WINDOWS = 10, 200_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """Both estimates of one active lesson in bps with 95 % intervals; `agree`: one of them lies in the other's."""

    detector_id: str
    rule: Rule
    windows: int
    ours_bps: float
    ours_ci95: tuple[float, float]
    dr_bps: float
    dr_ci95: tuple[float, float]
    agree: bool


def cross_check(rows: DetectorRows, rule: Rule, others: tuple[Rule, ...], g: Floats, seed: int) -> CrossCheck:
    """Return both estimates of a rule, the `others` believed of the same detector in the baseline; g [days] weights."""
    left, covered = residuals(rows, others), rows.covered(rule)
    basis = left.basis
    ours = effect_of(lane_sums(rows, left.r.day, basis, covered), g)
    estimate, error = _doubly_robust(rows, basis.dense(), covered, g, seed)
    from scipy.special import stdtrit

    reach = float(stdtrit(GROUPS - 1, 0.975)) * error
    figures = round_learned(
        np.array([ours.contrast, *ours.contrast_ci95, estimate, estimate - reach, estimate + reach])
    )
    a, a_low, a_high, b, b_low, b_high = (float(x) for x in figures)
    agree = b_low <= a <= b_high or a_low <= b <= a_high
    return CrossCheck(rows.detector_id, rule, len(rows), a, (a_low, a_high), b, (b_low, b_high), agree)


def _doubly_robust(
    rows: DetectorRows, basis: Floats, covered: NDArray[np.bool_], g: Floats, seed: int
) -> tuple[float, float]:
    """Return (estimate, standard error) by the jackknife over groups of days, which stay the independent pieces."""
    picked = np.flatnonzero(rows.h > 0.0)
    if len(picked) > MAX_WINDOWS:
        rng = np.random.Generator(np.random.Philox(key=np.array([seed, len(picked)], dtype=np.uint64)))
        picked = np.sort(rng.choice(picked, MAX_WINDOWS, replace=False))
    group = rows.day[picked] * GROUPS // len(rows.days)
    full = _fit(rows, basis, covered, g, picked, seed)
    parts = np.array([_fit(rows, basis, covered, g, picked[group != k], seed) for k in range(GROUPS)])
    return full, math.sqrt((GROUPS - 1) / GROUPS * float(((parts - parts.mean()) ** 2).sum()))


def _fit(
    rows: DetectorRows, basis: Floats, covered: NDArray[np.bool_], g: Floats, at: NDArray[np.int64], seed: int
) -> float:
    from econml.dr import LinearDRLearner
    from sklearn.linear_model import Ridge

    strata = basis[at][:, 1:]  # the hats sum to one: the first is the intercept
    days = (rows.day[at][:, None] == np.unique(rows.day[at])[None, 1:]).astype(np.float64)
    treated = rows.published[at].astype(np.int64)
    paid = np.where(np.isnan(rows.payoff_y[at]), rows.payoff_p[at], rows.payoff_y[at])
    learner = LinearDRLearner(
        model_propensity=_Logged(), model_regression=Ridge(1.0), min_propensity=1e-6, cv=2, random_state=seed
    )
    learner.fit(
        np.where(treated == 1, paid, 0.0),
        treated,
        X=np.column_stack([covered[at].astype(np.float64), strata, days]),
        W=rows.p[at][:, None],
        sample_weight=rows.h[at] * (g[rows.day] * rows.weight)[at],
        inference=None,
    )
    return float(learner.coef_(T=1)[0])


class _Logged:
    """The logged propensity, in the last column of what the learner passes on, instead of a fitted one."""

    def fit(self, x: Floats, t: Any, sample_weight: Floats | None = None) -> "_Logged":
        """Learn nothing."""
        return self

    def predict_proba(self, x: Floats) -> Floats:
        """Return [1 - p, p]."""
        return np.column_stack([1.0 - x[:, -1], x[:, -1]])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return no parameters (what cloning asks for)."""
        return {}
