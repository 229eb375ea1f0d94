"""Cells of one column, as pyarrow reads them, to the arrays of `FileRows`; a cell of the wrong type names its place.

Types only; what the values must fulfil is `lotus.own_signals.checks`. Text that holds numbers (every CSV file) and
columns of numbers (Parquet) give the same bits.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.own_signals.table import Coded, Feature, Floats, Ints, cell_error, joined

Piece = tuple[int, pa.Array]  # number of the first row, from 0, and the values
Pieces = Callable[[], Iterable[Piece]]

_YES, _NO = ("true", "True", "TRUE", "1", "1.0"), ("false", "False", "FALSE", "0", "0.0")
EPOCH_MS = (946_684_800_000, 4_102_444_800_000)  # 2000 to 2100
_YEARS = (2000, 2099)
_ISO = "ISO 8601 with Z, such as 2025-01-06T09:30:05Z"
_SHOWN = 60  # characters of a cell in a message


def typed_column(file: str, key: str, pieces: Pieces) -> Any:
    """Return a column by the type that the format gives its name; raises `SchemaError` naming file, column and row.

    A feature in an ordered dictionary (an ordered categorical) has the order of its categories.
    """
    if key.startswith("x_") and (order := _order_of(file, key, pieces)):
        return _ordered(file, key, pieces, order)
    return _typed(file, key, lambda: ((first, _plain(values)) for first, values in pieces()))


def _typed(file: str, key: str, pieces: Pieces) -> Any:
    match key:
        case "ts":
            return np.concatenate([_times(file, first, values) for first, values in pieces()])
        case "asset" | "detector_id":
            return joined([_names(file, key, first, values) for first, values in pieces()])
        case "horizon_s":
            return np.concatenate([_whole(file, first, values) for first, values in pieces()])
        case "published":
            return np.concatenate([_flags(file, first, values) for first, values in pieces()])
    if key.startswith("x_"):
        return _feature(file, key, pieces)
    return np.concatenate([_numbers(file, key, first, values) for first, values in pieces()])


def _plain(values: pa.Array) -> pa.Array:
    """Return the values without a dictionary, texts in one form."""
    if pa.types.is_dictionary(values.type):
        values = pc.take(_plain(values.dictionary), values.indices)
    return pc.cast(values, pa.large_string()) if pa.types.is_string_view(values.type) else values


def _order_of(file: str, key: str, pieces: Pieces) -> tuple[str, ...]:
    """Return the categories of an ordered dictionary, lowest first; empty for any other column."""
    order: tuple[str, ...] = ()
    for first, values in pieces():
        if not (pa.types.is_dictionary(values.type) and values.type.ordered):
            return ()
        found = tuple(_text(x) for x in values.dictionary.to_pylist())
        if order and found != order:
            raise cell_error(file, key, first + 1, f"categories {shortened(', '.join(found))}", ", ".join(order))
        order = found
    return order


def _ordered(file: str, key: str, pieces: Pieces, order: tuple[str, ...]) -> Coded:
    coded = []
    for first, values in pieces():
        codes = np.array(pc.fill_null(pc.cast(values.indices, pa.int32()), -1))
        held = np.unique(codes[codes >= 0])
        place = np.full(len(order) + 1, -1, dtype=np.int32)  # the last one is null's
        place[held] = np.arange(len(held))
        coded.append(_clean(file, key, first, Coded(tuple(order[i] for i in held), place[codes], order)))
    return joined(coded)


def shortened(text: str, width: int = _SHOWN) -> str:
    """Return a text of a message, cut where it is too long to be read."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _times(file: str, first: int, values: pa.Array) -> Ints:
    kind = values.type
    _no_null(file, "ts", first, values)
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise _naive(file, first + 1, str(values[0]))
        return _int64(pc.cast(values, pa.timestamp("us", kind.tz), safe=False))
    if pa.types.is_integer(kind):
        return _epoch(file, first, _int64(values))
    if not _is_text(kind):
        raise cell_error(file, "ts", first + 1, f"{values[0]} ({kind})", "a UTC time", "another column of that name?")
    if re.fullmatch(r"\d+", values[0].as_py()):
        try:
            return _epoch(file, first, _int64(pc.cast(values, pa.int64())))
        except pa.ArrowInvalid:
            pass
    try:
        return _int64(_stamps(values))
    except pa.ArrowInvalid:
        raise _wrong_time(file, first, values) from None


def _stamps(values: pa.Array) -> pa.Array:
    return pc.cast(pc.cast(values, pa.timestamp("ns", "UTC")), pa.timestamp("us", "UTC"), safe=False)


