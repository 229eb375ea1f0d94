"""The policy: one YAML file of soft penalties and hard caps, every value checked against its range, versioned by hash.

Only what the file says and how braids may move it belong here; what a value does is explained where it is used. Which
knobs are moved when is `in_force`. In the literature: policy as code.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar, get_type_hints

from lotus.errors import ConfigError
from lotus.experts.source import SpecSource, read_source
from lotus.hashing import natural_id
from lotus.priors.types import EXPLORATION

S = TypeVar("S")
PREFIX: Final = "policy:"
KNOBS: Final = {"turnover_penalty": "soft", "orthogonality_floor": "fusion"}


def _in(low: float, high: float) -> Any:
    """A required number and its range, both ends included."""
    return field(metadata={"range": (low, high)})


@dataclass(frozen=True, slots=True)
class Soft:
    """Prices of the objective."""

    risk_aversion: float = _in(0.5, 1e4)
    inertia_bps: float = _in(0.0, 1e4)
    turnover_penalty: float = _in(0.1, 10.0)
    fee_bps: float = _in(0.0, 100.0)


@dataclass(frozen=True, slots=True)
class HardCaps:
    """Caps of the book."""

    gross: float = _in(0.0, 50.0)
    net: float = _in(0.0, 50.0)
    leverage_max: float = _in(1.0, 50.0)
    margin_share: float = _in(0.0, 1.0)
    asset: float = _in(0.0, 10.0)
    sector: float = _in(0.0, 50.0)
    factor: float = _in(0.0, 50.0)
    adv_share: float = _in(0.0, 1.0)
    turnover_day: float = _in(0.0, 1000.0)
    turnover_relaxed: float = _in(0.0, 100.0)


@dataclass(frozen=True, slots=True)
class Risk:
    """The risk budget and its brakes; the ranges are hard limits that no file can loosen."""

    budget_bps_day: float = _in(0.1, 1e4)
    kelly_fraction: float = _in(0.01, 0.25)
    asset_share: float = _in(0.01, 0.20)
    drawdown_sigmas: float = _in(0.5, 3.0)
    recover_sigmas: float = _in(0.0, 3.0)
    stale_s: float = _in(60.0, 1e8)


@dataclass(frozen=True, slots=True)
class Crowding:
    """Haircut of a coin's caps by our own share."""

    c: float = _in(0.0, 1e4)
    power: float = _in(0.1, 10.0)


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """What a cue at 0, at its neutral value and at 1 multiplies a budget with; all within 0.75 to 1.75."""

    low: float = _in(0.75, 1.0)
    high: float = _in(1.0, 1.75)
    kairos_low: float = _in(0.75, 1.0)
    kairos_neutral: float = _in(0.01, 0.99)
    kairos_high: float = _in(1.0, 1.75)
    entrain_low: float = _in(0.75, 1.0)
    entrain_neutral: float = _in(0.01, 0.99)
    entrain_high: float = _in(1.0, 1.75)
    asym_low: float = _in(0.75, 1.0)
    asym_neutral: float = _in(0.01, 0.99)
    asym_high: float = _in(1.0, 1.75)
    net_tilt: float = _in(0.0, 0.25)
    net_assets: int = _in(1, 1000)


