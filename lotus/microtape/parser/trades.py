"""Byte parser of trades. See `parser` for the conventions."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.microtape.events import EventKind
from lotus.microtape.parser.numbers import coin_at, decimal_at, integer_at, literal, literal_at, plain_text_at

_TRADES: Final = int(EventKind.TRADES)
_OPEN = literal('trades","data":[')
_COIN = literal('{"coin":"')
_SIDE = literal(',"side":"')
_PX = literal('","px":"')
_SZ = literal(',"sz":"')
_TIME = literal(',"time":')
_HASH = literal(',"hash":"')
_TID = literal(',"tid":')
_USERS = literal(',"users":["')


@kernel
def _price_and_size_at(
    buf: NDArray[np.uint8], at: int, sz_decimals: int, px_decimals: int, pool: NDArray[np.int64], off: int
) -> int:
    """Parse `,"side":"B","px":"..","sz":".."` into (px, sz, side) of the pool; return the index after it or -1."""
    at = literal_at(buf, at, _SIDE)
    if at < 0 or (buf[at] != 65 and buf[at] != 66):
        return -1
    pool[off + 2] = 1 if buf[at] == 66 else -1
    at = literal_at(buf, at + 1, _PX)
    if at < 0:
        return -1
    pool[off], at = decimal_at(buf, at, px_decimals, True)
    if at < 0 or pool[off] <= 0:
        return -1
    at = literal_at(buf, at, _SZ)
    if at < 0:
        return -1
    pool[off + 1], at = decimal_at(buf, at, sz_decimals, False)
    return at


@kernel
def _time_and_tid_at(buf: NDArray[np.uint8], at: int, pool: NDArray[np.int64], off: int) -> int:
    """Parse `,"time":..,"hash":"..","tid":..` into (time_ms, tid) of the pool; return the index after it or -1."""
    at = literal_at(buf, at, _TIME)
    if at < 0:
        return -1
    pool[off + 3], at = integer_at(buf, at)
    if at < 0:
        return -1
    at = literal_at(buf, at, _HASH)
    if at < 0:
        return -1
    at = plain_text_at(buf, at)
    if at < 0:
        return -1
    at = literal_at(buf, at, _TID)
    if at < 0:
        return -1
    pool[off + 4], at = integer_at(buf, at)
    return at


@kernel
def _users_at(buf: NDArray[np.uint8], at: int) -> int:
    """Skip `,"users":["..",".."]}`; return the index after it or -1."""
    at = literal_at(buf, at, _USERS)
    if at < 0:
        return -1
    at = plain_text_at(buf, at)
    if at < 0 or buf[at] != 44 or buf[at + 1] != 34:
        return -1
    at = plain_text_at(buf, at + 2)
    if at < 0 or buf[at] != 93 or buf[at + 1] != 125:
        return -1
    return at + 2


@kernel
def parse_trades(
    buf: NDArray[np.uint8],
    at: int,
    slots: NDArray[np.int64],
    names: NDArray[np.uint8],
    spec: NDArray[np.int64],
    pool: NDArray[np.int64],
    off: int,
) -> tuple[int, int, int, int, int]:
    """Parse trades of one coin from the channel name on; return (kind, coin row, latest ms, end, newline)."""
    at = literal_at(buf, at, _OPEN)
    if at < 0:
        return -1, 0, 0, off, at
    asset, end, latest = -1, off, 0
    while True:
        at = literal_at(buf, at, _COIN)
        if at < 0:
            return -1, 0, 0, off, at
        coin, at = coin_at(buf, at, slots, names)
        if at < 0 or (asset >= 0 and coin != asset):
            return -1, 0, 0, off, at
        asset = coin
        at = _price_and_size_at(buf, at, spec[asset, 0], spec[asset, 1], pool, end)
        if at < 0:
            return -1, 0, 0, off, at
        at = _time_and_tid_at(buf, at, pool, end)
        if at < 0:
            return -1, 0, 0, off, at
        at = _users_at(buf, at)
        if at < 0:
            return -1, 0, 0, off, at
        latest = max(latest, pool[end + 3])
        end += 5
        if buf[at] == 93:
            break
        if buf[at] != 44:
            return -1, 0, 0, off, at
        at += 1
    if buf[at + 1] != 125 or buf[at + 2] != 10:
        return -1, 0, 0, off, at
    return _TRADES, asset, latest, end, at + 2
