"""Where a detector wins and loses: its lesson atoms over the bins of two features, with an interval by blocks of time.

The mean is the overlap-weighted score above the day's own baseline; its error comes from the scatter of six-hour blocks
(or of the days or weeks that a compaction left). In the literature: cluster-robust standard errors of a ratio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError, LakeError
from lotus.learning.axes import SIDE, axes
from lotus.priors.vocabulary import FEATURE_NAMES, FEATURES
from lotus_store.atom_sums import TABLES
from lotus_store.config import Settings
from lotus_store.lake import Lake

Floats = NDArray[np.float64]
_NEEDED = ("detector_id", "triple", "cell", "r", "h", "n")


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell: bins of both features, published windows, blocks, the mean (bps over the baseline) and half of its
    95 % interval, NaN below two blocks.
    """

    bins: tuple[int, int]
    n: int
    blocks: int
    mean_bps: float
    half_bps: float


@dataclass(frozen=True, slots=True)
class Heat:
    """The cells of two features of one detector over some days; `detectors` are those that have atoms."""

    detector_id: str
    features: tuple[str, str]
    days: tuple[str, ...]
    detectors: tuple[str, ...]
    cells: tuple[HeatCell, ...]


def heat_of(settings: Settings, detector: str | None, features: tuple[str, str], newest: int) -> Heat:
    """Return the cells of two features over the newest days; the first detector where none is named.

    Raises `ConfigError` for features that are no two of the vocabulary and for an unknown detector, `LakeError` when
    there are no atoms.
    """
    lake = Lake(settings.lake_root)
    days = sorted({day for name in TABLES for day in lake.days(name, settings.branch)})[-newest:]
    if not days:
        raise LakeError(f"branch {settings.branch} has no lesson atoms", "some", "lotus backfill makes them")
    triple, swapped = _subset(features)
    parts = [
        _part(str(settings.lake_root), name, settings.branch, day, lake.hash_of(name, settings.branch, day), triple)
        for day in days
        for name in TABLES
        if lake.exists(name, settings.branch, day)
    ]
    names = sorted({name for part in parts for name in part})
    if not names:
        raise LakeError(f"no lesson atoms of {' and '.join(features)} on these days", "other features, or more days")
    chosen = detector or names[0]
    if chosen not in names:
        raise ConfigError(f"no atoms of detector {chosen[:40]!r}", f"one of {', '.join(names)}")
    cells = _cells([part[chosen] for part in parts if chosen in part], swapped)
    return Heat(chosen, features, tuple(days), tuple(names), tuple(cells))


def label_of(feature: str, b: int) -> str:
    """Return a bin in words.

    >>> label_of("session", 1), label_of("vol", 4)
    ('EU', '4')
    """
    labels = FEATURES[FEATURE_NAMES.index(feature)].labels
    return labels[b] if labels else str(b)


def _subset(features: tuple[str, str]) -> tuple[int, bool]:
    """Return the number of the subset of two features, and whether they stand the other way round in it."""
    if len(set(features)) != 2 or not set(features) <= set(FEATURE_NAMES):
        raise ConfigError(f"features {', '.join(features)[:80]!r}", f"two of {', '.join(FEATURE_NAMES)}")
    places = [FEATURE_NAMES.index(name) for name in features]
    wanted = [-1, *sorted(places)]
    return int(np.flatnonzero((axes().subsets == wanted).all(axis=1))[0]), places[0] > places[1]


@lru_cache(maxsize=4096)
def _part(
    root: str, name: str, branch: str, day: str, _content: str, triple: int
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats, NDArray[np.int64]]]:
    """Return cell, block, r, h and n of one subset by detector; a part with the same content is read once."""
    columns = (*_NEEDED, "block") if name == TABLES[0] else _NEEDED
    rows = Lake(root).read(name, branch, day, columns=columns)
    chosen = rows["triple"] == triple
    detectors = rows["detector_id"][chosen]
    block = rows["block"][chosen].astype(np.int64) if "block" in rows else np.zeros(int(chosen.sum()), np.int64)
    values = (rows["cell"][chosen].astype(np.int64), block, rows["r"][chosen].astype(np.float64),
              rows["h"][chosen].astype(np.float64), rows["n"][chosen].astype(np.int64))  # fmt: skip
    out = {}
    for detector in set(detectors.tolist()):
        own = detectors == detector
        out[str(detector)] = tuple(x[own] for x in values)
    return out


def _cells(parts: Sequence[Sequence[NDArray[np.generic]]], swapped: bool) -> list[HeatCell]:
    block = np.concatenate([part[1].astype(np.int64) + 1000 * k for k, part in enumerate(parts)])
    cell, r, h, n = (np.concatenate([part[i] for part in parts]) for i in (0, 2, 3, 4))
    out = []
    for number in np.unique(cell).tolist():
        own = cell == number
        weight, total = float(h[own].sum()), float(r[own].sum())
        if weight <= 0.0:
            continue
        mean, blocks = total / weight, len(np.unique(block[own]))
        rest = float(np.sum((r[own] - mean * h[own]) ** 2))
        half = 1.96 * math.sqrt(rest * blocks / (blocks - 1)) / weight if blocks > 1 else math.nan
        first, second = number // SIDE % SIDE, number % SIDE
        out.append(HeatCell((second, first) if swapped else (first, second), int(n[own].sum()), blocks, mean, half))
    return out
