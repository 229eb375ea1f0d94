"""Bulk rows: numpy columns to PostgreSQL's binary COPY format without a Python loop over rows.

Rows whose texts have equal lengths share one fixed byte layout, so each such group is one structured array. A column's
PostgreSQL type must be the one of `WIRE`; nothing here is null. (Reference: PostgreSQL manual, COPY, binary format.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus_store.postgres.queries import Connection

Columns = Mapping[str, NDArray[np.generic]]
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
WIRE = {"?": "?", "u1": ">i2", "i2": ">i2", "i4": ">i4", "u4": ">i8", "i8": ">i8", "u8": ">u8", "f8": ">f8"}


def copy_rows(connection: Connection, statement: bytes, columns: Columns) -> int:
    """Send columns, in the order of the COPY statement; return the number of rows. Raises `SchemaError` for a type."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encode(columns))
    return len(next(iter(columns.values())))


def pick(columns: Columns, names: Sequence[str], table: str) -> dict[str, NDArray[np.generic]]:
    """Return the named columns in order; raises `SchemaError` naming the first that is missing."""
    missing = [name for name in names if name not in columns]
    if missing:
        raise SchemaError(f"rows for {table} lack the column {missing[0]!r}", f"all of {', '.join(names)}")
    return {name: np.asarray(columns[name]) for name in names}


def encode(columns: Columns) -> bytes:
    """Return the whole COPY message of equally long columns (unsigned 64-bit numbers in two's complement)."""
    texts = {name: _Texts.of(v) for name, v in columns.items() if v.dtype.kind in "OU"}
    group = np.zeros(len(next(iter(columns.values()))), dtype=np.int64)
    for text in texts.values():
        _, group = np.unique(group * (int(text.widths.max(initial=0)) + 1) + text.widths, return_inverse=True)
    parts = [_group(columns, texts, np.flatnonzero(group == g)) for g in range(int(group.max(initial=-1)) + 1)]
    return b"".join([SIGNATURE, *parts, TRAILER])


@dataclass(frozen=True, slots=True)
class _Texts:
    """A text column as UTF-8: all bytes in a row, where each text starts, and its width in bytes."""

    raw: NDArray[np.uint8]
    starts: NDArray[np.int64]
    widths: NDArray[np.int64]

    @staticmethod
    def of(values: NDArray[np.generic]) -> "_Texts":
        array = pa.array(values, type=pa.large_string())
        _, offsets, raw = array.buffers()
        bounds = np.frombuffer(offsets, dtype=np.int64, count=len(values) + 1)
        return _Texts(np.frombuffer(raw or b"", dtype=np.uint8), bounds[:-1], np.diff(bounds))

    def rows(self, chosen: NDArray[np.intp]) -> NDArray[np.void]:
        """Return the chosen texts, all of one width, as fixed-width bytes."""
        width = int(self.widths[chosen[0]])
        cells: NDArray[np.void] = self.raw[self.starts[chosen, None] + np.arange(width)].view(f"V{width}").ravel()
        return cells


def _group(columns: Columns, texts: Mapping[str, _Texts], chosen: NDArray[np.intp]) -> bytes:
    """Return the messages of rows whose texts have equal widths."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, values in columns.items():
        kind = values.dtype.str.lstrip("<|=").replace("b1", "?")
        if name not in texts and kind not in WIRE:
            raise SchemaError(f"column {name} is {values.dtype}", f"text or one of {', '.join(WIRE)}")
        width = int(texts[name].widths[chosen[0]]) if name in texts else -1
        fields += [(f"{name}#", ">i4"), *([(name, f"V{width}" if width > 0 else WIRE[kind])] if width else [])]
    out = np.empty(len(chosen), dtype=fields)
    out["fields"] = len(columns)
    for name, values in columns.items():
        there = name in (out.dtype.names or ())
        out[f"{name}#"] = out.dtype[name].itemsize if there else 0
        if there:
            out[name] = texts[name].rows(chosen) if name in texts else values[chosen]
    return out.tobytes()
