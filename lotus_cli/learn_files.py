"""Events files of a folder to typed rows: CSV and Parquet give the same, and a cell of the wrong type names its place.

Types only; what the values must fulfil is `lotus.own_signals.checks`. pyarrow reads; each column becomes a numpy array.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lotus.errors import SchemaError
from lotus.own_signals.columns import COLUMNS, FEATURE_PREFIX, column
from lotus.own_signals.table import Coded, Feature, FileRows, cell_error
from lotus.tape_machine.diagnosis import nearest

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".pq")
_NULLS = ["", "null", "NULL", "NaN", "nan", "NA", "N/A", "None"]
_TEXTS = ("ts", "asset", "detector_id")
_YES, _NO = ("true", "True", "TRUE", "1", "1.0"), ("false", "False", "FALSE", "0", "0.0")
_EPOCH_MS = (946_684_800_000, 4_102_444_800_000)  # 2000 to 2100
_KNOWN = tuple(c.name for c in COLUMNS if not c.name.endswith("*"))
_REQUIRED = tuple(c.name for c in COLUMNS if c.required and not c.name.endswith("*"))


def read_folder(folder: Path) -> tuple[list[FileRows], list[str]]:
    """Return the rows of every CSV and Parquet file below a folder, and the columns that are not used."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith(SUFFIXES))
    if not paths:
        raise SchemaError(f"no file in {folder}", f"one or more of {', '.join('*' + s for s in SUFFIXES)}")
    files, unused = [], set[str]()
    for path in paths:
        name = path.relative_to(folder).as_posix()
        table = _read(path, name)
        if not table.num_rows:
            raise SchemaError(f"{name} has no row", "one row for every window, published or not")
        unused |= {c for c in table.column_names if not _used(c)}
        files.append(_rows(name, table))
        del table
        pa.default_memory_pool().release_unused()
    return files, sorted(unused)


def _used(name: str) -> bool:
    return name in _KNOWN or name.startswith(FEATURE_PREFIX)


def _read(path: Path, name: str) -> pa.Table:
    try:
        if path.name.endswith((".parquet", ".pq")):
            names = pq.read_schema(path).names
            table = _plain(pq.read_table(path, columns=_check_names(name, names)))
        else:
            table = _read_csv(path, name)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OSError) as error:
        text = " ".join(str(error).split())[:200]
        raise SchemaError(
            f"{name} cannot be read: {text}", "a whole CSV or Parquet file", "cut short, or no such file?"
        ) from None
    return table


