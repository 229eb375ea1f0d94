"""What weekly learning changes of the shipped experts, and which set is in force on a day.

`LearnedSettings` is data: weights, who is off, calibrations and trained nets over the shipped specs. A set is named by
the hash of everything it says (`ExpertSet.version`), so equal settings are one set, whenever they were fitted. A set
holds from a day on that lies after every day it was fitted on; which one holds is a function of day and list alone.
Nothing is fitted here. (Literature: model registry, point-in-time correctness.)
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec
import numpy as np

from lotus.errors import SchemaError
from lotus.experts.fusion import IDLE, ExpertSet, Knots, default_experts
from lotus.experts.model import Weights

ExpertStates = Mapping[str, Collection[str]]  # `off` and `idle` by expert, as acts in force have it
Net = tuple[tuple[tuple[tuple[float, ...], ...], ...], ...]  # [layer][tap][input][output]


@dataclass(frozen=True, slots=True)
class LearnedSettings:
    """Settings over the shipped set `base`; an expert that is not named keeps what it ships with.

    `weights` of z in micro_llr (also of those that are off, for when they come back); `off`: weight and vote count 0;
    `idle`: those of them that do not speak at all;
    `evidence` and `confidence`: knots; `nets`: weights of convolutions; `votes_needed` for mx_confirm, None as shipped.
    """

    base: str
    weights: tuple[tuple[str, float], ...] = ()
    off: tuple[str, ...] = ()
    evidence: Knots = ()
    confidence: tuple[tuple[str, Knots], ...] = ()
    nets: tuple[tuple[str, Net], ...] = ()
    votes_needed: float | None = None
    idle: tuple[str, ...] = ()

    def steered(self, states: ExpertStates) -> "LearnedSettings":
        """Return the settings under acts on experts: `off` takes a vote, `idle` the voice of who has no vote."""
        off = tuple(dict.fromkeys((*self.off, *(name for name, kinds in states.items() if "off" in kinds))))
        idle = tuple(sorted(name for name, kinds in states.items() if IDLE in kinds and name in off))
        return replace(self, off=off, idle=idle) if (off, idle) != (self.off, self.idle) else self


@dataclass(frozen=True, slots=True)
class InForce:
    """Settings that hold from the day `from_day` on, judged on `judged_day` from days before it."""

    from_day: str
    judged_day: str
    learned: LearnedSettings

    def __post_init__(self) -> None:
        """Raise `SchemaError` for settings that would hold on a day of their own judgement."""
        if not self.judged_day < self.from_day:
            raise SchemaError(f"experts in force from {self.from_day}", f"a day after {self.judged_day}", "look-ahead")


def set_of_day(day: str, versions: Sequence[InForce], states: ExpertStates | None = None) -> ExpertSet:
    """Return the set in force on a day: that of the latest `from_day` up to it, the shipped one before any.

    Settings over another shipped set than the present one are left out. `states`: by acts in force.
    """
    return set_under(in_force_on(day, versions), states or {})


def set_under(version: InForce | None, states: ExpertStates) -> ExpertSet:
    """Return the set of settings (None: the shipped ones) under acts; those on unknown experts do nothing."""
    shipped = default_experts()
    if version is None and not states:
        return shipped
    learned = LearnedSettings(shipped.version) if version is None else version.learned
    return experts_with(learned.steered({name: state for name, state in states.items() if name in shipped.names}))


def in_force_on(day: str, versions: Sequence[InForce]) -> InForce | None:
    """Return the settings in force on a day, None for the shipped set."""
    base = default_experts().version
    usable = [x for x in versions if x.from_day <= day and x.learned.base == base]
    return max(usable, key=lambda x: x.from_day, default=None)


@lru_cache(maxsize=32)
def experts_with(learned: LearnedSettings) -> ExpertSet:
    """Return the shipped set under other settings, the same object for equal settings (itself when nothing differs).

    Raises `SchemaError` for settings over another shipped set or for an unknown expert.
    """
    shipped = default_experts()
    if learned.base != shipped.version:
        raise SchemaError(f"settings over experts {learned.base}", shipped.version, "another release of the experts")
    weights, confidence, nets = dict(learned.weights), dict(learned.confidence), dict(learned.nets)
    unknown = {*weights, *learned.off, *learned.idle, *confidence, *nets} - set(shipped.names)
    if unknown:
        raise SchemaError(f"settings of {', '.join(sorted(unknown))}", "experts of the shipped set")
    voices = {
        name: replace(v, weight=weights.get(name, v.weight), status=_status(name, learned))
        for name, v in shipped.fusion.voices.items()
    }
    in_order = {name: confidence[name] for name in shipped.names if name in confidence}
    fusion = replace(shipped.fusion, voices=voices, evidence=learned.evidence, confidence=in_order)
    if learned.votes_needed is not None:
        fusion = replace(fusion, votes_needed=learned.votes_needed)
    layers = {name: tuple(np.array(w, np.float64) for w in nets[name]) for name in shipped.names if name in nets}
    experts = replace(shipped, fusion=fusion, nets=layers)
    return shipped if experts.version == shipped.version else experts


def _status(name: str, learned: LearnedSettings) -> str:
    return IDLE if name in learned.idle else "off" if name in learned.off else "active"


def learned_of(experts: ExpertSet) -> LearnedSettings:
    """Return the settings that make these experts of the shipped ones: `experts_with` turned round."""
    voices, needed, shipped = experts.fusion.voices, experts.fusion.votes_needed, default_experts()
    return LearnedSettings(
        base=shipped.version,
        weights=tuple((name, v.weight) for name, v in voices.items()),
        off=tuple(name for name, v in voices.items() if v.status != "active"),
        evidence=experts.fusion.evidence,
        confidence=tuple((experts.fusion.confidence or {}).items()),
        nets=tuple((name, net_of(layers)) for name, layers in experts.nets.items()),
        votes_needed=None if needed == shipped.fusion.votes_needed else needed,
    )


def net_of(layers: Weights) -> Net:
    """Return weights of a convolution as plain values."""
    return msgspec.convert([w.tolist() for w in layers], Net)


def learned_to_json(learned: LearnedSettings) -> str:
    """Return the canonical JSON of settings; who is idle stands in it only where somebody is."""
    fields = msgspec.to_builtins(learned)
    if not learned.idle:
        del fields["idle"]
    return msgspec.json.encode(fields).decode()


def learned_from_json(raw: str | bytes) -> LearnedSettings:
    """Read settings back; raises `SchemaError` when unreadable."""
    try:
        return msgspec.json.decode(raw, type=LearnedSettings)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SchemaError(f"settings of experts are unreadable: {error}", "the form of learned_to_json") from error