@dataclass(frozen=True, slots=True)
class FusionRule:
    """How views become one."""

    orthogonality_floor: float = _in(0.05, 0.99)
    tau0_bps: float = _in(0.01, 1e4)
    tilt_share: float = _in(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class CalibrationRule:
    """How scores become expectations."""

    history_days: int = _in(1, 3660)
    bins: int = _in(2, 200)
    min_support: int = _in(2, 10**6)
    pool_support: float = _in(1.0, 1e6)
    shrink_support: float = _in(1.0, 1e6)


@dataclass(frozen=True, slots=True)
class ReliabilityRule:
    """Where a source's reliability starts and how slowly it moves."""

    detector_start: float = _in(0.0, 1.0)
    human_start: float = _in(0.0, 0.25)
    rate: float = _in(0.0, 0.5)
    max_step: float = _in(0.0, 0.1)
    prior_energy_bps2: float = _in(0.0, 1e9)
    half_life_days: float = _in(1.0, 1000.0)


@dataclass(frozen=True, slots=True)
class ExecutorRule:
    """Where an executor's score starts and how slowly it moves."""

    start: float = _in(0.0, 1.0)
    rate: float = _in(0.0, 0.5)
    max_step: float = _in(0.0, 0.1)
    floor: float = _in(0.0, 0.5)


@dataclass(frozen=True, slots=True)
class HorizonRule:
    """Horizons that an input may have, and the one of a decision without any."""

    shortest_s: int = _in(1, 10**8)
    longest_s: int = _in(1, 10**8)
    hold_s: int = _in(1, 10**8)


@dataclass(frozen=True, slots=True)
class OverlayRule:
    """What the overlay curator may do."""

    nudge: float = _in(0.0, 0.10)


@dataclass(frozen=True, slots=True)
class KnobRange:
    """The range in which a knob stays, whatever braids multiply it with."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy; `knobs` by name in rising order, `forbidden` coins in rising order."""

    name: str
    soft: Soft
    caps: HardCaps
    risk: Risk
    crowding: Crowding
    budgets: BudgetRule
    fusion: FusionRule
    calibration: CalibrationRule
    reliability: ReliabilityRule
    executors: ExecutorRule
    horizons: HorizonRule
    overlay: OverlayRule
    knobs: tuple[tuple[str, KnobRange], ...]
    forbidden: tuple[str, ...]

    @property
    def version(self) -> str:
        """128-bit hash of every value."""
        return natural_id("policy", repr(self))

    def owner_of(self, knob: str) -> str:
        """Return what braids name as the owner whose behaviour they change: one for each knob of the policy."""
        return f"policy.{self.name}.{knob}"

    def with_knobs(self, multipliers: Mapping[str, float]) -> "Policy":
        """Return the policy with its knobs multiplied, each kept in its range; `multipliers` by `policy:<knob>`.

        Raises `ConfigError` for a knob that the policy does not name; the exploration share is not the policy's.
        """
        made = self
        for key, mult in sorted(multipliers.items()):
            if key == EXPLORATION:
                continue
            name = key.removeprefix(PREFIX)
            bounds = dict(self.knobs).get(name)
            if bounds is None or not key.startswith(PREFIX):
                raise ConfigError(f"knob {key!r}", ", ".join(PREFIX + k for k, _ in self.knobs), "another policy's")
            section = getattr(self, KNOBS[name])
            value = min(max(getattr(section, name) * mult, bounds.low), bounds.high)
            made = replace(made, **{KNOBS[name]: replace(section, **{name: value})})
        return made


_SECTIONS: Final[Mapping[str, type[Any]]] = {
    name: kind for name, kind in get_type_hints(Policy).items() if isinstance(kind, type) and is_dataclass(kind)
}


def parse_policy(text: str, file: str) -> Policy:
    """Read a policy; raises `ConfigError` with file, key, line and column, what was found and what was expected."""
    keys = read_source(text, file).keyed(("name", *_SECTIONS, "knobs", "forbidden"))
    if not keys["name"].scalar:
        raise keys["name"].error("no name", "a word that braids can name")
    sections = {name: _section(keys[name], kind) for name, kind in _SECTIONS.items()}
    knobs = keys["knobs"].keyed((), KNOBS)
    made = Policy(
        name=keys["name"].scalar,
        **sections,
        knobs=tuple(sorted((name, _knob(name, part, sections)) for name, part in knobs.items())),
        forbidden=tuple(sorted({item.scalar for item in keys["forbidden"].items()})),
    )
    if made.risk.recover_sigmas >= made.risk.drawdown_sigmas:
        raise keys["risk"].error("recover_sigmas not below drawdown_sigmas", "recovery before the ratchet")
    if made.horizons.shortest_s > made.horizons.longest_s:
        raise keys["horizons"].error("shortest_s above longest_s", "shortest_s <= longest_s")
    return made


@cache
def shipped_policy() -> Policy:
    """Return the policy that comes with the package."""
    return parse_policy((files("lotus.decision") / "policy.yaml").read_text("utf-8"), "policy.yaml")


def _section(source: SpecSource, kind: type[S]) -> S:
    members: tuple[Field[Any], ...] = fields(kind)  # type: ignore[arg-type]
    parts = source.keyed([f.name for f in members])
    return kind(**{f.name: _number(parts[f.name], f) for f in members})


def _number(source: SpecSource, member: Field[Any]) -> float:
    low, high = member.metadata["range"]
    value = source.whole() if member.type in (int, "int") else source.number()
    if not low <= value <= high:
        raise source.error(f"{source.scalar}", f"{low:g} to {high:g}")
    return value


def _knob(name: str, source: SpecSource, sections: Mapping[str, Any]) -> KnobRange:
    parts = source.keyed(("low", "high"))
    knob = KnobRange(parts["low"].number(), parts["high"].number())
    section = _SECTIONS[KNOBS[name]]
    widest = next(f.metadata["range"] for f in fields(section) if f.name == name)
    value = getattr(sections[KNOBS[name]], name)
    if not widest[0] <= knob.low <= value <= knob.high <= widest[1]:
        expected = f"{widest[0]:g} <= low <= {value:g} <= high <= {widest[1]:g}"
        raise source.error(f"{knob.low:g} to {knob.high:g}", expected)
    return knob
