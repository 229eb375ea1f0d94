"""Frames, quotes and gaps of a stretch of tape as one frozen value, and its tables.

Rows stand in arrival order of the closing message (and by frame inside one message). Column meaning: `spec`.
No kernels and no files here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lotus.columns import TableSpec
from lotus.errors import SchemaError
from lotus.hashing import content_hash
from lotus.manifest import Asset
from lotus.microtape.frames.spec import (
    FLOAT_NAMES,
    G_END,
    G_START,
    I_ASSET,
    I_END,
    I_RECV,
    INT_NAMES,
    MICROTAPE_FRAMES,
    MICROTAPE_QUOTES,
    Q_RECV,
    Q_TIME,
    TAPE_GAPS,
)
from lotus.timebase import DAY_MS, NS_PER_MS

Columns = dict[str, NDArray[np.generic]]
T = TypeVar("T", bound=np.generic)
_BLOCK = 1_024  # rows of a table of which a block stays in the cache


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Frames of all assets: ints i8[n, N_INTS], floats f8[n, N_FLOATS]; quotes i8[q, 8]; gaps i8[g, 4]."""

    universe: tuple[Asset, ...]
    cadence_ms: int
    ints: NDArray[np.int64]
    floats: NDArray[np.float64]
    quotes: NDArray[np.int64]
    gaps: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.ints)

    def columns(self, asset: int | None = None) -> Columns:
        """Return the columns of `MICROTAPE_FRAMES` in its types, of one asset or of all."""
        rows = np.arange(len(self)) if asset is None else np.flatnonzero(self.ints[:, I_ASSET] == asset)
        ints = dict(zip(INT_NAMES, _columns_of(self.ints, rows), strict=True))
        out: Columns = {n: v.astype(MICROTAPE_FRAMES.numpy_dtype(n), copy=False) for n, v in ints.items()}
        return out | dict(zip(FLOAT_NAMES, _columns_of(self.floats, rows), strict=True))

    def quote_columns(self, asset: int | None = None) -> Columns:
        """Return the columns of `MICROTAPE_QUOTES`, of one asset or of all."""
        return _table(MICROTAPE_QUOTES, self.quotes, asset)

    def gap_columns(self, asset: int | None = None) -> Columns:
        """Return the columns of `TAPE_GAPS`, of one asset or of all."""
        return _table(TAPE_GAPS, self.gaps, asset)

    def content_hash(self) -> str:
        """Return the hash of frames, quotes and gaps together."""
        tables = {"frames": self.columns(), "quotes": self.quote_columns(), "gaps": self.gap_columns()}
        return content_hash({f"{table}.{name}": v for table, columns in tables.items() for name, v in columns.items()})

    def in_day(self, start_ms: int) -> NDArray[np.bool_]:
        """Tell which frames belong to the UTC day that starts at `start_ms`.

        They end in it (24:00 included) and were closed by a line received in it; the other frames of a batch that
        begins two hours before only warm the state. A frame that ends at 24:00 exactly is closed by the first line of
        the next day, so it is in neither: a day gives out what was known inside the day.
        """
        end, received = self.ints[:, I_END], self.ints[:, I_RECV]
        inside: NDArray[np.bool_] = (end > start_ms) & (end <= start_ms + DAY_MS) & (received >= start_ms * NS_PER_MS)
        return inside

    def rows_of_day(self, start_ms: int) -> "slice | NDArray[np.bool_]":
        """Return the rows of `in_day`: a slice, which copies nothing, where they stand together."""
        inside = self.in_day(start_ms)
        rows = np.flatnonzero(inside)
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
            return slice(int(rows[0]), int(rows[-1]) + 1)
        return inside

    def of_day(self, start_ms: int) -> "FrameBatch":
        """Return the frames of `in_day`, quotes of its venue time received in it, and every gap that touches it."""
        keep, stop_ms = self.rows_of_day(start_ms), start_ms + DAY_MS
        time_ms, received, gaps = self.quotes[:, Q_TIME], self.quotes[:, Q_RECV], self.gaps
        quotes = self.quotes[(time_ms >= start_ms) & (time_ms < stop_ms) & (received >= start_ms * NS_PER_MS)]
        gaps = gaps[(gaps[:, G_END] > start_ms) & (gaps[:, G_START] < stop_ms)]
        return FrameBatch(
            universe=self.universe,
            cadence_ms=self.cadence_ms,
            ints=self.ints[keep],
            floats=self.floats[keep],
            quotes=quotes,
            gaps=gaps,
        )


def frames_from_columns(
    parts: Sequence[Mapping[str, NDArray[np.generic]]], universe: Sequence[Asset], cadence_ms: int
) -> FrameBatch:
    """Return frames read back from tables (one or several assets), in arrival order, without quotes and gaps.

    Raises `SchemaError` when a column of the specification is missing.
    """
    missing = [name for part in parts for name in MICROTAPE_FRAMES.names if name not in part]
    if missing:
        raise SchemaError(f"frame table without {missing[0]}", "every column of microtape_frames", "an older file")
    keys = [np.concatenate([part[n] for part in parts]) for n in ("close_recv_ns", "close_seq", "asset", "frame_idx")]
    order = _arrival_order(keys)
    ints = _rows_of([np.concatenate([part[n] for part in parts]) for n in INT_NAMES], order, np.int64)
    floats = _rows_of([np.concatenate([part[n] for part in parts]) for n in FLOAT_NAMES], order, np.float64)
    nothing = np.zeros((0, len(MICROTAPE_QUOTES.columns)), np.int64)
    gaps = np.zeros((0, len(TAPE_GAPS.columns)), np.int64)
    return FrameBatch(
        universe=tuple(universe),
        cadence_ms=cadence_ms,
        ints=ints,
        floats=floats,
        quotes=nothing,
        gaps=gaps,
    )


def _arrival_order(keys: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Return the order of rows by several keys, the first one deciding most: parts in order are merged, not sorted."""
    order = np.argsort(keys[0], kind="stable")
    first, *others = (key[order] for key in keys)
    undecided = first[1:] == first[:-1]
    for key in others:
        if (undecided & (key[1:] < key[:-1])).any():
            return np.lexsort(keys[::-1])
        undecided &= key[1:] == key[:-1]
    return order


def _columns_of(table: NDArray[T], rows: NDArray[np.int64]) -> NDArray[T]:
    """Return the columns of some rows of a table, each in one piece: T[columns, n], made block by block."""
    out = np.empty((table.shape[1], len(rows)), table.dtype)
    for first in range(0, len(rows), _BLOCK):
        out[:, first : first + _BLOCK] = table[rows[first : first + _BLOCK]].T
    return out


def _rows_of(columns: Sequence[NDArray[Any]], order: NDArray[np.int64], dtype: type[T]) -> NDArray[T]:
    """Return the table T[n, columns] whose rows are those of some columns in an order, made block by block."""
    out = np.empty((len(order), len(columns)), dtype)
    for first in range(0, len(order), _BLOCK):
        rows = order[first : first + _BLOCK]
        for k, column in enumerate(columns):
            out[first : first + _BLOCK, k] = column[rows]
    return out


def _table(spec: TableSpec, rows: NDArray[np.int64], asset: int | None) -> Columns:
    if asset is not None:
        rows = rows[rows[:, 0] == asset]
    return {c.name: rows[:, k].astype(spec.numpy_dtype(c.name)) for k, c in enumerate(spec.columns)}
