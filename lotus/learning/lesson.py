"""What one night hands on: lessons, refusals with the number that failed, audits and the night's critical value.

Frozen values only; every learned number in them is rounded to nine significant digits, so equal inputs give equal
bits. How they are found is `search`, `greedy` and `night`; what they may change is `lotus.weave`.
"""

from dataclasses import dataclass, replace
from typing import Literal as OneOf

from lotus.hashing import natural_id
from lotus.priors.types import Rule

Grade = OneOf["A", "B", "C", "D", "none"]
State = OneOf["IDENTIFIED", "MODEL_ONLY", "REFUSED"]


@dataclass(frozen=True, slots=True)
class NearTie:
    """A rule whose evidence lies within two nats of the lesson's: as good a name for the same effect."""

    rule: Rule
    m_nats: float
    uplift_bps: float


@dataclass(frozen=True, slots=True)
class LaneEffect:
    """What one lane says of a rule: uplift with interval and bound in bps, T, T of the newest days, M and its bar."""

    uplift_bps: float
    se_bps: float
    ci95: tuple[float, float]
    lcb_bps: float
    t_stat: float
    recent_t: float
    m_nats: float
    critical: float


@dataclass(frozen=True, slots=True)
class PartEffect:
    """The uplift of a rule on a part of its windows, in the weaker lane, bps, and its published windows there."""

    name: str
    uplift_bps: float
    se_bps: float
    n_published: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """One rule, its effect over what the detector's own score already knows, and all that supports it.

    `uplift_bps` is the overlap-weighted mean payoff over the baseline inside the rule, `lcb_bps` the simultaneous
    lower bound of its size (valid after the search), `claim_bps` the shrunk claim, `net_*_bps` the mean net payoff in
    the rule with its one-sided 95 % bounds. `m_nats` is the evidence after the price of the rule's length, `critical`
    what it had to exceed. `state` and `grade` say what it may do; a refused lesson carries `reason`.
    Effect, interval and bound are those of the weaker of the two `lanes`, `m_nats` and `critical` those of the one that
    was nearer to failing. `parts`: the effect by asset, by halves of the days and on the newest fifth; `warnings`: what
    audits found that does not refuse it.
    `contrast_bps` is the difference of inside and outside that `uplift_bps` is the not absorbed share of.
    `shadow_price_bps` is what an alert costs elsewhere when an alert budget is in force (`alert_budget`), else 0.
    """

    lesson_id: str
    branch: str
    night: str
    detector_id: str
    horizon_s: int
    rule: Rule
    sign: int
    uplift_bps: float
    se_bps: float
    ci95: tuple[float, float]
    lcb_bps: float
    claim_bps: float
    net_mean_bps: float
    net_low_bps: float
    net_high_bps: float
    sigma_y_bps: float
    m_nats: float
    t_stat: float
    recent_t: float
    critical: float
    n_windows: int
    n_published: int
    ess: float
    n_days: int
    n_blocks: int
    n_eff_days: float
    coverage: float
    fill_share: float
    trials: int
    grade: Grade
    state: State
    reason: str = ""
    near_ties: tuple[NearTie, ...] = ()
    members_sample: tuple[str, ...] = ()
    shadow_price_bps: float = 0.0
    alert_budget: bool = False
    contrast_bps: float = 0.0
    contrast_ci95: tuple[float, float] = (0.0, 0.0)
    lanes: tuple[LaneEffect, ...] = ()
    parts: tuple[PartEffect, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether it may own a patch (identified, grade A or B)."""
        return self.state == "IDENTIFIED"

    def named(self) -> "Lesson":
        """Return the lesson with `lesson_id` set to the hash of its content."""
        blank = replace(self, lesson_id="")
        return replace(self, lesson_id=natural_id("lesson", repr(blank)))


@dataclass(frozen=True, slots=True)
class AuditState:
    """Memory of one detector's audits from night to night."""

    alarm: bool = False
    clean_nights: int = 0
    extreme_calibration: bool = False
    extreme_placebo: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """Audits of one detector: is the logged propensity the one that drew, and does publishing leave others alone?

    z scores of A - p (calibration), of (A - p) P of the following window (placebo) and of the dispersion of A - p
    (global, and the worst stratum of p); whether the largest rule statistic was beyond every draw. `spread_z`: placebo
    summed over the horizon and over five times it; `paper_z` that of the same window, `equal_share` the share of
    published windows whose modelled payoff is exactly the executed one; `late_lag` the lag in horizons up to which
    payoffs go on correlating (`late_correlation`); `beyond_share` the share of the weight outside the knots;
    `results_t` how the desk answers to the day's own results; `skew` of day sums.
    """

    detector_id: str
    windows: int
    calibration_z: float
    placebo_z: float
    dispersion_z: float
    worst_stratum_z: float
    calibration_extreme: bool
    placebo_extreme: bool
    reason: str
    state: AuditState
    spread_z: tuple[float, float] = (0.0, 0.0)
    paper_z: float = 0.0
    equal_share: float = 0.0
    late_lag: float = 0.0
    late_correlation: float = 0.0
    beyond_share: float = 0.0
    results_t: float = 0.0
    skew: float = 0.0
    paper_note: str = ""
    results_note: str = ""
    skew_note: str = ""

    @property
    def alarm(self) -> bool:
        """Whether new lessons of the detector are blocked."""
        return bool(self.reason)
