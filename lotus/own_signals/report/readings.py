"""What bins and groups stand for in values: the edges that the binning used, over days and assets, as plain values.

Edges follow from the days before and move from day to day, so a literal has no one threshold: its median and its range
are told, and those of each asset. Nothing is binned here, and nothing of it is searched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.own_signals.groups import Grouping
from lotus.own_signals.table import Floats, Ints
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import Feature, Vocabulary, describe_literal

Facts = dict[str, Any]
DIFFER: Final = 0.25  # assets differ much when their medians lie further apart than this share of the edges' span
_FAR: Final = np.int64(2**32)  # beyond every day
_PARTS: Final = {3: "third", 4: "quarter", 5: "fifth"}
_NUMBERS: Final = ("", "", "two ", "three ", "four ")


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of one feature as they were used: `values` [m, bins - 1] of asset (code) and day [m] (since 1970)."""

    asset: Ints
    day: Ints
    values: Floats

    def of(self, spoke: NDArray[np.int64]) -> "Edges":
        """Return those of the (asset, day) [k, 2] given."""
        rows = np.isin(self.asset * _FAR + self.day, spoke[:, 0] * _FAR + spoke[:, 1])
        return Edges(self.asset[rows], self.day[rows], self.values[rows])


@dataclass(frozen=True, slots=True)
class Readings:
    """Edges and groups by feature, names of assets, and (asset, day) [k, 2] on which each detector had windows."""

    edges: Mapping[str, Edges]
    groups: Mapping[str, Grouping]
    assets: tuple[str, ...]
    spoke: Mapping[str, NDArray[np.int64]]

    def rule(self, detector_id: str, rule: Rule, words: Vocabulary) -> list[Facts]:
        """Return what each literal over numbers or groups stands for where the detector spoke."""
        return [
            reading
            for literal in rule.literals
            if (reading := self._literal(detector_id, literal, words.features[literal.feature], words)) is not None
        ]

    def feature(self, feature: Feature) -> list[Facts]:
        """Return the edges of a feature, lowest first, over all detectors; none for categories."""
        if feature.name not in self.edges:
            return []
        everywhere = np.unique(np.concatenate(list(self.spoke.values())), axis=0)
        edges = self.edges[feature.name].of(everywhere)
        places = range(feature.bins - 1)
        return list(self._edges(edges, places).values()) if len(edges.day) else []

    def _literal(self, detector_id: str, x: Literal, feature: Feature, words: Vocabulary) -> Facts | None:
        reading = {"feature": feature.name, "literal": describe_literal(x, words)}
        if feature.name in self.groups:
            grouping = self.groups[feature.name]
            values = [v for listed in grouping.values[x.low : x.high + 1] for v in listed]
            return {**reading, "words": "", "values": values, "above": None, "up_to": None}
        if feature.name not in self.edges:
            return None
        edges = self.edges[feature.name].of(self.spoke[detector_id])
        places = [k for k in (x.low - 1, x.high) if 0 <= k < feature.bins - 1]
        median_edges = self._edges(edges, places) if len(edges.day) else {}
        limits = {"above": median_edges.get(x.low - 1), "up_to": median_edges.get(x.high)}
        return {**reading, "words": _part(x.low, x.high, feature.bins), "values": [], **limits}

    def _edges(self, edges: Edges, places: Sequence[int]) -> dict[int, Facts]:
        """Return edges by their place over days and assets, and all by asset as well where one differs much."""
        by_asset = {self.assets[code]: edges.values[edges.asset == code] for code in np.unique(edges.asset).tolist()}
        medians = np.array([np.median(values, axis=0) for values in by_asset.values()])
        far = DIFFER * np.median(medians[:, -1] - medians[:, 0])
        differ = any(np.ptp(medians[:, k]) > far for k in places)
        return {
            k: {
                **_moves(edges.values[:, k]),
                "days": len(np.unique(edges.day)),
                "by_asset": {name: _moves(values[:, k]) for name, values in by_asset.items()} if differ else {},
            }
            for k in places
        }


def _moves(values: Floats) -> Facts:
    return {"median": float(np.median(values)), "low": float(values.min()), "high": float(values.max())}


def _part(low: int, high: int, bins: int) -> str:
    """Return a range of bins in words.

    >>> _part(4, 4, 5), _part(0, 1, 5), _part(1, 3, 5), _part(1, 2, 5), _part(1, 1, 3)
    ('the highest fifth', 'the lowest two fifths', 'the middle three fifths', 'fifths 2 to 3 of 5', 'the middle third')
    """
    n, part = high - low + 1, _PARTS[bins]
    several = f"{_NUMBERS[n]}{part}{'s' if n > 1 else ''}"
    if low == 0:
        return f"the lowest {several}"
    if high == bins - 1:
        return f"the highest {several}"
    if low == bins - 1 - high:
        return f"the middle {several}"
    return f"{part}s {low + 1} to {high + 1} of {bins}" if n > 1 else f"{part} {low + 1} of {bins}, from the lowest"
