"""A braid: a lesson that owns a bounded patch and has a life; and its quality score (BQS).

Rows are values: a change of state is a new value and a history event, never an edit. Searching, selecting and applying
do not belong here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal as OneOf

from lotus.hashing import natural_id
from lotus.learning.lesson import Lesson
from lotus.learning.monitor import REVERT_AT, Monitor
from lotus.manifest import WeaveDefaults
from lotus.plain import later
from lotus.priors.types import IDENTITY, NO_CAPS, ActiveBraid, BraidType, FieldCaps, Op, Patch, Rule, Scope
from lotus.priors.vocabulary import rule_counts
from lotus.timebase import DAY_MS
from lotus.weave.experiment import Experiment
from lotus.weave.trust import Trust, anew

State = OneOf["proposed", "active", "sunset", "archived"]
LIVING: tuple[State, ...] = ("proposed", "active")


@dataclass(frozen=True, slots=True)
class Quality:
    """The four terms of BQS, each already priced, stored so that a rank can be explained."""

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
    """One row of the braid board: evidence, target patch, patch in force and state.

    `strength` is what reviewers left of the target (the lambda of ATTENUATE for that operator), `cap_mult` what they
    raised its bounds by, `tilt_share` what its grade allows in the account it acts on; `monitor` the state of its
    e-process; `dry_days` the learning days in a row without overlap weight in the rule; `ended_on` the day that took
    its patch away; `tags` marks such as `rejected` or `extended`. `trust` is what a micro braid of a score has earned
    (None: its selection had no scatter to measure days by, or it is of another kind). An `experiment` is a field braid
    on the rule of a proposal, which raises the floor of the propensity there and moves nothing else.
    """

    braid_id: str
    branch: str
    braid_type: BraidType
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
    op: Op = "RULE"
    scope: Scope = "sig"
    weights: tuple[float, ...] = ()
    strength: float = 1.0
    caps: FieldCaps = NO_CAPS
    cap_mult: float = 1.0
    tilt_share: float = 1.0
    mdl_bits: float = 0.0
    stability: float = 0.0
    monitor: Monitor | None = None
    dry_days: int = 0
    ended_on: str = ""
    tags: tuple[str, ...] = ()
    trust: Trust | None = later(None)
    experiment: Experiment | None = later(None)

    @property
    def level(self) -> int:
        """The level of trust it stands at, 0 before any."""
        return self.trust.level if self.trust else 0

    @property
    def e_value(self) -> float:
        """Evidence that the lesson is dead, 1 without a monitor."""
        return self.monitor.e_value if self.monitor else 1.0

    @property
    def claimed_gain_bps(self) -> float:
        """What its patch claims to earn per unit of overlap weight in its rule: the claim times the realised tilt."""
        return abs(self.claim_bps * self.delta_realised[1])

    def revert_if(self, weave: WeaveDefaults) -> str:
        """Return in words what takes its patch away."""
        doubt = f", e of a doubt >= {self.trust.doubt.needed:g}" if self.trust and self.trust.doubt else ""
        rest = f"{weave.dry_days} learning days without weight, an audit alarm, or its time ends"
        return f"e >= {REVERT_AT:g}{doubt}, {rest}"

    @property
    def owns_patch(self) -> bool:
        """Whether it acts by a rule and a patch of its own: a micro braid, or a family of them."""
        return self.braid_type == "micro" or (self.braid_type == "meta" and self.op == "RULE")

    @property
    def in_force(self) -> bool:
        """Whether it acts: active, with a patch of its own or through its parents or caps."""
        return self.state == "active" and (not self.owns_patch or self.patch != IDENTITY)

    @property
    def ends_as(self) -> State:
        """The state in which it ends: what acted has its sunset, what was only proposed goes to the archive."""
        return "sunset" if self.state == "active" else "archived"

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
            parents=self.parents,
            op=self.op,
            weights=self.weights,
            strength=self.strength if self.op == "ATTENUATE" else 1.0,
            caps=self.caps,
            scope=self.scope,
            level=self.level,
        )

    def moved_to(self, state: State, reason: str, day: str = "") -> "Braid":
        """Return the same braid in another state; leaving `active` on `day` takes its patch and its trust away."""
        if state == "active":
            return replace(self, state=state, reason=reason, ended_on="")
        ended = day if self.state == "active" else self.ended_on
        trust = anew(self.trust) if self.trust else None
        return replace(self, state=state, reason=reason, patch=IDENTITY, ended_on=ended, trust=trust)

    def tagged(self, tag: str, drop: str = "") -> "Braid":
        """Return the same braid with one tag more and one less."""
        return replace(self, tags=tuple(sorted({*self.tags, tag} - {drop})))


def named_by(board: Sequence[Braid]) -> list[Braid]:
    """Return a board as its content hash takes it: trust that never changed anything is left out."""
    return [b if b.trust is None or _acted(b.trust) else replace(b, trust=None) for b in board]


def _acted(trust: Trust) -> bool:
    return bool(trust.level or trust.changed_on or trust.held or trust.ceiling is not None)


def believed(board: Sequence[Braid], detector_id: str, but: Sequence[str] = ()) -> list[Rule]:
    """Return the rules of a detector's micro braids in force, without those of the braids named."""
    mine = [b for b in board if b.detector_id == detector_id and b.braid_type == "micro" and b.in_force]
    return [b.rule for b in mine if b.braid_id not in but]


def mdl_bits(rule: Rule) -> float:
    """Return log2 N_L: the bits that name one rule among those of its length."""
    return math.log2(max(2, rule_counts()[len(rule.literals) - 1]))


def quality_of(lesson: Lesson, weave: WeaveDefaults) -> Quality:
    """Return the BQS terms of a lesson; effect and uncertainty in units of the detector's payoff deviation."""
    return Quality(
        effect=abs(lesson.claim_bps) / lesson.sigma_y_bps,
        mdl=weave.lambda_mdl * mdl_bits(lesson.rule),
        uncertainty=weave.lambda_unc * lesson.se_bps / lesson.sigma_y_bps,
        support=weave.lambda_sup * math.log1p(lesson.n_published),
    )


def micro_braid(
    lesson: Lesson,
    branch: str,
    target: Patch,
    delta: float,
    reason: str,
    effective_from_ms: int,
    weave: WeaveDefaults,
    monitor: Monitor | None = None,
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
        quality=quality_of(lesson, weave),
        target=target,
        patch=IDENTITY,
        delta_wanted=delta,
        delta_realised=(0.0, 0.0, 0.0),
        state="proposed",
        reason=reason,
        effective_from_ms=effective_from_ms,
        expires_at_ms=effective_from_ms + weave.ttl_days * DAY_MS,
        members_sample=lesson.members_sample,
        mdl_bits=mdl_bits(lesson.rule),
        stability=lesson.sign * lesson.recent_t,
        monitor=monitor,
    )
