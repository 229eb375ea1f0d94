"""The manifest: every default that behaviour leans on, each with its unit and reason, as one frozen value.

`lotus.toml` overrides these values key by key (`lotus_store.config` reads it); the domain only receives the result.
Nothing here reads a file or the environment. Times of belief are event time (UTC).
"""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.plain import later

S = TypeVar("S")
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes", tuple: "a list"}


def _newer(default: Any) -> Any:
    """Return a member that came later: a version names it only where it differs from its default."""
    return field(default=default, repr=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """One perpetual: venue name and size decimals; the integer price unit is 10^-(6 - sz_decimals) USD."""

    name: str
    sz_decimals: int

    @property
    def px_decimals(self) -> int:
        """Decimals of the integer price unit."""
        return 6 - self.sz_decimals


@dataclass(frozen=True, slots=True)
class KernelDefaults:
    """Frames and windows."""

    cadence_ms: int = 200  # one frame
    window_ms: int = 5_000  # one scored window = 25 frames
    gap_ms: int = 10_000  # silence of every channel of an asset beyond this is a gap (books come every 0.5 s)


@dataclass(frozen=True, slots=True)
class ScoreDefaults:
    """Kernel score, gates, curators and publication (docs/concepts/windows.md)."""

    seed: int = 7  # key of the publication draw
    epsilon: float = 0.02  # floor and ceiling of the propensity: every estimate needs overlap
    publish_share: float = 0.13  # tau_pub is the trailing quantile of sigma that publishes this share
    temperature: float = 0.12  # T without history; else clip(sd(ln sigma)/2, .05, .25)
    temperature_min: float = 0.05
    temperature_max: float = 0.25
    tau_kairos: float = 0.2  # eligibility floor of phase alignment
    tau_entrain: float = 0.1  # eligibility floor of the Kuramoto order parameter
    tau_uncert: float = 0.35  # eligibility ceiling of sibling variance
    kappa_curator: float = 0.15  # cap of one curator's log nudge
    kappa_fragility: float = 0.15  # log nudge of a detector whose score the audits' disturbances change wholly
    gamma_mx: float = 0.10  # evidence lowers the context penalty by at most this
    beta_mx: float = 0.20  # evidence tilts the resonance by at most this
    crowding_c: float = 1.0
    crowding_q: float = 1.0
    sq_share: float = 0.6  # weight of ln sq_score in ln sigma
    penalty_a: float = 0.7  # exponent of (1 - theta)
    penalty_b: float = 0.7  # exponent of (1 - rho)
    history_days: int = 7  # trailing days of bins, hbar scale, tau_pub and T


@dataclass(frozen=True, slots=True)
class OutcomeDefaults:
    """Probe payoffs (docs/concepts/windows.md)."""

    horizons_s: tuple[int, ...] = (30, 300, 3600)  # evaluated horizons; each detector decides on one of them
    latency_ms: int = 250  # from the closing message to the earliest quote a probe can take
    taker_fee_bps: float = 4.5  # tier 0, each side: a taker round trip costs 9 bps
    probe_notional_usd: float = 1_000.0  # size of the unit probe against the book
    maker_fee_bps: float = _newer(1.5)  # tier 0, of what rested


@dataclass(frozen=True, slots=True)
class LearningDefaults:
    """Scores to lessons (docs/concepts/lessons.md)."""

    alpha: float = 0.04  # family-wise error of the deployment, per budget year
    error_control: str = "slots"  # of interim analyses: "slots" = family-wise per budget year; "online_fdr" = LORD++
    pooled_alpha: float = 0.01  # the same of the second channel, which only proposes experiments; 0 = no such channel
    draws: int = 400  # J sign-flip paths
    knob_alpha: float = 0.01  # family-wise error of what dm, and what tr, learns of its knobs in a budget year, each
    knob_draws: int = 2_000  # sign-flip paths of knobs: an alpha of .01 needs more of them for as many slots
    half_life_days: float = 20.0  # EWMA weight of days in the search
    search_days: int = 90  # last learning days that a nightly run reads
    min_days: int = 10
    min_blocks: int = 20
    min_published: int = 100
    min_ess: float = 100.0
    min_n_eff_days: float = 8.0
    min_coverage: float = 0.03
    max_coverage: float = 0.50
    min_evidence_nats: float = 0.0  # a rule that does not pay for its own description is no lesson, however low the bar
    max_lessons: int = 6  # greedy picks per detector
    max_literals: int = 3
    kept_sd_share: float = 0.6  # a rule that lost more of its deviation to earlier picks is collinear
    claim_shrink: float = 0.85  # winner's curse
    looks: str = (
        "nightly"  # "nightly" = alpha slots (lotus.learning.slots); "final" = one analysis at alpha, on `look_day`
    )
    alert_budget: float = 0.0  # alerts a day that may not be exceeded; 0 = none, and an alert costs nothing elsewhere
    look_day: str = ""  # the day of the one analysis (YYYY-MM-DD); empty = the last day with tape
    seed: int = 7  # key of the sign draws
    asset_context: bool = field(
        default=False, repr=False, metadata=later(False).metadata
    )  # rules may speak of one coin, or of one fifth of a universe of more than five
    segment_context: bool = field(
        default=False, repr=False, metadata=later(False).metadata
    )  # rules may speak of one segment; not beside `asset_context`


@dataclass(frozen=True, slots=True)
class WeaveDefaults:
    """Lessons to priors (docs/concepts/weave.md)."""

    account: str = "paper"  # what alerts are traded on: in a "live" one a lesson of grade B has half its tilt
    patch_gain: float = 5.0  # wanted tilt = this * lower bound of the uplift / sd of the payoff
    max_tilt: float = 0.5  # logit, one braid
    min_tilt: float = 0.05  # below this a lesson owns no patch
    max_total_tilt: float = 1.0  # logit, one detector and window
    theta_step: float = 0.12  # bound of one braid's theta delta
    phi_step: float = 1.06  # bound of one braid's phi multiplier
    theta_total: float = 0.25
    phi_total: float = 1.15
    theta_min: float = 0.05
    theta_max: float = 0.90
    contraction: float = 0.5  # kappa_c of the nightly update
    night_theta: float = 0.06  # no nightly run moves a detector's theta by more
    night_phi: float = 0.03  # nor its phi
    ttl_days: int = 30
    swap_hour_utc: int = 2  # priors of day d take effect at this hour of d+1
    max_overlap: float = 0.8  # Jaccard overlap of two active rules
    lambda_mdl: float = 0.005  # BQS price of one bit of description, payoff deviations
    lambda_unc: float = 0.5  # BQS price of one unit of the uplift's deviation
    lambda_sup: float = 0.02  # BQS worth of ln(1 + published windows), payoff deviations
    extension_days: int = 30  # the one extension of a life; it needs new evidence
    extension_t: float = 2.0  # t of the blocks since selection, in the lesson's direction, that an extension needs
    dry_days: int = 10  # learning days in a row without overlap weight in the rule after which a braid is reverted
    meta_days: int = 10  # learning days out of sample before a composition may be judged
    meta_max_days: int = 60  # after which a composition that was never promoted is refused
    field_step: float = 0.05  # share by which a week may move one global knob
    cap_raise: float = 0.10  # share by which reviewers together may raise one braid's bounds
    trust_caps: tuple[float, ...] = _newer((0.5, 1.0, 2.0, 3.0))  # logit, cap of one braid's tilt by level of trust
    trust_floor: float = _newer(0.05)  # least floor of the propensity inside a rule with a level
    night_gate: float = _newer(0.25)  # logit a level, no nightly run moves a detector's gates by more
    experiment_share: float = _newer(0.01)  # of a detector's day may be drawn more by experiments, expected; 0 = none
    experiment_floor: float = _newer(0.15)  # highest floor of the propensity inside the rule of an experiment


@dataclass(frozen=True, slots=True)
class DetectorDefaults:
    """Which specifications are scored (docs/reference/detectors.md)."""

    score_experimental: bool = False  # experimental ones too, drawn at the exploration floor


@dataclass(frozen=True, slots=True)
class Manifest:
    """All defaults together; `version` is the hash of the values."""

    universe: tuple[Asset, ...] = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2))
    kernel: KernelDefaults = field(default_factory=KernelDefaults)
    score: ScoreDefaults = field(default_factory=ScoreDefaults)
    outcomes: OutcomeDefaults = field(default_factory=OutcomeDefaults)
    learning: LearningDefaults = field(default_factory=LearningDefaults)
    weave: WeaveDefaults = field(default_factory=WeaveDefaults)
    detectors: DetectorDefaults = field(default_factory=DetectorDefaults, repr=False)

    @property
    def version(self) -> str:
        """128-bit hash of every value; one that came later is named where it is not its default."""
        maker, weave = self.outcomes.maker_fee_bps, self.weave
        newer = [] if maker == OutcomeDefaults().maker_fee_bps else [maker]
        hidden = [(part, f) for part in (weave, self.learning) for f in dataclasses.fields(part) if not f.repr]
        moved = [(f.name, getattr(part, f.name)) for part, f in hidden if getattr(part, f.name) != f.default]
        detectors = [] if self.detectors == DetectorDefaults() else [self.detectors]
        return natural_id(repr(self), *newer, *map(repr, [*moved, *detectors]))


