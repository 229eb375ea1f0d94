"""The set of experts that runs together: their order, weights, votes and calibration, from `specs/fusion.yaml`.

An expert that is off still speaks, with weight and vote 0, so that columns and its record go on; one that is idle is
off and does not speak: it is not in the program. The calibration is a
table of knots (isotonic fit, linear between knots, flat outside); without knots it is the identity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from typing import Final

from lotus.errors import ConfigError
from lotus.experts.model import Weights, weights_hash
from lotus.experts.source import SpecSource, read_source
from lotus.experts.spec import ExpertSpec, parse_spec
from lotus.hashing import natural_id
from lotus.memoised import memoised

MAX_EXPERTS: Final[int] = 52  # `fired` is a sum of powers of two in a float
STATUS: Final = ("active", "off")  # of a file; governance may make one that is off idle
IDLE: Final = "idle"
Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Voice:
    """What one expert counts in the fusion."""

    weight: float
    vote: float
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Fusion:
    """Voices by expert in column order, the votes that confirm, and the calibrations of evidence and of each |z|."""

    voices: Mapping[str, Voice]
    votes_needed: float
    evidence: Knots = ()
    confidence: Mapping[str, Knots] | None = None


@dataclass(frozen=True, eq=False)
class ExpertSet:
    """Specs and their fusion; `version` is the hash of everything they say.

    `nets`: weights of convolutions that stand in for those packaged with a spec, by expert.
    """

    experts: tuple[ExpertSpec, ...]
    fusion: Fusion
    nets: Mapping[str, Weights] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `ConfigError` when specs and voices are not the same experts in the same order, or too many."""
        if self.names != tuple(self.fusion.voices) or not 0 < len(self.names) <= MAX_EXPERTS:
            raise ConfigError(
                f"specs {', '.join(self.names)}", f"1 to {MAX_EXPERTS}: {', '.join(self.fusion.voices)}", "fusion.yaml"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Ids in column order."""
        return tuple(spec.expert_id for spec in self.experts)

    def only(self, expert_id: str) -> "ExpertSet":
        """Return the set of one of its experts; raises `ConfigError` for one that is not in it."""
        if expert_id not in self.names:
            raise ConfigError(f"no expert {expert_id}", ", ".join(self.names))
        spec = self.experts[self.names.index(expert_id)]
        return ExpertSet((spec,), replace(self.fusion, voices={expert_id: self.fusion.voices[expert_id]}))

    @property
    def idle(self) -> tuple[str, ...]:
        """Experts that do not speak."""
        return tuple(name for name, v in self.fusion.voices.items() if v.status == IDLE)

    @property
    def weights(self) -> tuple[float, ...]:
        """Weight of each z in micro_llr."""
        return tuple(v.weight if v.status == "active" else 0.0 for v in self.fusion.voices.values())

    @property
    def votes(self) -> tuple[float, ...]:
        """Vote of each f in mx_confirm."""
        return tuple(v.vote if v.status == "active" else 0.0 for v in self.fusion.voices.values())

    @cached_property
    def version(self) -> str:
        """128-bit hash of specs, fusion and nets."""
        nets = (word for name, layers in self.nets.items() for word in (name, weights_hash(layers)))
        return natural_id("experts", *(spec.spec_id for spec in self.experts), repr(self.fusion), *nets)

    def of(self, expert_id: str) -> ExpertSpec:
        """Return one spec; raises `ConfigError` for an expert that is not in the set."""
        for spec in self.experts:
            if spec.expert_id == expert_id:
                return spec
        raise ConfigError(f"no expert {expert_id!r}", ", ".join(self.names))


def read_fusion(text: str, file: str = "fusion.yaml") -> Fusion:
    """Return the fusion of a YAML text; raises `ConfigError` with file, key, line and column."""
    keys = read_source(text, file).keyed(("fusion_version", "votes_needed", "experts"), ("evidence", "confidence"))
    keys["fusion_version"].whole()
    voices = {name: _voice(part) for name, part in keys["experts"].mapping().items()}
    confidence = keys["confidence"].mapping() if "confidence" in keys else {}
    for name, part in confidence.items():
        part.one_of(voices) if name not in voices else None
    evidence = _knots(keys["evidence"]) if "evidence" in keys else ()
    fitted = {name: _knots(part) for name, part in confidence.items()}
    return Fusion(voices, keys["votes_needed"].number(), evidence, fitted)


@cache
def shipped_fusion() -> Fusion:
    """Return the fusion that ships with the package."""
    return memoised(Fusion, "experts", "fusion", (), lambda: read_fusion(_text("fusion")))


@cache
def default_experts() -> ExpertSet:
    """Return the shipped experts in column order; raises `ConfigError` naming file and place."""
    return ExpertSet(memoised(tuple[ExpertSpec, ...], "experts", "specs", (), _shipped_specs), shipped_fusion())


def _shipped_specs() -> tuple[ExpertSpec, ...]:
    return tuple(parse_spec(_text(name), f"{name}.yaml") for name in shipped_fusion().voices)


def _text(name: str) -> str:
    file = files("lotus.experts") / "specs" / f"{name}.yaml"
    if not file.is_file():
        raise ConfigError(f"no spec {name}.yaml", "a file in lotus/experts/specs for every expert of fusion.yaml")
    return file.read_text(encoding="utf-8")


def _voice(part: SpecSource) -> Voice:
    keys = part.keyed(("weight", "vote"), ("status",))
    status = keys["status"].one_of(STATUS) if "status" in keys else "active"
    weight, vote = keys["weight"].number(), keys["vote"].number()
    if weight < 0.0 or vote < 0.0:
        raise part.error(f"weight {weight:g}, vote {vote:g}", "numbers >= 0", "an expert that is wrong is switched off")
    return Voice(weight, vote, status)


def _knots(part: SpecSource) -> Knots:
    pairs: list[tuple[float, float]] = []
    for item in part.items():
        numbers: Sequence[float] = [n.number() for n in item.items()]
        if len(numbers) != 2 or not 0.0 <= numbers[1] <= 1.0:
            raise item.error(f"a knot {numbers}", "[raw, probability]")
        pairs.append((numbers[0], numbers[1]))
    if not pairs or any(a[0] >= b[0] or a[1] > b[1] for a, b in pairwise(pairs)):
        raise part.error("knots that do not rise", "raw strictly rising, probability not falling")
    return tuple(pairs)
