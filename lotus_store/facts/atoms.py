"""The facts of `lotus atoms show`: lesson atoms of all kept resolutions, summed over days by detector and condition."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError, LakeError
from lotus.learning.axes import SIDE, axes
from lotus.priors.vocabulary import FEATURE_NAMES, FEATURES
from lotus_store.atom_sums import TABLES, summed
from lotus_store.config import Settings
from lotus_store.facts.words import day_ranges
from lotus_store.lake import Lake


@dataclass(frozen=True, slots=True)
class ConditionSums:
    """Sums of one detector in one condition; `rest_*` are those of the second lane, against the rest of the day."""

    detector_id: str
    condition: str
    n: int
    h: float
    r: float
    rest_h: float
    rest_r: float

    @property
    def raw_mean_bps(self) -> float:
        """r / h, NaN without weight."""
        return self.r / self.h if self.h else float("nan")


@dataclass(frozen=True, slots=True)
class Atoms:
    """The cells of some features over some days, ordered by detector and condition."""

    branch: str
    days: tuple[str, ...]
    features: tuple[str, ...]
    cells: tuple[ConditionSums, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        cells = [asdict(cell) | {"raw_mean_bps": cell.raw_mean_bps} for cell in self.cells]
        return {"branch": self.branch, "days": list(self.days), "features": list(self.features), "cells": cells}


def atoms_of(
    settings: Settings, detector: str | None, features: Sequence[str], first: str | None, last: str | None
) -> Atoms:
    """Return the sums over the days from `first` to `last`; a week that is kept as one counts by its Monday.

    `features`: up to three that are looked at together; none means every one by itself, or `session` alone where no
    detector is named. Raises `ConfigError` for an unknown detector, `LakeError` when nothing is kept of those days.
    """
    lake = Lake(settings.lake_root)
    stored_days = sorted({day for name in TABLES for day in lake.days(name, settings.branch)})
    days = [day for day in stored_days if (first or day) <= day <= (last or day)]
    if not days:
        raise LakeError(
            f"branch {settings.branch} has no lesson atoms of these days", f"one of {day_ranges(stored_days)}",
            "lotus backfill makes them",
        )  # fmt: skip
    parts = [lake.read(n, settings.branch, day) for day in days for n in TABLES if lake.exists(n, settings.branch, day)]
    names = sorted({name for part in parts for name in set(part["detector_id"].tolist())})
    if detector is not None and detector not in names:
        found = f"no atoms of detector {detector!r} on branch {settings.branch}"
        raise ConfigError(found, f"one of {', '.join(names)}")
    shown = tuple(features) or (() if detector else ("session",))
    wanted = [frozenset(shown)] if shown else [frozenset((name,)) for name in FEATURE_NAMES]
    subsets = [_features(row) for row in axes().subsets.tolist()]
    triples = [k for k, subset in enumerate(subsets) if frozenset(subset) in wanted]
    sums = summed([_rows(part, np.isin(part["triple"], triples)) for part in parts], "")
    chosen = np.ones(len(sums["n"]), dtype=np.bool_)
    if detector is not None:
        chosen = sums["detector_id"] == detector
    order = ("detector_id", "triple", "cell", "n", "h", "r", "rest_h", "rest_r")
    columns = [sums[name][chosen].tolist() for name in order]
    cells = (
        ConditionSums(name, _condition(triple, cell), *rest) for name, triple, cell, *rest in zip(*columns, strict=True)
    )
    return Atoms(settings.branch, tuple(days), shown, tuple(cells))


def _rows(part: Mapping[str, NDArray[Any]], chosen: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {name: values[chosen] for name, values in part.items()}


def _features(subset: Sequence[int]) -> tuple[str, ...]:
    return tuple(FEATURE_NAMES[k] for k in subset if k >= 0)


def _condition(triple: int, cell: int) -> str:
    """Return the bins of a cell in words."""
    digits = (cell // SIDE**2, cell // SIDE % SIDE, cell % SIDE)
    used = [(FEATURES[k], b) for k, b in zip(axes().subsets[triple].tolist(), digits, strict=True) if k >= 0]
    return " and ".join(
        f"{'d*' * feature.aligned}{feature.name} = {feature.labels[b] if feature.labels else b}" for feature, b in used
    )