def _epoch(file: str, first: int, ms: Ints) -> Ints:
    bad = np.flatnonzero((ms < EPOCH_MS[0]) | (ms > EPOCH_MS[1]))
    if len(bad):
        value = int(ms[bad[0]])
        cause = unit_of(value) or "a clock that was not set?"
        row = first + int(bad[0]) + 1
        raise cell_error(file, "ts", row, f"{value}", "milliseconds since 1970, from 2000 on", cause)
    return ms * 1000


def unit_of(value: int) -> str:
    """Return in what else than milliseconds a time of this century is written, as a question; empty when in none."""
    units = {"seconds": 1000, "microseconds": 1e-3, "nanoseconds": 1e-6}
    return next((f"{u}?" for u, k in units.items() if EPOCH_MS[0] <= value * k <= EPOCH_MS[1]), "")


def _wrong_time(file: str, first: int, values: pa.Array) -> SchemaError:
    place = _first_bad(values, _stamps)
    row, text = first + place + 1, str(values[place].as_py())
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return cell_error(file, "ts", row, shortened(repr(text)), _ISO, _odd_time(text))
    if parsed.tzinfo is None:
        return _naive(file, row, text)
    if not _YEARS[0] <= parsed.year <= _YEARS[1]:
        return cell_error(file, "ts", row, text, "a time from 2000 to 2100", "a clock that was not set?")
    return cell_error(file, "ts", row, repr(text), _ISO)


def _odd_time(text: str) -> str:
    if text.isdigit():
        return unit_of(int(text)) or "a number among times: one form in all rows"
    if re.fullmatch(r"[\d.]+([eE]\+?\d+)?", text):
        return "a number with a fraction: milliseconds are whole (a spreadsheet rounds them)"
    if text == "ts":
        return "a second header inside the file"
    if re.search(r"\d ?[A-Za-z/_]{2,}$", text):
        return "a zone by its name: write Z or +00:00"
    return "a date in another order?" if re.match(r"\d{1,2}[./-]", text) else ""


def _naive(file: str, row: int, text: str) -> SchemaError:
    cause = "whose clock it is cannot be guessed: write UTC"
    return cell_error(file, "ts", row, f"{text} has no time zone", "a time with Z or an offset", cause)


def _names(file: str, key: str, first: int, values: pa.Array) -> Coded:
    _no_null(file, key, first, values)
    if not (_is_text(values.type) or pa.types.is_integer(values.type)):
        raise cell_error(file, key, first + 1, f"{values[0]} ({values.type})", "a name")
    return _clean(file, key, first, _coded(values))


def _clean(file: str, key: str, first: int, coded: Coded) -> Coded:
    """Refuse names that look like another one: blank, with spaces around them or signs that cannot be seen."""
    for place, name in enumerate(coded.names):
        if name != name.strip() or not name or not name.isprintable():
            row = first + int(np.flatnonzero(coded.codes == place)[0]) + 1
            cause = f"{name.strip()!r} with spaces around it?" if name.strip().isprintable() else "a broken export?"
            raise cell_error(file, key, row, shortened(repr(name)), "a name in printed signs", cause)
    return coded


def _whole(file: str, first: int, values: pa.Array) -> Ints:
    _no_null(file, "horizon_s", first, values)
    numbers = _numbers(file, "horizon_s", first, values)
    bad = np.flatnonzero(~(np.abs(numbers) < 2**53) | (numbers != np.floor(numbers)))
    if len(bad):
        raise cell_error(file, "horizon_s", first + int(bad[0]) + 1, f"{numbers[bad[0]]:g}", "whole seconds")
    return numbers.astype(np.int64)


def _flags(file: str, first: int, values: pa.Array) -> NDArray[np.bool_]:
    _no_null(file, "published", first, values)
    coded = _coded(values)
    names = [n.strip() for n in coded.names]
    flags = np.array([1 if n in _YES else 0 if n in _NO else -1 for n in names])[coded.codes]
    bad = np.flatnonzero(flags < 0)
    if len(bad):
        text = coded.names[coded.codes[bad[0]]]
        raise cell_error(file, "published", first + int(bad[0]) + 1, shortened(repr(text)), "true or false, 1 or 0")
    return np.asarray(flags == 1)