def ranged(default: Any, low: float, high: float = math.inf) -> Any:
    """Return a member of a section that `override` keeps from `low` to `high`, both allowed."""
    return dataclasses.field(default=default, metadata={"range": (low, high)})


def override(section: S, values: dict[str, Any], where: str) -> S:
    """Return a section with values replaced.

    Raises `ConfigError` naming an unknown key, a value of another type, one out of its range or not a finite number.
    """
    hints = get_type_hints(type(section))
    ranges = {f.name: f.metadata["range"] for f in dataclasses.fields(type(section)) if "range" in f.metadata}  # type: ignore[arg-type]
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(
                f"{where} has an unknown key {key!r}", f"one of {', '.join(sorted(hints))}", "a typing error"
            )
        if isinstance(value, list):
            value = tuple(value)
        wanted = type(getattr(section, key))
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, wanted) or isinstance(value, bool) is not (wanted is bool):
            text = json.dumps(value, default=str)
            raise ConfigError(f"{where}.{key} is {text}", KINDS.get(wanted, f"a {wanted.__name__}"))
        if wanted is float and not math.isfinite(value):
            raise ConfigError(f"{where}.{key} is {value}", "a finite number")
        low, high = ranges.get(key, (-math.inf, math.inf))
        if isinstance(value, float | int) and not low <= value <= high:
            raise ConfigError(
                f"{where}.{key} is {value}", f"{low:g} " + ("or more" if math.isinf(high) else f"to {high:g}")
            )
        section = dataclasses.replace(section, **{key: value})  # type: ignore[type-var]
    return section
