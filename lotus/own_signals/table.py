"""The events of all files as one table in canonical order, each row knowing the file and row it came from.

Order is (ts, asset, detector, horizon), so neither the split into files nor the order of rows can change a result.
What a table must fulfil is `checks`; reading files is the caller's work.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.timebase import DAY_MS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
US_PER_MS = 1000


@dataclass(frozen=True, slots=True)
class Coded:
    """Texts as codes int32 [n] into `names`; -1 is null."""

    names: tuple[str, ...]
    codes: Codes


Feature = Floats | Coded


@dataclass(frozen=True, slots=True)
class FileRows:
    """The rows of one file in its own order; numbers are float64 with NaN for null, None where the column is absent."""

    name: str
    ts_us: Ints
    asset: Coded
    detector: Coded
    horizon_s: Ints
    published: NDArray[np.bool_]
    propensity: Floats | None
    payoff: Floats | None
    paper: Floats | None
    features: Mapping[str, Feature]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ts_us)


@dataclass(frozen=True, slots=True)
class SignalTable:
    """All rows in canonical order; `origin` [n] counts rows through the files in the order of their names."""

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
        at = np.flatnonzero(rows)
        names = ("origin", "ts_us", "horizon_s", "published", "propensity", "payoff", "paper")
        numbers = {name: getattr(self, name)[at] for name in names}
        features = {name: _ordered(values, at) for name, values in self.features.items()}
        asset, detector = (Coded(c.names, c.codes[at]) for c in (self.asset, self.detector))
        return replace(self, asset=asset, detector=detector, features=features, **numbers)

    def place(self, row: int) -> tuple[str, int]:
        """Return file and row in it (from 1) of a row of this table."""
        at = int(self.origin[row])
        file = int(np.searchsorted(self.first_row, at, side="right")) - 1
        return self.files[file], at - int(self.first_row[file]) + 1

    def wrong(self, rows: NDArray[np.bool_], column: str, found: str, expected: str, cause: str = "") -> SchemaError:
        """Return the error of the first of the wrong `rows`, in the order of the files."""
        at = np.flatnonzero(rows)
        first = int(at[np.argmin(self.origin[at])])
        file, row = self.place(first)
        value = _shown(self, column, first)
        more = f" (and {len(at) - 1} more rows)" if len(at) > 1 else ""
        return cell_error(file, column, row, found.format(value=value) + more, expected, cause)


def cell_error(file: str, column: str, row: int, found: str, expected: str, cause: str = "") -> SchemaError:
    """Return the error of one cell: file, column, row from 1 (without the header), what is wrong and why."""
    return SchemaError(f"{file}, column {column}, row {row}: {found}", expected, cause)


def table_of(files: Sequence[FileRows]) -> SignalTable:
    """Return the rows of all files as one table; raises `SchemaError` when their features do not agree."""
    ordered = sorted(files, key=lambda f: f.name)
    sizes = np.array([len(f) for f in ordered], dtype=np.int64)
    ts = np.concatenate([f.ts_us for f in ordered])
    horizon = np.concatenate([f.horizon_s for f in ordered])
    asset, detector = _joined([f.asset for f in ordered]), _joined([f.detector for f in ordered])
    order = np.lexsort((horizon, detector.codes, asset.codes, ts)).astype(np.int64)
    return SignalTable(
        files=tuple(f.name for f in ordered),
        first_row=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        origin=order,
        ts_us=ts[order],
        asset=Coded(asset.names, asset.codes[order]),
        detector=Coded(detector.names, detector.codes[order]),
        horizon_s=horizon[order],
        published=np.concatenate([f.published for f in ordered])[order],
        propensity=_optional([f.propensity for f in ordered], sizes)[order],
        payoff=_optional([f.payoff for f in ordered], sizes)[order],
        paper=_optional([f.paper for f in ordered], sizes)[order],
        features={name: _ordered(values, order) for name, values in _features(ordered)},
    )


def _features(files: Sequence[FileRows]) -> Iterator[tuple[str, Feature]]:
    for name in sorted({name for f in files for name in f.features}):
        for f in files:
            if name not in f.features:
                raise SchemaError(f"{f.name} has no column {name}", f"the columns of {files[0].name} in every file")
        parts = [f.features[name] for f in files]
        texts = [p for p in parts if isinstance(p, Coded)]
        numbers = [p for p in parts if not isinstance(p, Coded)]
        empty = [isinstance(p, np.ndarray) and bool(np.isnan(p).all()) for p in parts]
        if texts and len(texts) + sum(empty) < len(parts):
            text = next(f.name for f in files if isinstance(f.features[name], Coded))
            number = next(f.name for f, blank in zip(files, empty, strict=True) if not blank and f.name != text)
            found = f"column {name} holds text in {text} and numbers in {number}"
            raise SchemaError(found, "one type in all files", "mixed types: name it a category in the configuration")
        if texts:
            yield name, _joined([p if isinstance(p, Coded) else _nothing(len(p)) for p in parts])
        else:
            yield name, np.concatenate(numbers)


def _joined(parts: Sequence[Coded]) -> Coded:
    names = tuple(sorted({name for part in parts for name in part.names}))
    place = {name: i for i, name in enumerate(names)}
    codes = []
    for part in parts:
        known = np.array([*(place[name] for name in part.names), -1], dtype=np.int32)
        codes.append(known[part.codes])
    return Coded(names, np.concatenate(codes))


def _nothing(n: int) -> Coded:
    return Coded((), np.full(n, -1, dtype=np.int32))


def _optional(parts: Sequence[Floats | None], sizes: Ints) -> Floats:
    return np.concatenate([np.full(n, np.nan) if p is None else p for p, n in zip(parts, sizes, strict=True)])


def _ordered(values: Feature, order: Ints) -> Feature:
    return Coded(values.names, values.codes[order]) if isinstance(values, Coded) else values[order]


def _shown(table: SignalTable, column: str, row: int) -> str:
    numbers = {
        "ts": table.ts_us.astype("datetime64[us]"), "horizon_s": table.horizon_s,
        "published": table.published, "propensity": table.propensity,
        "payoff_bps": table.payoff, "paper_payoff_bps": table.paper,
    }  # fmt: skip
    if column in numbers:
        return str(numbers[column][row].item())
    values = table.features.get(column)
    if isinstance(values, Coded):
        return repr(values.names[values.codes[row]])
    return "" if values is None else f"{values[row]:g}"
