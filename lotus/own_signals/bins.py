"""Features to bins, as-of: edges from the days before, per asset; and the vocabulary that the files bring.

A number's bin on day d follows from the quantiles of its asset over the seven days before d, ties to the lower bin;
without an earlier day, and for a null, it is 255, which makes no literal true. Categories keep their names and are
numbered as they first appear, so a later day cannot renumber an earlier one. Those with an order, of the column or of
the configuration, are bins already and are taken as they are: rules speak of ranges of them. In the literature: as-of
quantile binning, ordinal features.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.own_signals.config import FeatureRule, Groups, OwnConfig
from lotus.own_signals.groups import Grouping, by_configuration, by_first_day, by_order
from lotus.own_signals.report.readings import Edges
from lotus.own_signals.table import Coded, Floats, Ints, SignalTable
from lotus.priors.vocabulary import MAX_BINS, NULL_BIN, Feature, Reading, Vocabulary, rule_counts
from lotus.tape_machine.diagnosis import nearest
from lotus.timebase import DAY_MS, day_of

HISTORY_DAYS = 7
MAX_RULES = 5_000_000  # 0.5 GB of evidence
MAX_CUBE = 150_000  # subsets of one to three features times days: 2.4 GB of sums; the default features take 408 days

Bins = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Binned:
    """The vocabulary of the features, bins uint8 [n, features], and what they stand for: edges and groups by name."""

    vocabulary: Vocabulary
    bins: Bins
    edges: dict[str, Edges]
    groups: dict[str, Grouping]


def binned(table: SignalTable, names: tuple[str, ...], config: OwnConfig) -> Binned:
    """Return the bins of the features named.

    Raises `SchemaError` for a feature that is constant, infinite or of too many categories, and for too many features.
    """
    out = np.full((len(table), len(names)), NULL_BIN, dtype=np.uint8)
    features, edges, groups = [], dict[str, Edges](), dict[str, Grouping]()
    for column, name in enumerate(names):
        rule, values = config.features.get(name, FeatureRule()), table.features[name]
        named = config.groups.get(name, {})
        if not isinstance(values, Coded) and (rule.reading == "single" or rule.categories or named):
            values, named, rule = as_texts(values), _as_written(named), _rule_as_written(rule)
        if isinstance(values, Coded):
            rule = _with_order(values, rule, named)
            values, grouping = _grouped(table, name, values, rule, named)
            if grouping is not None:
                groups[name], rule = grouping, replace(rule, categories=grouping.labels)
            feature, out[:, column] = _categories(table, name, values, rule)
        else:
            _check_number(table, name, values)
            feature = Feature(name, rule.bins, "", reading=rule.reading or "one_sided")
            out[:, column], edges[name] = quantile_bins(table.day, table.asset.codes, values, rule.bins)
        features.append(feature)
    vocabulary = Vocabulary(tuple(features))
    _check_size(vocabulary, config.max_literals, min(len(np.unique(table.day)), config.last_days))
    return Binned(vocabulary, out, edges, groups)


def quantile_bins(day: Ints, asset: NDArray[np.int32], values: Floats, bins: int) -> tuple[Bins, Edges]:
    """Return bins uint8 [n] of numbers and the edges that made them; rows may stand in any order."""
    out = np.full(len(values), NULL_BIN, dtype=np.uint8)
    used: list[tuple[int, int, Floats]] = []
    ranks = np.arange(1, bins) / bins
    for code in np.unique(asset):
        own_rows = np.flatnonzero(asset == code)
        own_rows = own_rows[np.argsort(day[own_rows], kind="stable")]
        days = day[own_rows]
        for today, start, stop in _days(days):
            first = int(np.searchsorted(days, today - HISTORY_DAYS))
            past = values[own_rows[first:start]]
            past = past[~np.isnan(past)]
            now = values[own_rows[start:stop]]
            if len(past):
                edges = np.quantile(past, ranks, method="inverted_cdf")
                numbers = np.searchsorted(edges, now, side="left").astype(np.uint8)
                out[own_rows[start:stop]] = np.where(np.isnan(now), NULL_BIN, numbers)
                used.append((int(code), today, edges))
    codes, days = (np.array([x[k] for x in used], dtype=np.int64) for k in (0, 1))
    return out, Edges(codes, days, np.array([x[2] for x in used]).reshape(-1, bins - 1))


def _days(days: Ints) -> Iterator[tuple[int, int, int]]:
    distinct, start = np.unique(days, return_index=True)
    stop = np.append(start[1:], len(days))
    yield from zip(distinct.tolist(), start.tolist(), stop.tolist(), strict=True)


def _grouped(
    table: SignalTable, name: str, values: Coded, rule: FeatureRule, named: Groups
) -> tuple[Coded, Grouping | None]:
    """Return the values with those taken together that must be; as they are where none must."""
    if named:
        return by_configuration(name, values, named, rule.reading not in (None, "single"))
    if len(rule.categories) > MAX_BINS:
        return by_order(name, values, rule.categories, table.day, day_of(int(table.day[0]) * DAY_MS))
    held = np.unique(values.codes[values.codes >= 0])
    if rule.categories or rule.reading not in (None, "single") or len(held) <= MAX_BINS:
        return values, None
    return by_first_day(name, values, table.day, day_of(int(table.day[0]) * DAY_MS))


def _with_order(values: Coded, rule: FeatureRule, named: Groups) -> FeatureRule:
    """Return a rule with the order that a column has itself, where the configuration does not say another."""
    if not values.order or rule.categories or named or rule.reading == "single":
        return rule
    return replace(rule, reading=rule.reading or "range", categories=values.order)


def _categories(table: SignalTable, name: str, values: Coded, rule: FeatureRule) -> tuple[Feature, Bins]:
    reading: Reading = rule.reading or "single"
    if reading != "single" and not rule.categories:
        wrong = values.codes >= 0
        expected = "numbers, or `categories` in their order in the configuration"
        raise table.wrong(wrong, name, f"{{value}}, a text, where {name} is read by its order", expected)
    first = np.full(len(values.names), len(table), dtype=np.int64)
    named = values.codes >= 0
    np.minimum.at(first, values.codes[named], np.flatnonzero(named))
    seen = [values.names[i] for i in np.argsort(first, kind="stable") if first[i] < len(table)]
    labels = rule.categories or tuple(seen)
    if len(seen) < 2:
        held = f"{seen[0]!r} in every row" if seen else "null in every row"
        raise SchemaError(f"column {name} is {held}", "two categories or more", "a constant cannot make a rule")
    place = {label: i for i, label in enumerate(labels)}
    _check_spelling(name, labels, seen)
    table_of_bins = np.array([*(place.get(n, NULL_BIN) for n in values.names), NULL_BIN], dtype=np.uint8)
    return Feature(name, len(labels), "", reading=reading, labels=labels), table_of_bins[values.codes]


def _check_spelling(name: str, labels: Sequence[str], seen: Sequence[str]) -> None:
    """Refuse a category that no row has where rows have one of nearly its name that is no category."""
    loose = [label for label in seen if label not in labels]
    for label in labels:
        meant = nearest(label, loose) if label not in seen else ""
        if meant:
            found = f"column {name} has no {label!r}, which its categories name, but {meant!r}, which they do not"
            raise SchemaError(found, "the categories as they are written in the column", f"{label!r} misspelled?")


def _check_number(table: SignalTable, name: str, values: Floats) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        raise table.wrong(infinite, name, "{value}", "a finite number or null", "a division by zero?")
    held = values[~np.isnan(values)]
    if not len(held):
        raise SchemaError(f"column {name} is null in every row", "numbers or categories", "a join that found nothing?")
    if held.min() == held.max():
        raise SchemaError(
            f"column {name} is {held[0]:g} in every row ({len(values):,} of them)",
            "two values or more",
            "a constant cannot make a rule",
        )


def as_coded(values: Floats | Coded) -> Coded:
    """Return a feature as texts; numbers as they are written in a configuration."""
    return values if isinstance(values, Coded) else as_texts(values)


def as_texts(values: Floats) -> Coded:
    """Return numbers as texts, in twelve digits at most."""
    held = ~np.isnan(values)
    distinct, codes = np.unique(values[held], return_inverse=True)
    out = np.full(len(values), -1, dtype=np.int32)
    out[held] = codes
    return Coded(tuple(f"{x:.12g}" for x in distinct), out)


def _as_written(groups: Groups) -> Groups:
    """Return groups of numbers with the numbers as `as_texts` writes them; what is none stays, and fits nothing."""
    return {label: tuple(_number_text(value) for value in values) for label, values in groups.items()}


def _rule_as_written(rule: FeatureRule) -> FeatureRule:
    return replace(rule, categories=tuple(_number_text(value) for value in rule.categories))


def _number_text(value: str) -> str:
    try:
        return f"{float(value):.12g}"
    except ValueError:
        return value


def _check_size(vocabulary: Vocabulary, max_literals: int, days: int) -> None:
    n, rules = len(vocabulary.features), sum(rule_counts(vocabulary)[:max_literals])
    subsets = sum(math.comb(n, k) for k in range(1, max_literals + 1))
    if subsets * days > MAX_CUBE or rules > MAX_RULES:
        raise SchemaError(
            f"{n} features make {subsets} subsets of up to {max_literals} and {rules:,} rules, over {days} days",
            f"at most {MAX_CUBE // days} subsets over so many days, and {MAX_RULES:,} rules",
            "choose some under `features` in the configuration, or set max_literals: 2, or fewer last_days",
        )
