"""Value types of beliefs: literals, rules, patches, braids in force and one version of the priors.

Only frozen values, their checks, content hash and JSON form belong here; how braids come to be is `lotus.weave`, how
they act is `lotus.priors.compiled` (on scores) and `lotus.priors.knobs` (on policy and execution). In the literature a
rule is a box of at most three literals in bins of the context.
"""

import math
from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf

import msgspec

from lotus.errors import BeliefError, ConfigError
from lotus.hashing import natural_id
from lotus.manifest import WeaveDefaults
from lotus.plain import later, plain_of

MAX_LITERALS = 3
MAX_GATE = 2.0  # logit, one patch and one window
MAX_LEVEL = 3  # of trust
MAX_CAP = 3.0  # logit, whole tilt of a window; what is published names no gate beyond it
NEVER_MS = 2**53  # exact in every JSON reader
KNOB_KINDS = ("policy", "execution")
EXPLORATION = "policy:exploration"  # multiplies the floor of the propensity; only field braids move it
FIELD_STEP = 0.05  # a field braid moves a global cap by at most this share

BraidType = OneOf["micro", "meta", "field"]
Scope = OneOf["sig", "dm", "tr", "cross"]
SCORING: tuple[Scope, ...] = ("sig", "cross")  # scopes of braids that act on a detector's score
Op = OneOf["RULE", "UNION", "INTERSECT", "EXCEPT", "ATTENUATE", "LIFT_ONLY", "PENALTY_ONLY"]
_RANK = {"micro": 0, "meta": 1, "field": 2}
_SINGLE_PARENT = ("ATTENUATE", "LIFT_ONLY", "PENALTY_ONLY")


def check_trust(weave: WeaveDefaults) -> None:
    """Raise `ConfigError` for caps of trust that are no rising logits within bounds, or a wrong floor or gate."""
    caps, floor, night = weave.trust_caps, weave.trust_floor, weave.night_gate
    numbers = all(type(x) in (int, float) and 0.0 <= x <= MAX_CAP for x in caps)
    if not numbers or len(caps) > MAX_LEVEL + 1 or list(caps) != sorted(set(caps)):
        wanted = f"at most {MAX_LEVEL + 1} logits from 0 to {MAX_CAP:g}, each above the one before; [] for no levels"
        raise ConfigError(f"weave.trust_caps is {list(caps)}", wanted)
    if not 0.0 <= floor < 0.5:
        raise ConfigError(f"weave.trust_floor is {floor}", "0 to below one half")
    if not 0.0 <= night <= MAX_GATE:
        raise ConfigError(f"weave.night_gate is {night}", f"0 to {MAX_GATE:g}")


@dataclass(frozen=True, slots=True, order=True)
class Literal:
    """Feature index of the vocabulary and the closed range of bins `low..high` in which the literal is true."""

    feature: int
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.feature < 0 or not 0 <= self.low <= self.high < 255:
            raise BeliefError(f"literal {self.feature}:{self.low}..{self.high}", "0 <= low <= high < 255, feature >= 0")

    def holds(self, bin_index: int) -> bool:
        """Return whether a bin lies in the range; the null bin 255 never does."""
        return self.low <= bin_index <= self.high


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """A conjunction of one to three literals of different features, ordered by feature; empty = always true."""

    literals: tuple[Literal, ...] = ()

    def __post_init__(self) -> None:
        features = [x.feature for x in self.literals]
        if len(features) > MAX_LITERALS or features != sorted(set(features)):
            raise BeliefError(f"rule over features {features}", f"<= {MAX_LITERALS} different features in rising order")

    @staticmethod
    def of(*literals: Literal) -> "Rule":
        """Build a rule from literals in any order."""
        return Rule(tuple(sorted(literals)))


@dataclass(frozen=True, slots=True, order=True)
class Knob:
    """A multiplier of one knob, named `policy:<knob>` or `execution:<knob>`."""

    key: str
    mult: float

    def __post_init__(self) -> None:
        if self.key.split(":")[0] not in KNOB_KINDS or self.key.count(":") != 1 or not 0.0 < self.mult < math.inf:
            raise BeliefError(f"knob {self.key!r} x{self.mult}", "policy:<knob> or execution:<knob>, a positive number")


