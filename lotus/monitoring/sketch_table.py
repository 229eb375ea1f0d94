"""`day_sketches`: one row per series of a day, its count, null share, and 49 quantiles or one number.

A series is named by family (data, score, diversity), asset ("" for all), subject (a detector, or "") and its column.
`LEVELS` are never tested: they walk for ever, say nothing, or are what days are matched by. How a day's values become
series is in `day_series`; comparing days is in `drift`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.hashing import round_learned
from lotus.monitoring.sketches import FEWEST_ROWS, POINTS, medians, quantiles_of

Columns = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]

DATA, SCORE, DIVERSITY = "data", "score", "diversity"
FAMILIES: Final = (DATA, SCORE, DIVERSITY)
LN_RV: Final = "ln_rv"  # what days are matched by
LEVELS: Final = frozenset({"mid", "oi", "volume_base", "rv_bps", "gap_flag", "x_oi", "x_vol", "x_session", LN_RV})
KEY: Final = ("family", "asset", "subject", "series")
QUANTILES: Final = tuple(f"q_{2 * k:02d}" for k in range(1, POINTS + 1))

KEY_COLUMNS: Final = (
    Column("family", "text", "", "data, score or diversity: what is tested together"),
    Column("asset", "text", "", "venue name of the perpetual; empty for all together"),
    Column("subject", "text", "", "detector; empty for what belongs to none"),
    Column("series", "text", "", "column or number of the day"),
)
DAY_SKETCHES: Final = TableSpec(
    "day_sketches",
    KEY,
    (
        *KEY_COLUMNS,
        Column("n", "i8", "rows", "values that are not null", low=0),
        Column("null_share", "f8", "1", "share of the rows that are null; null without a row", True, 0, 1),
        Column("number", "f8", "as the series", "the series' one number of the day; null for a sketch", True),
        *(Column(name, "f8", "as the series", f"{2 * k} % point; null without a value", True)
          for k, name in enumerate(QUANTILES, 1)),
        Column("pairs", "text", "hex", "of novel_share: the pairs of bins that the day's windows held"),
    ),
)  # fmt: skip


class SeriesName(NamedTuple):
    """What names a series, in the order of the table's key."""

    family: str
    asset: str
    subject: str
    series: str


@dataclass(frozen=True)
class DaySketches:
    """Series of one day: `count` i8 [S], `null_share`, `number` f8 [S], `quantiles` f8 [S, 49]; `pairs` by name.

    Without slots, so that what is looked up in it is made once.
    """

    names: tuple[SeriesName, ...]
    count: NDArray[np.int64]
    null_share: Floats
    number: Floats
    quantiles: Floats
    pairs: Mapping[SeriesName, str]

    @cached_property
    def places(self) -> dict[SeriesName, int]:
        """Row of each series."""
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def ln_rv(self) -> dict[str, float]:
        """Median ln rv of each asset that has enough of it; under "" their mean, where there is one."""
        rows = [(name.asset, row) for row, name in enumerate(self.names) if name.series == LN_RV]
        middle = medians(self.quantiles)
        out = {asset: float(middle[row]) for asset, row in rows if self.count[row] >= FEWEST_ROWS}
        return out | ({"": sum(out.values()) / len(out)} if out else {})


def sketched(names: Sequence[SeriesName], values: Floats) -> DaySketches:
    """Return the sketches of the rows of `values` f8 [S, n], NaN null."""
    count, quantiles = quantiles_of(values)
    rows = values.shape[1]
    nulls = 1.0 - count / rows if rows else np.full(len(names), np.nan)
    return DaySketches(tuple(names), count, nulls, np.full(len(names), np.nan), quantiles, {})


def numbered(numbers: Mapping[SeriesName, float], pairs: Mapping[SeriesName, str] | None = None) -> DaySketches:
    """Return one number a day for each name; NaN where there is none."""
    number = np.array(list(numbers.values()), np.float64)
    shape = (len(numbers), POINTS)
    nulls = np.full(len(numbers), np.nan)
    count = np.isfinite(number).astype(np.int64)
    return DaySketches(tuple(numbers), count, nulls, number, np.full(shape, np.nan), pairs or {})


def together(parts: Iterable[DaySketches]) -> DaySketches:
    """Return the series of all parts, sorted by name, learned numbers rounded."""
    pieces = list(parts)
    names = [name for piece in pieces for name in piece.names]
    order = sorted(range(len(names)), key=names.__getitem__)
    pairs = {name: text for piece in pieces for name, text in piece.pairs.items()}

    def joined(arrays: list[Floats]) -> Floats:
        return round_learned(np.concatenate(arrays)[order])

    return DaySketches(
        names=tuple(names[row] for row in order),
        count=np.concatenate([piece.count for piece in pieces])[order],
        null_share=joined([piece.null_share for piece in pieces]),
        number=joined([piece.number for piece in pieces]),
        quantiles=joined([piece.quantiles for piece in pieces]),
        pairs=pairs,
    )


def columns_of(day: DaySketches) -> dict[str, NDArray[np.generic]]:
    """Return the columns of `DAY_SKETCHES`."""
    out = key_columns(day.names)
    out |= {"n": day.count, "null_share": day.null_share, "number": day.number}
    out |= {name: np.ascontiguousarray(day.quantiles[:, k]) for k, name in enumerate(QUANTILES)}
    out["pairs"] = np.array([day.pairs.get(name, "") for name in day.names], dtype=object)
    return out


def sketches_of(columns: Columns) -> DaySketches:
    """Return the day that columns of `DAY_SKETCHES` hold."""
    names = names_of(columns)
    texts = zip(names, columns["pairs"].tolist(), strict=True)
    return DaySketches(
        names=names,
        count=np.asarray(columns["n"], np.int64),
        null_share=np.asarray(columns["null_share"], np.float64),
        number=np.asarray(columns["number"], np.float64),
        quantiles=np.stack([np.asarray(columns[name], np.float64) for name in QUANTILES], axis=1),
        pairs={name: text for name, text in texts if text},
    )


def aligned(names: Sequence[SeriesName], others: Iterable[Sequence[SeriesName]]) -> list[NDArray[np.int64]]:
    """Return for each of `others` the row of every name, -1 where it has none; days mostly have the same series."""
    out: list[NDArray[np.int64]] = []
    last: Sequence[SeriesName] | None = None
    for other in others:
        if last is None or other != last:
            places = {name: row for row, name in enumerate(other)}
            rows = np.array([places.get(name, -1) for name in names], np.int64)
            last = other
        out.append(rows)
    return out


def key_columns(names: Sequence[SeriesName]) -> dict[str, NDArray[np.generic]]:
    """Return the columns of the key."""
    return {part: np.array([name[k] for name in names], dtype=object) for k, part in enumerate(KEY)}


def names_of(columns: Columns) -> tuple[SeriesName, ...]:
    """Return the names that the columns of the key hold."""
    return tuple(_name(*parts) for parts in zip(*(columns[part].tolist() for part in KEY), strict=True))


@lru_cache(65_536)
def _name(family: str, asset: str, subject: str, series: str) -> SeriesName:
    """Return a name, the same object each time: many days of the same series are in memory together."""
    return SeriesName(family, asset, subject, series)
