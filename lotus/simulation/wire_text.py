"""The venue's JSON frames written as text, byte by byte: key order and number form are those of real captures.

Each writer appends at `pos` of a byte buffer and returns the new position; the caller guarantees room. Numbers are
integers in decimal units: trailing zeros are dropped but one decimal stays ("100000.0", "0.00341"), as the venue does.
What the numbers mean is decided elsewhere.
"""

import numpy as np

from lotus.jit import kernel
from lotus.simulation.layout import Bytes, Ints, Trait

LEVELS = 20
TRADE_FIELDS = 5  # px units, size lots, side (+1 buyer is aggressor), venue ms, trade id


def text_bytes(text: str) -> Bytes:
    """Return a text as a byte array."""
    return np.frombuffer(text.encode(), dtype=np.uint8).copy()


_ZERO_HASH = "0x" + "0" * 64
_ZERO_USER = "0x" + "0" * 40
# the fixed pieces of every frame: a head ends before the coin, a field's piece stands before its value
_PIECES = (
    '{"channel":"l2Book","data":{"coin":"',
    '{"channel":"bbo","data":{"coin":"',
    '{"channel":"activeAssetCtx","data":{"coin":"',
    '{"channel":"trades","data":[{"coin":"',
    '},{"coin":"',
    '","time":',
    ',"levels":[[',
    "],[",
    ',"bbo":[',
    "]]}}\n",
    ']],"fast":true}}\n',
    "]}}\n",
    '{"px":"',
    '","sz":"',
    '","n":',
    '","side":"A","px":"',
    '","side":"B","px":"',
    '","sz":"',
    '","time":',
    f',"hash":"{_ZERO_HASH}","tid":',
    f',"users":["{_ZERO_USER}","{_ZERO_USER}"]',
    "}]}\n",
    '","ctx":{"funding":"',
    '","openInterest":"',
    '","prevDayPx":"',
    '","dayNtlVlm":"',
    '","premium":"',
    '","oraclePx":"',
    '","markPx":"',
    '","midPx":"',
    '","impactPxs":["',
    '","',
    '"],"dayBaseVlm":"',
    '"}}}\n',
)
(_BOOK_HEAD, _BBO_HEAD, _CTX_HEAD, _TRADES_HEAD, _NEXT_TRADE, _TIME, _LEVELS_OPEN, _, _BBO_OPEN) = range(9)
(_BOOK_TAIL, _FAST_TAIL, _BBO_TAIL, _LEVEL, _, _, _SELL, _BUY, _TRADE_SZ, _, _, _USERS, _TRADES_TAIL) = range(9, 22)
_FUNDING, _CTX_TAIL = 22, 33
_TEXT = text_bytes("".join(_PIECES))
_ENDS = np.cumsum([0, *(len(piece) for piece in _PIECES)], dtype=np.int64)
_CTX_FIELDS = 11
_CTX_PX = np.array([-1, -2, 0, 6, -1, 0, 0, 0, 0, 0, -2], dtype=np.int64)  # decimals: 0 of px, -1 ten, -2 of size
_UINT = -1  # decimals of a plain integer
_TICK, _PX_DECIMALS, _SZ_DECIMALS = int(Trait.TICK), int(Trait.PX_DECIMALS), int(Trait.SZ_DECIMALS)
_POW10 = np.array([10**i for i in range(19)], dtype=np.int64)
_ZERO, _DOT, _MINUS, _COMMA, _SPACE, _CLOSE = 48, 46, 45, 44, 32, 125


@kernel
def put_piece(out: Bytes, pos: int, piece: int) -> int:
    """Append one fixed piece of text."""
    first, size = _ENDS[piece], _ENDS[piece + 1] - _ENDS[piece]
    for i in range(size):
        out[pos + i] = _TEXT[first + i]
    return int(pos + size)


@kernel
def put(out: Bytes, pos: int, source: Bytes) -> int:
    """Append a whole byte array."""
    for i in range(source.size):
        out[pos + i] = source[i]
    return pos + source.size


@kernel
def put_uint(out: Bytes, pos: int, value: int) -> int:
    """Append a non-negative integer."""
    digits = 1
    while digits < 19 and value >= _POW10[digits]:
        digits += 1
    for i in range(digits - 1, -1, -1):
        rest = value // 10
        out[pos + i] = _ZERO + value - rest * 10
        value = rest
    return pos + digits


@kernel
def put_fixed(out: Bytes, pos: int, value: int, decimals: int) -> int:
    """Append value x 10^-decimals with trailing zeros dropped and at least one decimal."""
    if value < 0:
        out[pos] = _MINUS
        pos += 1
        value = -value
    whole = value // _POW10[decimals]
    part = value - whole * _POW10[decimals]
    pos = put_uint(out, pos, whole)
    out[pos] = _DOT
    pos += 1
    if decimals == 0:
        out[pos] = _ZERO
        return pos + 1
    kept = decimals
    for i in range(decimals - 1, -1, -1):
        rest = part // 10
        digit = part - rest * 10
        part = rest
        if digit == 0 and kept == i + 1 and i > 0:
            kept = i
        out[pos + i] = _ZERO + digit
    return pos + kept