def _plain(table: pa.Table) -> pa.Table:
    """Return the table without dictionary-encoded columns."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, pc.cast(table[field.name], field.type.value_type))
    return table


def _read_csv(path: Path, name: str) -> pa.Table:
    with pacsv.open_csv(path) as stream:
        names = _check_names(name, stream.schema.names)
    texts = {c: pa.string() for c in _TEXTS if c in names}

    def read(types: dict[str, pa.DataType]) -> pa.Table:
        options = pacsv.ConvertOptions(
            column_types=types, include_columns=names, null_values=_NULLS, strings_can_be_null=True
        )
        return pacsv.read_csv(path, convert_options=options)

    try:
        return read(texts)
    except pa.ArrowInvalid as error:
        if "conversion error" not in str(error):
            raise
        return read({c: pa.string() for c in names})  # types differ between blocks: the cell is found as text


def _check_names(file: str, names: Sequence[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise SchemaError(f"{file} has column {name} {names.count(name)} times", "each column once")
    for name in _REQUIRED:
        if name not in names:
            hint = nearest(name, [n for n in names if not _used(n)])
            cause = f"{hint!r} misspelled?" if hint else "`lotus learn --explain-columns` tells the format"
            raise SchemaError(f"{file} has no column {name}", column(name).meaning.split(":")[0], cause)
    for name in names:
        hint = "" if _used(name) else nearest(name, [k for k in _KNOWN if k not in names])
        if hint:
            raise SchemaError(
                f"{file} has a column {name}", f"{hint}, or a name that is not so near to it", "misspelled?"
            )
    return list(names)


def _rows(name: str, table: pa.Table) -> FileRows:
    def numbers(key: str) -> Any:
        return _numbers(name, key, table[key]) if key in table.column_names else None

    return FileRows(
        name=name,
        ts_us=_times(name, table["ts"]),
        asset=_names(name, "asset", table["asset"]),
        detector=_names(name, "detector_id", table["detector_id"]),
        horizon_s=_whole(name, table["horizon_s"]),
        published=_flags(name, table["published"]),
        propensity=numbers("propensity"),
        payoff=numbers("payoff_bps"),
        paper=numbers("paper_payoff_bps"),
        features={c: _feature(name, c, table[c]) for c in table.column_names if c.startswith(FEATURE_PREFIX)},
    )


def _times(file: str, values: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    kind = values.type
    _no_null(file, "ts", values)
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise _naive(file, 1, str(values[0]))
        return _int64(pc.cast(values, pa.timestamp("us", kind.tz), safe=False))
    if pa.types.is_integer(kind):
        return _epoch(file, _int64(values))
    if not _is_text(kind):
        raise cell_error(file, "ts", 1, f"{values[0]} ({kind})", "a UTC time", "another column under this name?")
    if re.fullmatch(r"\d+", values[0].as_py()):
        try:
            return _epoch(file, _int64(pc.cast(values, pa.int64())))
        except pa.ArrowInvalid:
            pass
    try:
        return _int64(pc.cast(pc.cast(values, pa.timestamp("ns", "UTC")), pa.timestamp("us", "UTC"), safe=False))
    except pa.ArrowInvalid:
        raise _wrong_time(file, values) from None


def _epoch(file: str, ms: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    bad = np.flatnonzero((ms < _EPOCH_MS[0]) | (ms > _EPOCH_MS[1]))
    if len(bad):
        cause = "seconds or nanoseconds?"
        raise cell_error(file, "ts", int(bad[0]) + 1, str(ms[bad[0]]), "milliseconds since 1970, from 2000 on", cause)
    return ms * 1000


def _wrong_time(file: str, values: pa.ChunkedArray) -> SchemaError:
    for row, text in enumerate(values.to_pylist(), 1):
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            return cell_error(file, "ts", row, repr(text), "ISO 8601 with Z, such as 2025-01-06T09:30:05Z")
        if parsed.tzinfo is None:
            return _naive(file, row, text)
    return cell_error(file, "ts", 1, repr(values[0].as_py()), "one form of time in all rows, with Z or an offset")


def _naive(file: str, row: int, text: str) -> SchemaError:
    cause = "whose clock it is cannot be guessed: write UTC"
    return cell_error(file, "ts", row, f"{text} has no time zone", "a time with Z or an offset", cause)


def _names(file: str, key: str, values: pa.ChunkedArray) -> Coded:
    _no_null(file, key, values)
    if not (_is_text(values.type) or pa.types.is_integer(values.type)):
        raise cell_error(file, key, 1, f"{values[0]} ({values.type})", "a name")
    return _coded(values)


def _whole(file: str, values: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    _no_null(file, "horizon_s", values)
    numbers = _numbers(file, "horizon_s", values)
    bad = np.flatnonzero(~(np.abs(numbers) < 2**53) | (numbers != np.floor(numbers)))
    if len(bad):
        raise cell_error(file, "horizon_s", int(bad[0]) + 1, f"{numbers[bad[0]]:g}", "whole seconds")
    return numbers.astype(np.int64)


def _flags(file: str, values: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    _no_null(file, "published", values)
    coded = _coded(values)
    known = np.array([1 if n in _YES else 0 if n in _NO else -1 for n in coded.names])[coded.codes]
    bad = np.flatnonzero(known < 0)
    if len(bad):
        text = coded.names[coded.codes[bad[0]]]
        raise cell_error(file, "published", int(bad[0]) + 1, repr(text), "true or false, 1 or 0")
    return np.asarray(known == 1)


def _numbers(file: str, key: str, values: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    kind = values.type
    if _is_text(kind):
        return _numbers_of_texts(file, key, values)
    if not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    ):
        raise cell_error(file, key, 1, f"{values[0]} ({kind})", "a number", "mixed types, or another column?")
    return np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _numbers_of_texts(file: str, key: str, values: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    out = np.full(len(values), np.nan)
    for row, text in enumerate(values.to_pylist()):
        if text is not None:
            try:
                out[row] = float(text)
            except ValueError:
                cause = "mixed types" if row else "text in place of numbers"
                raise cell_error(file, key, row + 1, repr(text), "a number or null", cause) from None
    return out


def _feature(file: str, key: str, values: pa.ChunkedArray) -> Feature:
    kind = values.type
    if _is_text(kind):
        coded = _coded(values)
        numeric = [n for n in coded.names if _is_number(n)]
        if numeric and len(numeric) < len(coded.names):
            text = next(i for i, n in enumerate(coded.names) if not _is_number(n))
            row = int(np.flatnonzero(coded.codes == text)[0]) + 1
            cause = "mixed types: a category must not look like a number"
            raise cell_error(
                file, key, row, f"{coded.names[text]!r} among numbers", "numbers only, or text only", cause
            )
        return _numbers_of_texts(file, key, values) if numeric else coded
    if pa.types.is_boolean(kind):
        return _coded(values)
    return _numbers(file, key, values)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _coded(values: pa.ChunkedArray) -> Coded:
    texts = pc.unique(values).drop_null()
    codes = pc.fill_null(pc.index_in(values, value_set=texts), -1)
    return Coded(tuple(_text(x) for x in texts.to_pylist()), np.asarray(codes.to_numpy(), dtype=np.int32))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _int64(values: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray(pc.cast(values, pa.int64()).to_numpy(), dtype=np.int64)


def _no_null(file: str, key: str, values: pa.ChunkedArray) -> None:
    if values.null_count:
        row = int(np.flatnonzero(pc.is_null(values).to_numpy())[0]) + 1
        raise cell_error(file, key, row, "null", f"{key} in every row")
