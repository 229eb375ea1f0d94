"""More categories than a rule can speak of, taken together: by the configuration, or as the first day has them.

Only features are read, never payoffs. Nothing of a later day may decide: what is most frequent is asked of the first
day alone, which therefore has no category itself, and where it cannot tell, the configuration must. In the literature:
pooling of rare levels.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lotus.errors import SchemaError
from lotus.own_signals.config import OTHER, Groups
from lotus.own_signals.table import Coded, Ints
from lotus.priors.vocabulary import MAX_BINS

_KEPT = MAX_BINS - 1  # categories that keep their name beside `other`
_IN_SNIPPET, _IN_SHORT = 40, 3  # values that a suggestion lists in full; of a group, where there are more


@dataclass(frozen=True, slots=True)
class Grouping:
    """The values of a feature by group, `labels` and `values` in one order; `by` says who grouped them."""

    labels: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    by: str
    absent: tuple[str, ...] = ()  # values that the configuration names and no row has


def by_configuration(name: str, values: Coded, groups: Groups, ordered: bool) -> tuple[Coded, Grouping]:
    """Return the groups of a feature's values; raises `SchemaError` for those that do not fit them.

    `ordered`: rules read the groups by their order, in which a rest has no place.
    """
    held = {label: tuple(v for v in listed if v in values.names) for label, listed in groups.items()}
    for label, present in held.items():
        if not present and label != OTHER:
            found = f"column {name}: no row has a value of its group {label} ({', '.join(groups[label])})"
            raise SchemaError(found, f"one of {_listed(in_order(values.names))}", "misspelled, or of other files?")
    listings = [value for listed in groups.values() for value in listed]
    named = set(listings)
    for value in named:
        if listings.count(value) > 1:
            raise SchemaError(f"column {name}: {value} is named {listings.count(value)} times", "one group for a value")
    rest = tuple(value for value in in_order(values.names) if value not in named)
    if rest and OTHER not in groups and (ordered or len(groups) > _KEPT):
        raise SchemaError(
            f"column {name}: {len(rest)} values are in none of its {len(groups)} groups: {_listed(rest)}",
            "every value in a group" if ordered else f"at most {_KEPT} groups beside {OTHER!r}, which takes the rest",
            "a rule that reads groups by their order knows no rest" if ordered else "",
        )
    if rest:
        held[OTHER] = in_order((*held.get(OTHER, ()), *rest))
    held = {label: present for label, present in held.items() if present}
    absent = tuple(sorted(named.difference(values.names)))
    return _joined(values, Grouping(tuple(held), tuple(held.values()), "the configuration", absent))


def by_first_day(name: str, values: Coded, day: Ints, first_day: str) -> tuple[Coded, Grouping]:
    """Return the most frequent categories of the first day and `other`; the rows of that day have none.

    `day` [n] numbers the days of rows in order. Raises `SchemaError` where that day does not tell the frequent from the
    rare, with a configuration that would group them.
    """
    held = np.flatnonzero(np.bincount(values.codes[values.codes >= 0], minlength=len(values.names)))
    first = values.codes[(day == day[0]) & (values.codes >= 0)]
    count = np.bincount(first, minlength=len(values.names))
    order = sorted(held.tolist(), key=lambda i: (-count[i], values.names[i]))
    seen = int((count > 0).sum())
    if seen <= MAX_BINS or count[order[_KEPT - 1]] == count[order[_KEPT]]:
        names = [values.names[i] for i in held.tolist()]
        why = f"the first day has only {seen} of them" if seen <= MAX_BINS else "the first day has them equally often"
        raise SchemaError(
            f"column {name} has {len(names)} categories ({_listed(in_order(names))})",
            f"at most {MAX_BINS}",
            f"{why}, so that nothing known in advance says which to take together; group them in the configuration, "
            f"every value not named is {OTHER!r}: {suggestion(name, names)}",
        )
    kept = tuple(values.names[i] for i in order[:_KEPT] if values.names[i] != OTHER)
    rest = in_order([values.names[i] for i in order if values.names[i] not in kept])
    by = f"the first day, {first_day}: its {_KEPT} most frequent, and the rest (that day itself has none)"
    made, grouping = _joined(values, Grouping((*kept, OTHER), (*((k,) for k in kept), rest), by))
    return Coded(made.names, np.where(day == day[0], np.int32(-1), made.codes)), grouping


def by_order(name: str, values: Coded, order: Sequence[str], day: Ints, first_day: str) -> tuple[Coded, Grouping]:
    """Return ordered categories as five neighbourhoods, as even as the first day tells; its rows have none.

    A neighbourhood is a run of categories in their order. Raises `SchemaError` where that day has fewer than five.
    """
    place = {label: i for i, label in enumerate(order)}
    ranks = np.array([*(place.get(label, -1) for label in values.names), -1], dtype=np.int32)[values.codes]
    first = np.bincount(ranks[(day == day[0]) & (ranks >= 0)], minlength=len(order))
    if (first > 0).sum() < MAX_BINS:
        found = (
            f"column {name} has {len(order)} categories in order, and the first day only {(first > 0).sum()} of them"
        )
        raise SchemaError(found, f"{MAX_BINS} or more on the first day", f"group them: {suggestion(name, order, True)}")
    middle = (np.cumsum(first) - 0.5 * first) / first.sum()
    group = np.minimum((middle * MAX_BINS).astype(np.int64), MAX_BINS - 1)
    group = np.unique(group, return_inverse=True)[1]
    parts = [tuple(label for label, g in zip(order, group, strict=True) if g == k) for k in range(group.max() + 1)]
    labels = tuple(part[0] if len(part) == 1 else f"{part[0]}..{part[-1]}" for part in parts)
    by = f"their order, in even parts of the first day, {first_day} (that day itself has none)"
    made, grouping = _joined(values, Grouping(labels, tuple(parts), by))
    return Coded(made.names, np.where(day == day[0], np.int32(-1), made.codes)), grouping


def suggestion(name: str, values: Sequence[str], ordered: bool = False) -> str:
    """Return lines of a configuration that group the values, in their order (`ordered`: as given), into four."""
    ranked = tuple(values) if ordered else in_order(values)
    parts = [part.tolist() for part in np.array_split(np.array(ranked, dtype=object), _KEPT)]
    short = len(values) > _IN_SNIPPET
    groups = ", ".join(
        f"{_scalar(f'{part[0]} to {part[-1]}' if len(part) > 1 else part[0])}: "
        f"[{', '.join(_scalar(v) for v in (part[:_IN_SHORT] if short else part))}]"
        for part in (parts[:2] if short else parts)
    )
    return f"groups: {{{name}: {{{groups}}}}}" + (", with names and values of your own" if short else "")


def in_order(values: Sequence[str]) -> tuple[str, ...]:
    """Return values as a person sorts them: numbers by size."""
    try:
        return tuple(sorted(values, key=float))
    except ValueError:
        return tuple(sorted(values))


def _joined(values: Coded, grouping: Grouping) -> tuple[Coded, Grouping]:
    place = {value: i for i, listed in enumerate(grouping.values) for value in listed}
    codes = np.array([*(place.get(name, -1) for name in values.names), -1], dtype=np.int32)
    return Coded(grouping.labels, codes[values.codes]), grouping


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[: MAX_BINS + 1])
    return shown if len(names) <= MAX_BINS + 1 else f"{shown}, ..."


def _scalar(text: str) -> str:
    return text if re.fullmatch(r"[\w.][\w.%-]*( [\w.%-]+)*", text) else json.dumps(text, ensure_ascii=False)
