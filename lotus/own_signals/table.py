"""The events of all files as one table in canonical order, each row knowing the file and row it came from.

Order is (ts, asset, detector, horizon), so neither the split into files nor the order of rows can change a result.
Features and descriptive columns are asked of the files one at a time and not kept, so that memory does not grow with
their number. What a table must fulfil is `checks`; reading files is the caller's work.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.own_signals.columns import DESCRIPTIVE, FEATURE_PREFIX
from lotus.timebase import DAY_MS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
US_PER_MS = 1000


@dataclass(frozen=True, slots=True)
class Coded:
    """Texts as codes int32 [n] into `names`; -1 is null. `order`: all categories, lowest first, where they have one."""

    names: tuple[str, ...]
    codes: Codes
    order: tuple[str, ...] = ()


Feature = Floats | Coded


@dataclass(frozen=True, slots=True)
class FileRows:
    """The rows of one file in its own order; `columns` may read a column when it is asked for, and forget it.

    By the names of the format: `ts` int64 us, `asset` and `detector_id` `Coded`, `horizon_s` int64, `published` bool,
    every other one float64 with NaN for null, or `Coded` where a feature is text.
    """

    name: str
    rows: int
    columns: Mapping[str, Any]

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.rows

    @property
    def features(self) -> tuple[str, ...]:
        """Names of its feature columns."""
        return tuple(sorted(name for name in self.columns if name.startswith(FEATURE_PREFIX)))


@dataclass(frozen=True, slots=True)
class LazyColumns(Mapping[str, Feature]):
    """Columns by name, each made by `read` when asked for; asking whether there is one reads nothing."""

    names: tuple[str, ...]
    read: Callable[[str], Feature]

    def __getitem__(self, name: str) -> Feature:
        """Return a column; raises `SchemaError` when the files do not agree on its type."""
        if name not in self.names:
            raise KeyError(name)
        return self.read(name)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a column."""
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self.names)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.names)


@dataclass(frozen=True, slots=True)
class SignalTable:
    """All rows in canonical order; `origin` [n] counts rows through the files in the order of their names.

    `described` holds the columns of `columns.DESCRIPTIVE` that any file has.
    """

    files: tuple[str, ...]
    first_row: Ints
    origin: Ints
    ts_us: Ints
    asset: Coded
    detector: Coded
    horizon_s: Ints
    published: NDArray[np.bool_]
    propensity: Floats
    payoff: Floats
    paper: Floats
    features: Mapping[str, Feature]
    described: Mapping[str, Feature]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ts_us)

    @property
    def day(self) -> Ints:
        """UTC day of ts, days since 1970, int64 [n]."""
        return self.ts_us // (US_PER_MS * DAY_MS)

    def take(self, rows: NDArray[np.bool_]) -> "SignalTable":
        """Return the table of some rows, in the same order."""
        if rows.all():
            return self
        places = np.flatnonzero(rows)
        names = ("origin", "ts_us", "horizon_s", "published", "propensity", "payoff", "paper")
        numbers = {name: getattr(self, name)[places] for name in names}
        asset, detector = (Coded(c.names, c.codes[places]) for c in (self.asset, self.detector))
        features, described = _reordered(self.features, places), _reordered(self.described, places)
        return replace(self, asset=asset, detector=detector, features=features, described=described, **numbers)

    def place(self, row: int) -> tuple[str, int]:
        """Return file and row in it (from 1) of a row of this table."""
        number = int(self.origin[row])
        file = int(np.searchsorted(self.first_row, number, side="right")) - 1
        return self.files[file], number - int(self.first_row[file]) + 1

    def wrong(self, rows: NDArray[np.bool_], column: str, found: str, expected: str, cause: str = "") -> SchemaError:
        """Return the error of the first of the wrong `rows`, in the order of the files."""
        places = np.flatnonzero(rows)
        first = int(places[np.argmin(self.origin[places])])
        file, row = self.place(first)
        value = _shown(self, column, first)
        more = f" (and {len(places) - 1} more rows)" if len(places) > 1 else ""
        return cell_error(file, column, row, found.format(value=value) + more, expected, cause)


def cell_error(file: str, column: str, row: int, found: str, expected: str, cause: str = "") -> SchemaError:
    """Return the error of one cell: file, column, row from 1 (without the header), what is wrong and why."""
    return SchemaError(f"{file}, column {column}, row {row}: {found}", expected, cause)


