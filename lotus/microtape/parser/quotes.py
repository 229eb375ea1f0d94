"""Byte parser of books (20-level and fast form) and best bid and offer. See `parser` for the conventions."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.microtape.events import EventKind
from lotus.microtape.parser.numbers import coin_at, decimal_at, integer_at, literal, literal_at

MAX_LEVELS: Final = 20  # a side; the venue never sends more
_BOOK: Final = int(EventKind.BOOK)
_FAST: Final = int(EventKind.FAST)
_BBO: Final = int(EventKind.BBO)
_L2BOOK_OPEN = literal('l2Book","data":{"coin":"')
_BBO_OPEN = literal('bbo","data":{"coin":"')
_TIME = literal(',"time":')
_LEVELS = literal(',"levels":[[')
_FAST_END = literal(',"fast":true}}')
_BBO_LEVELS = literal(',"bbo":[')
_NULL = literal("null")
_1, _2, _3, _4, _5, _6 = (np.uint64(k) for k in range(1, 7))  # unsigned indices skip the test for negative ones


@kernel
def _level_at(
    buf: NDArray[np.uint8], at: int, sz_decimals: int, px_decimals: int, pool: NDArray[np.int64], off: int
) -> int:
    """Parse `{"px":"..","sz":"..","n":..}` at `buf[at]` into three pool values; return the index after it or -1."""
    u = np.uint64(at)
    if not (buf[u] == 123 and buf[u + _1] == 34 and buf[u + _2] == 112 and buf[u + _3] == 120):
        return -1
    if not (buf[u + _4] == 34 and buf[u + _5] == 58 and buf[u + _6] == 34):
        return -1
    price, at = decimal_at(buf, at + 7, px_decimals, True)
    if at < 0 or price <= 0:
        return -1
    u = np.uint64(at)
    if not (buf[u] == 44 and buf[u + _1] == 34 and buf[u + _2] == 115 and buf[u + _3] == 122):
        return -1
    if not (buf[u + _4] == 34 and buf[u + _5] == 58 and buf[u + _6] == 34):
        return -1
    size, at = decimal_at(buf, at + 7, sz_decimals, False)
    if at < 0:
        return -1
    u = np.uint64(at)
    if not (buf[u] == 44 and buf[u + _1] == 34 and buf[u + _2] == 110 and buf[u + _3] == 34 and buf[u + _4] == 58):
        return -1
    count, at = integer_at(buf, at + 5)
    if at < 0 or buf[np.uint64(at)] != 125:
        return -1
    u = np.uint64(off)
    pool[u] = price
    pool[u + _1] = size
    pool[u + _2] = count
    return at + 1


@kernel
def _side_at(
    buf: NDArray[np.uint8], at: int, sz_decimals: int, px_decimals: int, pool: NDArray[np.int64], off: int
) -> tuple[int, int]:
    """Parse the levels of one side after its `[`; return (number of levels, index after its `]`) or (0, -1)."""
    if buf[at] == 93:
        return 0, at + 1
    for n in range(MAX_LEVELS):
        at = _level_at(buf, at, sz_decimals, px_decimals, pool, off + 3 * n)
        if at < 0:
            return 0, -1
        if buf[at] == 93:
            return n + 1, at + 1
        if buf[at] != 44:
            return 0, -1
        at += 1
    return 0, -1


@kernel
def _head_at(
    buf: NDArray[np.uint8], at: int, opening: NDArray[np.uint8], slots: NDArray[np.int64], names: NDArray[np.uint8]
) -> tuple[int, int, int]:
    """Parse `<opening><coin>","time":<ms>`; return (coin row, time_ms, index after) or (.., .., -1)."""
    at = literal_at(buf, at, opening)
    if at < 0:
        return 0, 0, -1
    coin, at = coin_at(buf, at, slots, names)
    if at < 0:
        return 0, 0, -1
    at = literal_at(buf, at, _TIME)
    if at < 0:
        return 0, 0, -1
    time_ms, at = integer_at(buf, at)
    return coin, time_ms, at


@kernel
def parse_book(
    buf: NDArray[np.uint8],
    at: int,
    slots: NDArray[np.int64],
    names: NDArray[np.uint8],
    spec: NDArray[np.int64],
    pool: NDArray[np.int64],
    off: int,
) -> tuple[int, int, int, int, int]:
    """Parse a book from its channel name on; return (kind, coin row, time_ms, end, index of the newline)."""
    coin, time_ms, at = _head_at(buf, at, _L2BOOK_OPEN, slots, names)
    if at < 0:
        return -1, 0, 0, off, at
    at = literal_at(buf, at, _LEVELS)
    if at < 0:
        return -1, 0, 0, off, at
    sz_decimals, px_decimals = spec[coin, 0], spec[coin, 1]
    n_bids, at = _side_at(buf, at, sz_decimals, px_decimals, pool, off + 2)
    if at < 0 or buf[at] != 44 or buf[at + 1] != 91:
        return -1, 0, 0, off, at
    n_asks, at = _side_at(buf, at + 2, sz_decimals, px_decimals, pool, off + 2 + 3 * n_bids)
    if at < 0 or buf[at] != 93:
        return -1, 0, 0, off, at
    kind = _BOOK
    if buf[at + 1] == 44:
        at = literal_at(buf, at + 1, _FAST_END)
        kind = _FAST
    elif buf[at + 1] == 125 and buf[at + 2] == 125:
        at += 3
    else:
        return -1, 0, 0, off, at
    if at < 0 or buf[at] != 10:
        return -1, 0, 0, off, at
    pool[off] = n_bids
    pool[off + 1] = n_asks
    return kind, coin, time_ms, off + 2 + 3 * (n_bids + n_asks), at


@kernel
def parse_bbo(
    buf: NDArray[np.uint8],
    at: int,
    slots: NDArray[np.int64],
    names: NDArray[np.uint8],
    spec: NDArray[np.int64],
    pool: NDArray[np.int64],
    off: int,
) -> tuple[int, int, int, int, int]:
    """Parse a bbo from its channel name on; return (kind, coin row, time_ms, end, index of the newline)."""
    coin, time_ms, at = _head_at(buf, at, _BBO_OPEN, slots, names)
    if at < 0:
        return -1, 0, 0, off, at
    at = literal_at(buf, at, _BBO_LEVELS)
    for side in range(2):
        if at < 0:
            return -1, 0, 0, off, at
        here = off + 3 * side
        if buf[at] == 110:
            pool[here] = 0
            pool[here + 1] = 0
            pool[here + 2] = 0
            at = literal_at(buf, at, _NULL)
        else:
            at = _level_at(buf, at, spec[coin, 0], spec[coin, 1], pool, here)
        if at < 0 or buf[at] != (44 if side == 0 else 93):
            return -1, 0, 0, off, at
        at += 1
    if buf[at] != 125 or buf[at + 1] != 125 or buf[at + 2] != 10:
        return -1, 0, 0, off, at
    return _BBO, coin, time_ms, off + 6, at + 2
