"""The values of the last days of a table: by them the windows of later days get their bins, as the files' own did.

Edges of a day come from the seven days before it, so a window of tomorrow is read by what was known today. Nothing is
learned here. In the literature: as-of features, training/serving parity.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lotus.errors import SchemaError
from lotus.own_signals.bins import HISTORY_DAYS, Bins, as_coded, quantile_bins
from lotus.own_signals.config import OTHER
from lotus.own_signals.groups import Grouping
from lotus.own_signals.table import Coded, Codes, Floats, Ints, SignalTable
from lotus.priors.vocabulary import NULL_BIN, Feature, Vocabulary


@dataclass(frozen=True, slots=True)
class LastDays:
    """Day [n], asset [n] and the numbers [n] of each binned feature of the rows of the last seven days."""

    assets: tuple[str, ...]
    day: Ints
    asset: Codes
    numbers: Mapping[str, Floats]

    @property
    def next_day(self) -> int:
        """The day after the last one, days since 1970: the first whose edges these rows make."""
        return int(self.day.max()) + 1

    def edges(self, feature: Feature) -> dict[str, list[float]]:
        """Return the edges of a feature on the next day, lowest first, by asset; none for one without numbers."""
        out = {}
        ranks = np.arange(1, feature.bins) / feature.bins
        for code, name in enumerate(self.assets):
            values = self.numbers[feature.name][self.asset == code]
            values = values[~np.isnan(values)]
            if len(values):
                out[name] = np.quantile(values, ranks, method="inverted_cdf").tolist()
        return out


def recent_of(table: SignalTable, vocabulary: Vocabulary) -> LastDays:
    """Return the last days of the rows that are binned."""
    day = table.day
    rows = day > day.max() - HISTORY_DAYS
    numbers = {}
    for feature in vocabulary.features:
        values = table.features[feature.name]
        if not feature.labels and not isinstance(values, Coded):
            numbers[feature.name] = values[rows]
    return LastDays(table.asset.names, day[rows], table.asset.codes[rows], numbers)


def bins_after(recent: LastDays, table: SignalTable, vocabulary: Vocabulary, groups: Mapping[str, Grouping]) -> Bins:
    """Return the bins uint8 [n, features] of a table of later windows; 255 where nothing before says what is high.

    Days of `recent` that the table holds itself, or that lie after its first, play no part. Raises `SchemaError` for a
    feature that is missing or of another type.
    """
    out = np.full((len(table), len(vocabulary.features)), NULL_BIN, dtype=np.uint8)
    assets, places = _both(recent, table)
    before = recent.day < table.day.min()
    day = np.concatenate([recent.day[before], table.day])
    asset = np.concatenate([places[recent.asset[before]], assets])
    for column, feature in enumerate(vocabulary.features):
        if feature.name not in table.features:
            raise SchemaError(f"no column {feature.name}", "every feature that was learned over", "another export?")
        values = table.features[feature.name]
        if feature.name in recent.numbers:
            if isinstance(values, Coded):
                raise SchemaError(f"column {feature.name} holds text", "numbers, as it held when it was learned over")
            values = np.concatenate([recent.numbers[feature.name][before], values])
            out[:, column] = quantile_bins(day, asset, values, feature.bins)[0][-len(table) :]
        else:
            out[:, column] = _labels(as_coded(values), feature, groups.get(feature.name))
    return out


def _both(recent: LastDays, table: SignalTable) -> tuple[Codes, Codes]:
    """Return the assets of a table's rows, and the place of each asset of the recent rows, among those of both."""
    names = sorted({*recent.assets, *table.asset.names})
    place = {name: i for i, name in enumerate(names)}
    own = np.array([place[name] for name in table.asset.names], dtype=np.int32)
    return own[table.asset.codes], np.array([place[name] for name in recent.assets], dtype=np.int32)


def _labels(values: Coded, feature: Feature, grouping: Grouping | None) -> Bins:
    listed = grouping.values if grouping else tuple((label,) for label in feature.labels)
    place = {value: i for i, values_of in enumerate(listed) for value in values_of}
    rest = feature.labels.index(OTHER) if grouping and OTHER in feature.labels else NULL_BIN
    table = np.array([*(place.get(name, rest) for name in values.names), NULL_BIN], dtype=np.uint8)
    return table[values.codes]