def _numbers(file: str, key: str, first: int, values: pa.Array) -> Floats:
    kind = values.type
    if _is_text(kind):
        return _numbers_of_texts(file, key, first, values)
    if not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    ):
        raise cell_error(
            file, key, first + 1, f"{shortened(str(values[0]))} ({kind})", "a number", "mixed types, or another column?"
        )
    return _floats(values)


def _floats(values: pa.Array) -> Floats:
    numbers = pc.cast(values, pa.float64(), safe=False)
    return np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)


def _numbers_of_texts(file: str, key: str, first: int, values: pa.Array) -> Floats:
    trimmed = pc.utf8_trim_whitespace(values)
    try:
        return _floats(trimmed)
    except pa.ArrowInvalid:
        place = _first_bad(trimmed, _floats)
        text = str(values[place].as_py())
        cause = _odd_number(text) or ("mixed types" if first + place else "text in place of numbers")
        raise cell_error(file, key, first + place + 1, shortened(repr(text)), "a number or null", cause) from None


def _odd_number(text: str) -> str:
    """Return why a text that was meant as a number is none, empty when that cannot be told."""
    if re.fullmatch(r"[+-]?[\d ']*\d([.,]\d+)*(e[+-]?\d+)?", text.strip(), re.IGNORECASE) and "," in text:
        return "a comma in a number: write a decimal point, and nothing between thousands"
    if text.rstrip().endswith("%"):
        return "per cent: write the share, 0.13 for 13 %"
    if text.startswith("#"):
        return "an error of a spreadsheet"
    if text.strip().lower() in ("-", "--", "\\n", "n.a.", "n/d", "?", "missing", "nil", "na."):
        return "mixed types; a null under another name: leave the cell empty"
    return ""


def _feature(file: str, key: str, pieces: Pieces) -> Feature:
    """Return numbers, or categories when no cell is a number; a column with some of both is refused."""
    numbers: list[Floats] = []
    for first, values in pieces():
        if pa.types.is_boolean(values.type):
            return joined([_coded(part) for _, part in pieces()])
        if not _is_text(values.type):
            numbers.append(_numbers(file, key, first, values))
            continue
        try:
            numbers.append(_floats(pc.utf8_trim_whitespace(values)))
        except pa.ArrowInvalid:
            return _categories(file, key, pieces)
    return np.concatenate(numbers)


def _categories(file: str, key: str, pieces: Pieces) -> Coded:
    coded, some, odd = [], False, (0, "")
    for first, values in pieces():
        part = _lowered(_coded(values))
        texts = [i for i, name in enumerate(part.names) if not _is_number(name)]
        if texts and not odd[0]:
            place = int(np.flatnonzero(np.isin(part.codes, texts))[0])
            odd = (first + place + 1, part.names[part.codes[place]])
        some |= len(texts) < len(part.names)
        coded.append(_clean(file, key, first, part))
    row, text = odd
    cause = _odd_number(text)
    if some or "comma" in cause or cause.startswith("per cent"):
        among = " among numbers" if some else ""
        cause = cause or "mixed types: a category must not look like a number"
        raise cell_error(file, key, row, f"{shortened(repr(text))}{among}", "numbers only, or text only", cause)
    return joined(coded)


def _lowered(coded: Coded) -> Coded:
    """Return flags as Parquet would have them: true and false, however a CSV file writes them."""
    if not {n.lower() for n in coded.names} <= {"true", "false"}:
        return coded
    place = np.array([*(int(n.lower() == "true") for n in coded.names), -1], dtype=np.int32)
    return Coded(("false", "true"), place[coded.codes])


def _first_bad(values: pa.Array, read: Callable[[pa.Array], object]) -> int:
    """Return the place of the first value that `read` refuses, given that it refuses the whole."""
    low, high = 0, len(values)  # values[:low] can be read, values[:high] cannot
    while high - low > 1:
        middle = (low + high) // 2
        try:
            read(values.slice(low, middle - low))
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _coded(values: pa.Array) -> Coded:
    texts = pc.unique(values).drop_null()
    codes = pc.fill_null(pc.index_in(values, value_set=texts), -1)
    return Coded(tuple(_text(x) for x in texts.to_pylist()), np.array(codes.to_numpy(), dtype=np.int32))


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _int64(values: pa.Array) -> Ints:
    return np.array(pc.cast(values, pa.int64()).to_numpy(), dtype=np.int64)


def _no_null(file: str, key: str, first: int, values: pa.Array) -> None:
    if values.null_count:
        row = first + int(np.flatnonzero(pc.is_null(values).to_numpy(zero_copy_only=False))[0]) + 1
        raise cell_error(file, key, row, "null", f"{key} in every row")