def table_of(files: Sequence[FileRows]) -> SignalTable:
    """Return the rows of all files as one table; raises `SchemaError` when their features do not agree."""
    ordered = tuple(sorted(files, key=lambda f: f.name))
    features = sorted({name for f in ordered for name in f.features})
    for f in ordered:
        for name in features:
            if name not in f.columns:
                raise SchemaError(f"{f.name} has no column {name}", f"the columns of {ordered[0].name} in every file")
    sizes = np.array([len(f) for f in ordered], dtype=np.int64)
    ts = np.concatenate([f.columns["ts"] for f in ordered])
    horizon = np.concatenate([f.columns["horizon_s"] for f in ordered])
    asset, detector = (joined([f.columns[name] for f in ordered]) for name in ("asset", "detector_id"))
    order = np.lexsort((horizon, detector.codes, asset.codes, ts)).astype(np.int64)
    described = tuple(name for name in DESCRIPTIVE if any(name in f.columns for f in ordered))
    return SignalTable(
        files=tuple(f.name for f in ordered),
        first_row=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        origin=order,
        ts_us=ts[order],
        asset=Coded(asset.names, asset.codes[order]),
        detector=Coded(detector.names, detector.codes[order]),
        horizon_s=horizon[order],
        published=np.concatenate([f.columns["published"] for f in ordered])[order],
        propensity=_numbers(ordered, "propensity")[order],
        payoff=_numbers(ordered, "payoff_bps")[order],
        paper=_numbers(ordered, "paper_payoff_bps")[order],
        features=_reordered(_joined_columns(ordered, features), order),
        described=_reordered(_joined_columns(ordered, described), order),
    )


def _reordered(columns: Mapping[str, Feature], order: Ints) -> LazyColumns:
    """Return columns with their rows in another order."""
    return LazyColumns(tuple(columns), lambda name: _ordered(columns[name], order))


def _joined_columns(files: Sequence[FileRows], names: Sequence[str]) -> LazyColumns:
    """Return columns of several files, the files one after the other; null where a file has none."""
    return LazyColumns(tuple(names), lambda name: _one_column(files, name))


def _one_column(files: Sequence[FileRows], name: str) -> Feature:
    if name in DESCRIPTIVE:
        return _numbers(files, name)
    parts: list[Feature] = [f.columns[name] for f in files]
    texts = [p for p in parts if isinstance(p, Coded)]
    if not texts:
        return np.concatenate([p for p in parts if not isinstance(p, Coded)])
    for f, part in zip(files, parts, strict=True):
        if not isinstance(part, Coded) and not np.isnan(part).all():
            text = next(g.name for g, p in zip(files, parts, strict=True) if isinstance(p, Coded))
            found = f"column {name} holds text in {text} and numbers in {f.name}"
            raise SchemaError(found, "one type in all files", "mixed types: name it a category in the configuration")
    for f, part in zip(files, parts, strict=True):
        if isinstance(part, Coded) and part.order != texts[0].order:
            orders = (", ".join(p.order) or "none" for p in (texts[0], part))
            found = f"column {name}: the order of categories is {next(orders)}, and in {f.name} {next(orders)}"
            raise SchemaError(
                found, "one order in all files", "another list of categories was in force when one was written?"
            )
    return joined([p if isinstance(p, Coded) else Coded((), np.full(len(p), -1, dtype=np.int32)) for p in parts])


def joined(parts: Sequence[Coded]) -> Coded:
    """Return the texts of several parts, one after the other, under one list of names; their order is the first's."""
    names = tuple(sorted({name for part in parts for name in part.names}))
    place = {name: i for i, name in enumerate(names)}
    codes = []
    for part in parts:
        codes_of_part = np.array([*(place[name] for name in part.names), -1], dtype=np.int32)
        codes.append(codes_of_part[part.codes])
    return Coded(names, np.concatenate(codes), next((part.order for part in parts if part.order), ()))


def _numbers(files: Sequence[FileRows], name: str) -> Floats:
    """Return a column of numbers that a file need not have: NaN where it has none."""
    return np.concatenate([f.columns[name] if name in f.columns else np.full(len(f), np.nan) for f in files])


def _ordered(values: Feature, order: Ints) -> Feature:
    return replace(values, codes=values.codes[order]) if isinstance(values, Coded) else values[order]


def _shown(table: SignalTable, column: str, row: int) -> str:
    numbers = {
        "ts": table.ts_us.astype("datetime64[us]"), "horizon_s": table.horizon_s,
        "published": table.published, "propensity": table.propensity,
        "payoff_bps": table.payoff, "paper_payoff_bps": table.paper,
    }  # fmt: skip
    if column in numbers:
        return str(numbers[column][row].item())
    values = table.described[column] if column in DESCRIPTIVE else table.features.get(column)
    if isinstance(values, Coded):
        return repr(values.names[values.codes[row]])
    return "" if values is None else f"{values[row]:g}"