@dataclass(frozen=True, slots=True)
class Patch:
    """A bounded change: `theta_delta` added to the context penalty, `phi_mult` multiplying the resonance.

    `knobs` (by rising key) multiply knobs of policy and execution; they do not touch a detector's score. `gate` is
    added to the logit of publication after the temperature, at most 2 either way, where trust was earned.
    """

    theta_delta: float = 0.0
    phi_mult: float = 1.0
    knobs: tuple[Knob, ...] = ()
    gate: float = later(0.0)

    def __post_init__(self) -> None:
        if not abs(self.gate) <= MAX_GATE:
            raise BeliefError(f"gate {self.gate}", f"a logit within +-{MAX_GATE}")
        if not math.isfinite(self.theta_delta) or not 0.0 < self.phi_mult < math.inf:
            raise BeliefError(f"patch ({self.theta_delta}, {self.phi_mult})", "a finite delta, a positive multiplier")
        keys = [knob.key for knob in self.knobs]
        if keys != sorted(set(keys)):
            raise BeliefError(f"knobs {keys}", "different keys in rising order")

    def knob(self, key: str) -> float:
        """Return the multiplier of a knob, 1 for one that the patch does not move."""
        return next((knob.mult for knob in self.knobs if knob.key == key), 1.0)


IDENTITY = Patch()


@dataclass(frozen=True, slots=True)
class FieldCaps:
    """What a field braid may move: multipliers (1 +- 5 %) of theta_min and of phi_total - 1."""

    theta_min_mult: float = 1.0
    phi_max_mult: float = 1.0

    def __post_init__(self) -> None:
        for value in (self.theta_min_mult, self.phi_max_mult):
            if not abs(value - 1.0) <= FIELD_STEP + 1e-12:
                raise BeliefError(f"field multiplier {value}", f"within 1 +- {FIELD_STEP}")


NO_CAPS = FieldCaps()


@dataclass(frozen=True, slots=True)
class ActiveBraid:
    """One braid in force on [effective_from_ms, expires_at_ms), event time.

    `op` RULE fires on `rule` with `patch`. The other operators belong to meta braids: they fire and act through their
    `parents`, which must be micro braids of the same version and detector. `weights` (aligned with parents, positive,
    max(BQS, .01)) serve UNION, `strength` is the lambda of ATTENUATE, `caps` belongs to field braids. Braids of scope
    dm and tr act on knobs alone. `level` is the trust it earned, 0 to 3; without a level its gate does not act.
    """

    braid_id: str
    braid_type: BraidType
    detector_id: str
    horizon_s: int
    rule: Rule
    patch: Patch
    parents: tuple[str, ...] = ()
    effective_from_ms: int = 0
    expires_at_ms: int = NEVER_MS
    lesson_id: str = ""
    op: Op = "RULE"
    weights: tuple[float, ...] = ()
    strength: float = 1.0
    caps: FieldCaps = NO_CAPS
    scope: Scope = "sig"
    level: int = later(0)

    def __post_init__(self) -> None:
        what = f"{self.braid_type} braid {self.braid_id} ({self.op})"
        if self.braid_type == "micro" and (self.parents or self.op != "RULE"):
            raise BeliefError(f"{what} has parents {self.parents}", "its own rule and no parents")
        if self.braid_type != "meta" and self.op != "RULE":
            raise BeliefError(what, "operators only on meta braids")
        if self.op in _SINGLE_PARENT and len(self.parents) != 1:
            raise BeliefError(f"{what} has {len(self.parents)} parents", "one parent")
        if self.op in ("UNION", "INTERSECT", "EXCEPT") and len(self.parents) < 2:
            raise BeliefError(f"{what} has {len(self.parents)} parents", "two parents or more")
        if self.op == "UNION" and (len(self.weights) != len(self.parents) or min(self.weights) <= 0.0):
            raise BeliefError(f"{what} has weights {self.weights}", "one positive weight per parent")
        if not 0.0 < self.strength <= 1.0:
            raise BeliefError(f"{what} has strength {self.strength}", "0 < lambda <= 1")
        if self.braid_type != "field" and self.caps != NO_CAPS:
            raise BeliefError(f"{what} moves caps", "only a field braid does")
        if self.patch.knobs and self.scope == "sig":
            raise BeliefError(f"{what} moves knobs {self.patch.knobs}", "scope dm, tr or cross")
        if not 0 <= self.level <= MAX_LEVEL:
            raise BeliefError(f"{what} has level {self.level}", f"0 to {MAX_LEVEL}")
        if (self.level or self.patch.gate) and (self.braid_type == "field" or self.scope not in SCORING):
            raise BeliefError(f"{what} has level {self.level}, gate {self.patch.gate}", "a braid that acts on a score")

    @property
    def acting_gate(self) -> float:
        """The logit it adds where it acts: its patch's gate, 0 without a level."""
        return self.patch.gate if self.level else 0.0

    @property
    def sort_key(self) -> tuple[str, int, str]:
        """Canonical order: detector, micro before meta before field, identity."""
        return self.detector_id, _RANK[self.braid_type], self.braid_id


