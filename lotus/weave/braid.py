"""A braid: a lesson that owns a bounded patch and has a life; and its quality score (BQS).

Rows are values: a change of state is a new value and a history event, never an edit. Searching, selecting and applying
do not belong here.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal as OneOf

from lotus.hashing import natural_id
from lotus.learning.lesson import Lesson
from lotus.priors.types import IDENTITY, ActiveBraid, Patch, Rule
from lotus.priors.vocabulary import rule_counts
from lotus.timebase import DAY_MS

State = OneOf["proposed", "active", "sunset", "archived"]
LAMBDA_MDL, LAMBDA_UNC, LAMBDA_SUP = 0.005, 0.5, 0.02  # weights of the BQS terms, in units of payoff deviation


@dataclass(frozen=True, slots=True)
class Quality:
    """The four terms of BQS, stored so that a rank can be explained."""

    effect: float
    mdl: float
    uncertainty: float
    support: float

    @property
    def bqs(self) -> float:
        """tau - lambda_MDL bits - lambda_UNC sigma + lambda_SUP ln(1 + support)."""
        return self.effect - self.mdl - self.uncertainty + self.support


@dataclass(frozen=True, slots=True)
class Braid:
    """One row of the braid board: evidence, target patch, patch in force and state."""

    braid_id: str
    branch: str
    braid_type: OneOf["micro", "meta", "field"]
    detector_id: str
    horizon_s: int
    rule: Rule
    sign: int
    lesson_id: str
    grade: str
    claim_bps: float
    lcb_bps: float
    ci95: tuple[float, float]
    support: int
    quality: Quality
    target: Patch
    patch: Patch
    delta_wanted: float
    delta_realised: tuple[float, float, float]
    state: State
    reason: str
    effective_from_ms: int
    expires_at_ms: int
    members_sample: tuple[str, ...]
    parents: tuple[str, ...] = ()
    op: str = "RULE"

    @property
    def in_force(self) -> bool:
        """Whether it owns a patch that acts."""
        return self.state == "active" and self.patch != IDENTITY

    def active(self) -> ActiveBraid:
        """Return the form in which it enters a version of the priors."""
        return ActiveBraid(
            braid_id=self.braid_id,
            braid_type=self.braid_type,
            detector_id=self.detector_id,
            horizon_s=self.horizon_s,
            rule=self.rule,
            patch=self.patch,
            effective_from_ms=self.effective_from_ms,
            expires_at_ms=self.expires_at_ms,
            lesson_id=self.lesson_id,
        )

    def moved_to(self, state: State, reason: str) -> "Braid":
        """Return the same braid in another state; leaving `active` takes its patch away."""
        return replace(self, state=state, reason=reason, patch=self.patch if state == "active" else IDENTITY)


def quality_of(lesson: Lesson) -> Quality:
    """Return the BQS terms of a lesson; effect and uncertainty in units of the detector's payoff deviation."""
    bits = math.log2(max(2, rule_counts()[len(lesson.rule.literals) - 1]))
    return Quality(
        effect=abs(lesson.claim_bps) / lesson.sigma_y_bps,
        mdl=LAMBDA_MDL * bits,
        uncertainty=LAMBDA_UNC * lesson.se_bps / lesson.sigma_y_bps,
        support=LAMBDA_SUP * math.log1p(lesson.n_published),
    )


def micro_braid(
    lesson: Lesson, branch: str, target: Patch, delta: float, reason: str, effective_from_ms: int, ttl_days: int
) -> Braid:
    """Return the proposed micro braid of an accepted lesson; a target that is the identity owns no patch."""
    return Braid(
        braid_id=natural_id("braid", branch, lesson.lesson_id, effective_from_ms),
        branch=branch,
        braid_type="micro",
        detector_id=lesson.detector_id,
        horizon_s=lesson.horizon_s,
        rule=lesson.rule,
        sign=lesson.sign,
        lesson_id=lesson.lesson_id,
        grade=lesson.grade,
        claim_bps=lesson.claim_bps,
        lcb_bps=lesson.lcb_bps,
        ci95=lesson.ci95,
        support=lesson.n_published,
        quality=quality_of(lesson),
        target=target,
        patch=IDENTITY,
        delta_wanted=delta,
        delta_realised=(0.0, 0.0, 0.0),
        state="proposed",
        reason=reason,
        effective_from_ms=effective_from_ms,
        expires_at_ms=effective_from_ms + ttl_days * DAY_MS,
        members_sample=lesson.members_sample,
    )
