"""What is planted: lessons and the trap of a world, declared as rules over the quantised context.

A rule is a tuple of literals (context feature, lowest bin, highest bin) on the scale of docs/concepts/windows.md; an
episode of the detector inside the rule moves the price by `effect_bps` along its direction, within its horizon.
Rules of lessons use contexts without a sign: a signed one (basis, funding) would itself predict the price, whatever
the detector, and every detector would truthfully learn an echo of it.
Nothing here generates a price.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from lotus.errors import ConfigError
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import FEATURE_NAMES
from lotus.simulation.spec import WorldSpec


@dataclass(frozen=True, slots=True)
class PlantedLiteral:
    """Bins `low`..`high` of one context feature."""

    feature: str
    low: int
    high: int


def rule_of(literals: tuple[PlantedLiteral, ...]) -> Rule:
    """Return literals as a rule of the learner's vocabulary."""
    return Rule.of(*(Literal(FEATURE_NAMES.index(x.feature), x.low, x.high) for x in literals))


@dataclass(frozen=True, slots=True)
class Planted:
    """A lesson that is true in this world: more payoff for one detector inside a rule, none outside."""

    name: str
    detector_id: str
    literals: tuple[PlantedLiteral, ...]
    effect_bps: float
    horizon_s: int
    note: str


@dataclass(frozen=True, slots=True)
class Trap:
    """A context with a high hit rate and no gain: many small wins, few large losses, mean exactly zero."""

    name: str
    detector_id: str
    literals: tuple[PlantedLiteral, ...]
    win_bps: float
    loss_bps: float
    bag: int  # one loss in every shuffled bag of so many episodes
    horizon_s: int
    note: str


@dataclass(frozen=True, slots=True)
class PlantedStyle:
    """Where an order at rest is met in this world: inside the rule as usual, outside hardly anybody trades.

    So joining the book saves the taker's fee inside, and falls back to crossing outside. The noise of prices is
    `noise_q8` 256ths of the demo's: a wait costs less luck, and two weeks of sessions show a difference of 3 bps.
    """

    name: str
    literals: tuple[PlantedLiteral, ...]
    noise_q8: int
    note: str


_LESSONS = (
    Planted(
        "low_interest",
        "imbalance_persistence",
        (PlantedLiteral("oi", 0, 1),),
        18.0,
        30,
        "a persistent imbalance pays while open interest is low",
    ),
    Planted(
        "steep_book",
        "sweep_stall_reversal",
        (PlantedLiteral("depth_slope", 3, 4),),
        18.0,
        30,
        "a stalled sweep reverses when the book is steep",
    ),
)
_TRAP = Trap(
    "funding_with",
    "depth_vacuum_momentum",
    (PlantedLiteral("funding", 3, 4),),
    6.0,
    54.0,
    10,
    30,
    "a vacuum with the funding wins often and loses it all at once",
)
_STYLE = PlantedStyle(
    "steep_rest",
    (PlantedLiteral("depth_slope", 3, 4),),
    128,
    "an order that rests is filled while the book is steep; else it waits in vain",
)
_WORLDS: dict[str, tuple[tuple[Planted, ...], tuple[Trap, ...]]] = {
    "demo": (_LESSONS, (_TRAP,)),
    "null": ((), ()),
    "styles": (_LESSONS, (_TRAP,)),
}
WORLDS = tuple(_WORLDS)


def style_of(world: str) -> PlantedStyle | None:
    """Return where orders at rest are met in a world, None where that is alike everywhere."""
    return _STYLE if world == "styles" else None


def planted_of(world: str) -> tuple[tuple[Planted, ...], tuple[Trap, ...]]:
    """Return the lessons and traps of a world; raises `ConfigError` for an unknown name."""
    if world not in _WORLDS:
        raise ConfigError(f"world {world!r}", f"one of {', '.join(sorted(_WORLDS))}")
    return _WORLDS[world]


def manifest_of(spec: WorldSpec) -> dict[str, Any]:
    """Return the JSON-able statement of a world: what it is made of and what is true in it."""
    lessons, traps = planted_of(spec.name)
    style = style_of(spec.name)
    plain = {
        "world": spec.name,
        "seed": spec.seed,
        "days": [spec.day(i) for i in range(spec.days)],
        "sessions": [list(s) for s in spec.sessions],
        "universe": [{"name": a.name, "sz_decimals": a.sz_decimals} for a in spec.assets],
        "rates": asdict(spec.rates),
        "lessons": [asdict(lesson) for lesson in lessons],
        "traps": [asdict(trap) for trap in traps],
        **({} if style is None else {"style": asdict(style)}),
    }
    normal: dict[str, Any] = json.loads(json.dumps(plain))  # tuples become the lists that a file gives back
    return normal
