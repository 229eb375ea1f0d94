"""Byte parser of activeAssetCtx. See `parser` for the conventions.

Reference prices (oracle, mark, impact) round to the nearest price unit; the mid is held as bid + ask (half units).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.microtape.events import CTX_SCALE_DECIMALS, CTX_WIDTH, NO_TIME, NULL, EventKind
from lotus.microtape.parser.numbers import (
    coin_at,
    decimal_at,
    literal,
    literal_at,
    plain_text_at,
    signed_decimal_at,
)

_CTX: Final = int(EventKind.CTX)
_OPEN = literal('activeAssetCtx","data":{"coin":"')
_FUNDING = literal(',"ctx":{"funding":"')
_OPEN_INTEREST = literal(',"openInterest":"')
_PREV_DAY = literal(',"prevDayPx":"')
_DAY_NTL = literal(',"dayNtlVlm":"')
_PREMIUM = literal(',"premium":')
_ORACLE = literal(',"oraclePx":"')
_MARK = literal(',"markPx":"')
_MID = literal(',"midPx":')
_IMPACT = literal(',"impactPxs":')
_DAY_BASE = literal(',"dayBaseVlm":"')
_NULL = literal("null")


@kernel
def _number_at(buf: NDArray[np.uint8], at: int, key: NDArray[np.uint8], decimals: int) -> tuple[int, int]:
    """Parse `,"key":"<decimal>"`, where `key` includes the opening quote; return (value, index after) or (0, -1)."""
    at = literal_at(buf, at, key)
    if at < 0:
        return 0, -1
    return decimal_at(buf, at, decimals, False)


@kernel
def _skip_at(buf: NDArray[np.uint8], at: int, key: NDArray[np.uint8]) -> int:
    at = literal_at(buf, at, key)
    return plain_text_at(buf, at) if at >= 0 else -1


@kernel
def _nullable_at(buf: NDArray[np.uint8], at: int, key: NDArray[np.uint8], decimals: int) -> tuple[int, int]:
    """Parse `,"key":null` or `,"key":"<signed decimal>"`; return (value or NULL, index after) or (0, -1)."""
    at = literal_at(buf, at, key)
    if at < 0:
        return 0, -1
    if buf[at] == 110:
        return NULL, literal_at(buf, at, _NULL)
    if buf[at] != 34:
        return 0, -1
    return signed_decimal_at(buf, at + 1, decimals)


@kernel
def _impact_at(buf: NDArray[np.uint8], at: int, px_decimals: int, pool: NDArray[np.int64], off: int) -> int:
    """Parse `,"impactPxs":null` or `["..",".."]` into two pool values; return the index after it or -1."""
    at = literal_at(buf, at, _IMPACT)
    if at < 0:
        return -1
    if buf[at] == 110:
        pool[off] = NULL
        pool[off + 1] = NULL
        return literal_at(buf, at, _NULL)
    if buf[at] != 91 or buf[at + 1] != 34:
        return -1
    pool[off], at = decimal_at(buf, at + 2, px_decimals, False)
    if at < 0 or buf[at] != 44 or buf[at + 1] != 34:
        return -1
    pool[off + 1], at = decimal_at(buf, at + 2, px_decimals, False)
    if at < 0 or buf[at] != 93:
        return -1
    return at + 1


@kernel
def _prices_at(buf: NDArray[np.uint8], at: int, px_decimals: int, pool: NDArray[np.int64], off: int) -> int:
    """Parse from `"oraclePx"` to the end into the prices of pool[off : off + 8]; return the newline or -1."""
    pool[off + 2], at = _number_at(buf, at, _ORACLE, px_decimals)
    if at < 0:
        return -1
    pool[off + 3], at = _number_at(buf, at, _MARK, px_decimals)
    if at < 0:
        return -1
    tenths, at = _nullable_at(buf, at, _MID, px_decimals + 1)
    if at < 0 or NULL < tenths < 0:
        return -1
    pool[off + 4] = NULL if tenths == NULL else (2 * tenths + 5) // 10
    at = _impact_at(buf, at, px_decimals, pool, off + 6)
    if at < 0:
        return -1
    at = _skip_at(buf, at, _DAY_BASE)
    if at < 0 or not (buf[at] == 125 and buf[at + 1] == 125 and buf[at + 2] == 125 and buf[at + 3] == 10):
        return -1
    return at + 3


@kernel
def parse_ctx(
    buf: NDArray[np.uint8],
    at: int,
    slots: NDArray[np.int64],
    names: NDArray[np.uint8],
    spec: NDArray[np.int64],
    pool: NDArray[np.int64],
    off: int,
) -> tuple[int, int, int, int, int]:
    """Parse a context from its channel name on; return (kind, coin row, -1, end, newline)."""
    at = literal_at(buf, at, _OPEN)
    if at < 0:
        return -1, 0, 0, off, at
    coin, at = coin_at(buf, at, slots, names)
    if at < 0:
        return -1, 0, 0, off, at
    at = literal_at(buf, at, _FUNDING)
    if at < 0:
        return -1, 0, 0, off, at
    pool[off], at = signed_decimal_at(buf, at, CTX_SCALE_DECIMALS)
    if at < 0:
        return -1, 0, 0, off, at
    pool[off + 1], at = _number_at(buf, at, _OPEN_INTEREST, spec[coin, 0])
    if at < 0:
        return -1, 0, 0, off, at
    at = _skip_at(buf, at, _PREV_DAY)
    if at < 0:
        return -1, 0, 0, off, at
    at = _skip_at(buf, at, _DAY_NTL)
    if at < 0:
        return -1, 0, 0, off, at
    pool[off + 5], at = _nullable_at(buf, at, _PREMIUM, CTX_SCALE_DECIMALS)
    if at < 0:
        return -1, 0, 0, off, at
    at = _prices_at(buf, at, spec[coin, 1], pool, off)
    if at < 0:
        return -1, 0, 0, off, at
    return _CTX, coin, NO_TIME, off + CTX_WIDTH, at
