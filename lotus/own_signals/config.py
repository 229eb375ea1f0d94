"""The small YAML beside an events file: which horizon decides, what a publication costs, how features are read.

Reading of the text with places of mistakes is `lotus.experts.source`; nothing of the data belongs here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lotus.experts.source import Source, read_source
from lotus.own_signals.columns import FEATURE_PREFIX
from lotus.priors.types import MAX_LITERALS
from lotus.priors.vocabulary import MAX_BINS, Reading

READINGS: Final[Mapping[str, Reading]] = {
    "monotone": "one_sided",
    "up": "at_least",
    "down": "at_most",
    "interval": "range",
    "category": "single",
}
EXECUTED, VENUE = "executed", "venue"
_KEYS: Final = (
    "decision_horizon_s", "cost_bps", "fill_source", "last_days", "half_life_days", "max_literals", "seed", "features"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeatureRule:
    """How one feature is read: `reading` None = by its type, `categories` in the order given (empty = as they come)."""

    reading: Reading | None = None
    bins: int = MAX_BINS
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnConfig:
    """Settings of one run; `features` empty = every `x_*` column of the files.

    `decision_horizon_s` 0 = the only one there is, `half_life_days` 0 = all days alike (nightly: the manifest's).
    `cost_bps` is subtracted from every payoff, executed or modelled.
    """

    decision_horizon_s: int = 0
    cost_bps: float = 0.0
    fill_source: str = EXECUTED
    last_days: int = 365
    half_life_days: float = 0.0
    max_literals: int = MAX_LITERALS
    seed: int = 7
    features: Mapping[str, FeatureRule] = field(default_factory=dict)


def parse_config(text: str, file: str) -> OwnConfig:
    """Return the settings that a YAML text names; raises `ConfigError` with file, key, line and column."""
    root = read_source(text, file)
    keys = root.keyed((), _KEYS)
    made = OwnConfig(
        decision_horizon_s=keys["decision_horizon_s"].whole() if "decision_horizon_s" in keys else 0,
        cost_bps=keys["cost_bps"].number() if "cost_bps" in keys else 0.0,
        fill_source=keys["fill_source"].one_of((EXECUTED, VENUE)) if "fill_source" in keys else EXECUTED,
        last_days=_whole(keys, "last_days", 365, 11, 3660),
        half_life_days=keys["half_life_days"].number() if "half_life_days" in keys else 0.0,
        max_literals=_whole(keys, "max_literals", MAX_LITERALS, 1, MAX_LITERALS),
        seed=_whole(keys, "seed", 7, 0, 2**31),
        features={name: _feature(name, part) for name, part in keys["features"].mapping().items()}
        if "features" in keys
        else {},
    )
    for name, value in (("cost_bps", made.cost_bps), ("half_life_days", made.half_life_days)):
        if value < 0.0:
            raise keys[name].error(f"{value:g}", "a number from 0 on")
    return made


def _whole(keys: Mapping[str, Source], name: str, default: int, low: int, high: int) -> int:
    value = keys[name].whole() if name in keys else default
    if not low <= value <= high:
        raise keys[name].error(f"{value}", f"{low} to {high}")
    return value


def _feature(name: str, part: Source) -> FeatureRule:
    if not name.startswith(FEATURE_PREFIX):
        raise part.error(f"feature {name!r}", "the name of an x_ column")
    if part.part.names is None:
        return FeatureRule(READINGS[part.one_of(READINGS)])
    keys = part.keyed((), ("literals", "bins", "categories"))
    reading = READINGS[keys["literals"].one_of(READINGS)] if "literals" in keys else None
    categories = tuple(item.scalar for item in keys["categories"].items()) if "categories" in keys else ()
    if categories and not (2 <= len(set(categories)) == len(categories) <= MAX_BINS):
        raise keys["categories"].error(f"{', '.join(categories)}", f"2 to {MAX_BINS} different categories")
    if categories and reading is None:
        reading = "single"
    return FeatureRule(reading, _whole(keys, "bins", MAX_BINS, 3, MAX_BINS), categories)
