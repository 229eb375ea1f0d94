"""The small YAML beside an events file: names of columns, which horizon decides, costs, how features are read.

Reading of the text with places of mistakes is `lotus.experts.source`; nothing of the data belongs here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lotus.errors import ConfigError
from lotus.experts.source import SpecSource, read_source
from lotus.own_signals.columns import FEATURE_PREFIX, KNOWN
from lotus.priors.types import MAX_LITERALS
from lotus.priors.vocabulary import MAX_BINS, Reading
from lotus.tape_machine.diagnosis import nearest

READINGS: Final[Mapping[str, Reading]] = {
    "monotone": "one_sided",
    "up": "at_least",
    "down": "at_most",
    "interval": "range",
    "category": "single",
}
EXECUTED, VENUE = "executed", "venue"
_KEYS: Final = (
    "columns", "decision_horizon_s", "cost_bps", "fill_source", "last_days", "half_life_days", "max_literals", "seed",
    "features", "groups",
)  # fmt: skip
OTHER: Final = "other"  # what no group names
MAX_ORDERED: Final = 100  # categories in order, of which five neighbourhoods are made
Groups = Mapping[str, tuple[str, ...]]  # name of a group -> values of the column, as they are written


@dataclass(frozen=True, slots=True)
class FeatureRule:
    """How one feature is read: `reading` None = by its type, `categories` in the order given (empty = as they come)."""

    reading: Reading | None = None
    bins: int = MAX_BINS
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnConfig:
    """Settings of one run; `features` empty = every `x_*` column of the files.

    `columns` holds names of the files by the names of the format, `groups` those of values by feature.
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
    columns: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Groups] = field(default_factory=dict)


def parse_config(text: str, file: str) -> OwnConfig:
    """Return the settings that a YAML text names; raises `ConfigError` with file, key, line and column."""
    check_no_table(text, file)
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
        columns=_columns(keys["columns"].mapping()) if "columns" in keys else {},
        groups={name: _groups(name, part) for name, part in keys["groups"].mapping().items()}
        if "groups" in keys
        else {},
    )
    for name, value in (("cost_bps", made.cost_bps), ("half_life_days", made.half_life_days)):
        if value < 0.0:
            raise keys[name].error(f"{value:g}", "a number from 0 on")
    for name in made.groups:
        if made.features and name not in made.features:
            raise keys["groups"].error(f"groups of {name}, which `features` leaves out", ", ".join(made.features))
        if made.features.get(name, FeatureRule()).categories:
            raise keys["groups"].error(f"groups of {name}, which has `categories` as well", "one of the two")
    return made


def check_no_table(text: str, file: str) -> None:
    """Raise `ConfigError` for what begins as Parquet does, or as CSV: two commas or more and no key."""
    first = next((line for line in text.splitlines() if line.strip()), "").strip()
    cells = max((re.split(mark, first) for mark in (",", ";", r"\t")), key=len)
    keyed = first.startswith(("#", "{", "[")) or re.match(r"[\w\"']+:(\s|$)", first)
    if first.startswith("PAR1") or (len(cells) > 2 and not keyed):
        begin = first if len(first) <= 60 else f"{first[:57]}..."
        raise ConfigError(
            f"{file} looks like a table and not like a configuration: its first line is {begin!r}",
            "YAML such as `cost_bps: 4.5` (`lotus learn --explain-columns` shows all keys)",
            "tables go into the folder that --events names",
        )


def _columns(parts: Mapping[str, SpecSource]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for ours, part in parts.items():
        if not (ours in KNOWN or ours.startswith(FEATURE_PREFIX)):
            hint = nearest(ours, KNOWN)
            raise part.error(
                f"{ours!r} to the left of the colon",
                f"a name of the format, {', '.join(KNOWN)}, or x_ and a name for a feature",
                "the other way round: `columns` reads `name of the format: name in the files`"
                if part.scalar in KNOWN or part.scalar.startswith(FEATURE_PREFIX)
                else f"{hint!r} misspelled" if hint else "",
            )  # fmt: skip
        theirs = part.scalar
        for other, same in columns.items():
            if same == theirs:
                raise part.error(f"column {theirs} under two names, {other} and {ours}", "one name for a column")
        columns[ours] = theirs
    for ours, theirs in columns.items():
        if ours.startswith(FEATURE_PREFIX) and theirs in KNOWN and theirs not in columns:
            raise parts[ours].error(
                f"column {theirs} taken for {ours}, so that no {theirs} is left",
                f"a column that is not {theirs} itself",
                "one column has one meaning: write a copy of it into the files",
            )
    return columns


def _groups(name: str, part: SpecSource) -> Groups:
    if not name.startswith(FEATURE_PREFIX):
        raise part.error(f"groups of {name!r}", "the name of an x_ column")
    groups = {label: tuple(item.scalar for item in values.items()) for label, values in part.mapping().items()}
    if not 1 <= len(groups) <= MAX_BINS:
        raise part.error(f"{len(groups)} groups", f"1 to {MAX_BINS}, and {OTHER!r} for the rest is one of them")
    seen: dict[str, str] = {}
    for label, values in groups.items():
        if not values:
            raise part.error(f"group {label!r} without a value", "[a, b]")
        for value in values:
            if value in seen:
                raise part.error(f"{value!r} in group {label!r} and in group {seen[value]!r}", "one group for a value")
            seen[value] = label
    return groups


def _whole(keys: Mapping[str, SpecSource], name: str, default: int, low: int, high: int) -> int:
    value = keys[name].whole() if name in keys else default
    if not low <= value <= high:
        raise keys[name].error(f"{value}", f"{low} to {high}")
    return value


def _feature(name: str, part: SpecSource) -> FeatureRule:
    if not name.startswith(FEATURE_PREFIX):
        raise part.error(f"feature {name!r}", "the name of an x_ column")
    if part.part.names is None:
        return FeatureRule(READINGS[part.one_of(READINGS)])
    keys = part.keyed((), ("literals", "bins", "categories"))
    reading = READINGS[keys["literals"].one_of(READINGS)] if "literals" in keys else None
    categories = tuple(item.scalar for item in keys["categories"].items()) if "categories" in keys else ()
    most = MAX_BINS if reading in (None, "single") else MAX_ORDERED
    if categories and not (2 <= len(set(categories)) == len(categories) <= most):
        raise keys["categories"].error(f"{', '.join(categories)}", f"2 to {most} different categories")
    if categories and reading is None:
        reading = "single"
    return FeatureRule(reading, _whole(keys, "bins", MAX_BINS, 3, MAX_BINS), categories)
