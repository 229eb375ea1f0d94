"""Events: the decoded, integer form of the raw lines that move the kernels (market data in event time).

One event stands for one raw line. Prices are integers in units of 10^-(6 - sz_decimals) USD, sizes are integer lots
of 10^-sz_decimals; nothing here parses text, keeps state or touches files. The flat `pool` with offsets is the
column store idea of Apache Arrow's list layout.

Pool layouts (int64), `off[i]:off[i+1]` of event i:

* BOOK, FAST: `[n_bids, n_asks, (px, sz, n) * n_bids, (px, sz, n) * n_asks]`, best level first
* BBO: `[bid_px, bid_sz, bid_n, ask_px, ask_sz, ask_n]`, a null side is `0, 0, 0`
* TRADES: `(px, sz, side, time_ms, tid) * k`, side +1 = the buyer was the aggressor, -1 = the seller; k >= 1
* CTX: `[funding * 1e12, open interest lots, oracle px, mark px, 2 * mid px, premium * 1e12, impact bid px, impact ask
  px]`, null = `NULL`
* CROSSED: nothing; a quote or book whose best bid is not below its best ask
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError

NULL: Final[int] = -(2**63)  # null inside the integer pool (CTX)
NO_TIME: Final[int] = -1  # venue time of an event that carries none (CTX)
LEVEL_WIDTH: Final[int] = 3
BOOK_HEADER: Final[int] = 2
TRADE_WIDTH: Final[int] = 5
CTX_WIDTH: Final[int] = 8
CTX_SCALE_DECIMALS: Final[int] = 12  # funding and premium are held in units of 1e-12


class EventKind(IntEnum):
    """What a raw line became; the numbers are stored in `EventBatch.kind`."""

    BOOK = 1
    FAST = 2
    BBO = 3
    TRADES = 4
    CTX = 5
    CROSSED = 6


class Ctx(IntEnum):
    """Position of each value inside the pool of a CTX event."""

    FUNDING = 0
    OPEN_INTEREST = 1
    ORACLE_PX = 2
    MARK_PX = 3
    MID2_PX = 4
    PREMIUM = 5
    IMPACT_BID = 6
    IMPACT_ASK = 7


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events of one stretch of tape in arrival order; all assets together.

    recv_ns i8[n] receive stamp, time_ms i8[n] venue time (TRADES: the latest print; CTX: -1), seq i8[n] line number
    in the day's tape, kind u1[n], asset i2[n] position in the universe, off i8[n+1] and pool i8[m] as above.
    """

    recv_ns: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    seq: NDArray[np.int64]
    kind: NDArray[np.uint8]
    asset: NDArray[np.int16]
    off: NDArray[np.int64]
    pool: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.seq)

    def payload(self, index: int) -> NDArray[np.int64]:
        """Return the pool slice of one event (a view)."""
        return self.pool[self.off[index] : self.off[index + 1]]

    def slice(self, first: int, last: int) -> "EventBatch":
        """Return events `first` to `last` (excluded) as a batch of its own, offsets starting at 0."""
        start, end = int(self.off[first]), int(self.off[last])
        return EventBatch(
            recv_ns=self.recv_ns[first:last],
            time_ms=self.time_ms[first:last],
            seq=self.seq[first:last],
            kind=self.kind[first:last],
            asset=self.asset[first:last],
            off=self.off[first : last + 1] - start,
            pool=self.pool[start:end],
        )

    def check(self) -> None:
        """Raise `SchemaError` unless lengths, dtypes and offsets agree and receive stamps and line numbers ascend."""
        n = len(self.seq)
        for name, dtype in _DTYPES.items():
            column = getattr(self, name)
            if column.dtype != np.dtype(dtype):
                raise SchemaError(f"event column {name} is {column.dtype}", dtype)
            if name not in ("off", "pool") and len(column) != n:
                raise SchemaError(f"event column {name} has {len(column)} rows", str(n))
        if len(self.off) != n + 1 or int(self.off[0]) != 0 or int(self.off[-1]) != len(self.pool):
            raise SchemaError(f"offsets have {len(self.off)} rows over a pool of {len(self.pool)}", f"{n + 1} rows")
        if n > 1 and (np.any(np.diff(self.seq) <= 0) or np.any(np.diff(self.recv_ns) < 0)):
            raise SchemaError("events are not in arrival order", "ascending seq and recv_ns")


_DTYPES: Final = {
    "recv_ns": "int64",
    "time_ms": "int64",
    "seq": "int64",
    "kind": "uint8",
    "asset": "int16",
    "off": "int64",
    "pool": "int64",
}


def empty_batch() -> EventBatch:
    """Return a batch without events."""
    columns = {name: np.zeros(1 if name == "off" else 0, dtype) for name, dtype in _DTYPES.items()}
    return EventBatch(**columns)


def concat_batches(parts: Sequence[EventBatch]) -> EventBatch:
    """Return batches put one after the other, in the order given."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return empty_batch()
    shifts = np.cumsum([0] + [len(part.pool) for part in parts])
    offsets = [part.off[:-1] + shift for part, shift in zip(parts, shifts, strict=False)]
    offsets.append(np.array([shifts[-1]], dtype=np.int64))
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _DTYPES if name != "off"}
    return EventBatch(off=np.concatenate(offsets), **columns)


@dataclass(frozen=True, slots=True)
class EventInput:
    """One event in plain values, for tests and small builders: see the module's pool layouts for `values`."""

    recv_ns: int
    time_ms: int
    seq: int
    kind: EventKind
    asset: int
    values: tuple[int, ...]


def build_batch(events: Sequence[EventInput]) -> EventBatch:
    """Return the batch of some events given as plain values."""
    lengths = [len(event.values) for event in events]
    return EventBatch(
        recv_ns=np.array([event.recv_ns for event in events], dtype=np.int64),
        time_ms=np.array([event.time_ms for event in events], dtype=np.int64),
        seq=np.array([event.seq for event in events], dtype=np.int64),
        kind=np.array([event.kind for event in events], dtype=np.uint8),
        asset=np.array([event.asset for event in events], dtype=np.int16),
        off=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        pool=np.array([value for event in events for value in event.values], dtype=np.int64),
    )


def book_values(bids: Sequence[tuple[int, int, int]], asks: Sequence[tuple[int, int, int]]) -> tuple[int, ...]:
    """Return the pool values of a BOOK or FAST event from its (px, sz, n) levels, best first.

    >>> book_values([(100, 5, 1)], [])
    (1, 0, 100, 5, 1)
    """
    return (len(bids), len(asks), *(value for level in (*bids, *asks) for value in level))


def trade_rows(payload: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the prints of a TRADES payload as int64[k, 5] of (px, sz, side, time_ms, tid)."""
    return payload.reshape(-1, TRADE_WIDTH)