@kernel
def put_stamp(out: Bytes, pos: int, recv_ns: int) -> int:
    """Append the receive stamp that starts a line."""
    pos = put_uint(out, pos, recv_ns)
    out[pos] = _SPACE
    return pos + 1


@kernel
def put_field(out: Bytes, pos: int, piece: int, value: int, decimals: int) -> int:
    """Append the piece before a value and the value (`_UINT`: a plain integer)."""
    pos = put_piece(out, pos, piece)
    if decimals == _UINT:
        return put_uint(out, pos, value)
    return put_fixed(out, pos, value, decimals)


@kernel
def _put_head(out: Bytes, pos: int, piece: int, coin: Bytes, time_ms: int) -> int:
    pos = put(out, put_piece(out, pos, piece), coin)
    return put_field(out, pos, _TIME, time_ms, _UINT)


@kernel
def _put_level(out: Bytes, pos: int, px: int, lots: int, orders: int, trait: Ints) -> int:
    for i in range(3):
        value, decimals = orders, _UINT
        if i == 0:
            value, decimals = px, trait[_PX_DECIMALS]
        elif i == 1:
            value, decimals = lots, trait[_SZ_DECIMALS]
        pos = put_field(out, pos, _LEVEL + i, value, decimals)
    out[pos] = _CLOSE
    return pos + 1


@kernel
def put_bbo(out: Bytes, pos: int, coin: Bytes, time_ms: int, top: Ints, trait: Ints) -> int:
    """Append a bbo frame; `top` = bid px, bid lots, bid orders, ask px, ask lots, ask orders."""
    pos = _put_head(out, pos, _BBO_HEAD, coin, time_ms)
    pos = put_piece(out, pos, _BBO_OPEN)
    for side in range(2):
        if side == 1:
            out[pos] = _COMMA
            pos += 1
        pos = _put_level(out, pos, top[3 * side], top[3 * side + 1], top[3 * side + 2], trait)
    return put_piece(out, pos, _BBO_TAIL)


@kernel
def put_book(
    out: Bytes, pos: int, coin: Bytes, time_ms: int, bid: int, ask: int, shown: Ints, depth: int, trait: Ints
) -> int:
    """Append an l2Book frame of `depth` levels a side (fast form below 20) from best prices and displayed sizes."""
    pos = _put_head(out, pos, _BOOK_HEAD, coin, time_ms)
    for side in range(2):
        px, step = (bid, -trait[_TICK]) if side == 0 else (ask, trait[_TICK])
        pos = put_piece(out, pos, _LEVELS_OPEN + side)  # then what stands between the sides
        for i in range(depth):
            if i > 0:
                out[pos] = _COMMA
                pos += 1
            pos = _put_level(out, pos, px + step * i, shown[side, 0, i], shown[side, 1, i], trait)
    return put_piece(out, pos, _FAST_TAIL if depth < LEVELS else _BOOK_TAIL)


@kernel
def put_trades(out: Bytes, pos: int, coin: Bytes, prints: Ints, count: int, trait: Ints) -> int:
    """Append a trades frame of the first `count` rows of `prints` [n, TRADE_FIELDS]."""
    for i in range(count):
        pos = put_piece(out, pos, _TRADES_HEAD if i == 0 else _NEXT_TRADE)
        pos = put(out, pos, coin)
        for field in range(4):
            piece, value, decimals = _TRADE_SZ + field - 1, prints[i, 1], trait[_SZ_DECIMALS]
            if field == 0:
                piece, value, decimals = (_BUY if prints[i, 2] > 0 else _SELL), prints[i, 0], trait[_PX_DECIMALS]
            elif field > 1:
                value, decimals = prints[i, field + 1], _UINT
            pos = put_field(out, pos, piece, value, decimals)
        pos = put_piece(out, pos, _USERS)
    return put_piece(out, pos, _TRADES_TAIL)


@kernel
def put_ctx(out: Bytes, pos: int, coin: Bytes, ctx: Ints, trait: Ints) -> int:
    """Append an activeAssetCtx frame.

    `ctx` = funding 1e-10, open interest lots, previous-day px, day notional 1e-6 USD, premium 1e-10, oracle px,
    mark px, mid px, impact bid px, impact ask px, day volume lots.
    """
    pos = put(out, put_piece(out, pos, _CTX_HEAD), coin)
    for i in range(_CTX_FIELDS):
        decimals = _CTX_PX[i]
        if decimals == 0:
            decimals = trait[_PX_DECIMALS]
        elif decimals < 0:
            decimals = 10 if decimals == -1 else trait[_SZ_DECIMALS]
        pos = put_field(out, pos, _FUNDING + i, ctx[i], decimals)
    return put_piece(out, pos, _CTX_TAIL)