@dataclass(frozen=True, slots=True)
class PriorsVersion:
    """Everything believed from `effective_from_ms` on, on one branch; `priors_ver` is the hash of the content."""

    priors_ver: str
    branch: str
    effective_from_ms: int
    braids: tuple[ActiveBraid, ...] = ()

    def __post_init__(self) -> None:
        expected = _content_id(self.branch, self.effective_from_ms, self.braids)
        if self.priors_ver != expected:
            raise BeliefError(
                f"priors {self.priors_ver} do not hash to their name", expected, "edited after compilation"
            )
        if list(self.braids) != sorted(self.braids, key=lambda b: b.sort_key):
            raise BeliefError("braids out of canonical order", "built by priors_version()")
        if len({b.braid_id for b in self.braids}) != len(self.braids):
            raise BeliefError("the same braid twice in one version", "each braid once")


def priors_version(branch: str, effective_from_ms: int, braids: tuple[ActiveBraid, ...] = ()) -> PriorsVersion:
    """Build a version: braids in canonical order, named by the hash of branch, effective time and braids."""
    ordered = tuple(sorted(braids, key=lambda b: b.sort_key))
    return PriorsVersion(_content_id(branch, effective_from_ms, ordered), branch, effective_from_ms, ordered)


def priors_0(branch: str) -> PriorsVersion:
    """Return the genesis version of a branch: no braids, in force from the beginning of time."""
    return priors_version(branch, 0)


def in_force(versions: list[PriorsVersion], time_ms: int) -> PriorsVersion:
    """Return the latest version effective at `time_ms`; raises `BeliefError` when none is."""
    due = [v for v in versions if v.effective_from_ms <= time_ms]
    if not due:
        raise BeliefError(f"no priors in force at {time_ms}", "a genesis version or an earlier one", "a missing day")
    return max(due, key=lambda v: v.effective_from_ms)


def scoring(version: PriorsVersion, detector_id: str) -> list[ActiveBraid]:
    """Return the braids that act on a detector's score, in canonical order; the k-th is bit k of a stored mask."""
    return [b for b in version.braids if b.detector_id == detector_id and b.scope in SCORING]


def to_json(version: PriorsVersion) -> bytes:
    """Return the canonical JSON of a version."""
    plain = {**plain_of(version), "braids": [_plain(braid) for braid in version.braids]}
    return msgspec.json.encode(plain)


def from_json(raw: bytes | str) -> PriorsVersion:
    """Read a version back; raises `BeliefError` for malformed JSON or content that does not hash to its name."""
    try:
        return msgspec.json.decode(raw, type=PriorsVersion)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BeliefError(f"priors JSON is unreadable: {error}", "the form written by to_json") from error


def _content_id(branch: str, effective_from_ms: int, braids: tuple[ActiveBraid, ...]) -> str:
    return natural_id("priors", branch, effective_from_ms, msgspec.json.encode([_plain(braid) for braid in braids]))


def _plain(braid: ActiveBraid) -> dict[str, Any]:
    """Return a braid as JSON data; what a plain score braid does not use is left out, so its hash never changes."""
    plain: dict[str, Any] = plain_of(braid)
    if braid.scope == "sig":
        del plain["scope"], plain["patch"]["knobs"]
    return plain
