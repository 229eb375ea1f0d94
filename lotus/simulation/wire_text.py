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
_BOOK_HEAD = text_bytes('{"channel":"l2Book","data":{"coin":"')
_BBO_HEAD = text_bytes('{"channel":"bbo","data":{"coin":"')
_CTX_HEAD = text_bytes('{"channel":"activeAssetCtx","data":{"coin":"')
_TRADES_HEAD = text_bytes('{"channel":"trades","data":[')
_TIME = text_bytes('","time":')
_LEVELS_OPEN = text_bytes(',"levels":[[')
_SIDES = text_bytes("],[")
_BOOK_TAIL = text_bytes("]]}}\n")
_FAST_TAIL = text_bytes(']],"fast":true}}\n')
_BBO_OPEN = text_bytes(',"bbo":[')
_BBO_TAIL = text_bytes("]}}\n")
_PX = text_bytes('{"px":"')
_SZ = text_bytes('","sz":"')
_ORDERS = text_bytes('","n":')
_TRADE_COIN = text_bytes('{"coin":"')
_TRADE_SIDE_B = text_bytes('","side":"B","px":"')
_TRADE_SIDE_A = text_bytes('","side":"A","px":"')
_TRADE_HASH = text_bytes(f',"hash":"{_ZERO_HASH}","tid":')
_TRADE_USERS = text_bytes(f',"users":["{_ZERO_USER}","{_ZERO_USER}"]}}')
_TRADES_TAIL = text_bytes("]}\n")
_FUNDING = text_bytes('","ctx":{"funding":"')
_OPEN_INTEREST = text_bytes('","openInterest":"')
_PREV_DAY = text_bytes('","prevDayPx":"')
_NOTIONAL = text_bytes('","dayNtlVlm":"')
_PREMIUM = text_bytes('","premium":"')
_ORACLE = text_bytes('","oraclePx":"')
_MARK = text_bytes('","markPx":"')
_MID = text_bytes('","midPx":"')
_IMPACT = text_bytes('","impactPxs":["')
_BASE_VOLUME = text_bytes('"],"dayBaseVlm":"')
_CTX_TAIL = text_bytes('"}}}\n')
_QUOTE_COMMA = text_bytes('","')
_TICK, _PX_DECIMALS, _SZ_DECIMALS = int(Trait.TICK), int(Trait.PX_DECIMALS), int(Trait.SZ_DECIMALS)
_POW10 = np.array([10**i for i in range(19)], dtype=np.int64)
_ZERO, _DOT, _MINUS, _COMMA, _SPACE, _CLOSE = 48, 46, 45, 44, 32, 125


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
def put_level(out: Bytes, pos: int, px: int, px_decimals: int, lots: int, sz_decimals: int, orders: int) -> int:
    """Append one book level."""
    pos = put(out, pos, _PX)
    pos = put_fixed(out, pos, px, px_decimals)
    pos = put(out, pos, _SZ)
    pos = put_fixed(out, pos, lots, sz_decimals)
    pos = put(out, pos, _ORDERS)
    pos = put_uint(out, pos, orders)
    out[pos] = _CLOSE
    return pos + 1


@kernel
def put_bbo(out: Bytes, pos: int, coin: Bytes, time_ms: int, top: Ints, px_decimals: int, sz_decimals: int) -> int:
    """Append a bbo frame; `top` = bid px, bid lots, bid orders, ask px, ask lots, ask orders."""
    pos = put(out, pos, _BBO_HEAD)
    pos = put(out, pos, coin)
    pos = put(out, pos, _TIME)
    pos = put_uint(out, pos, time_ms)
    pos = put(out, pos, _BBO_OPEN)
    pos = put_level(out, pos, top[0], px_decimals, top[1], sz_decimals, top[2])
    out[pos] = _COMMA
    pos = put_level(out, pos + 1, top[3], px_decimals, top[4], sz_decimals, top[5])
    return put(out, pos, _BBO_TAIL)


@kernel
def put_book(
    out: Bytes, pos: int, coin: Bytes, time_ms: int, bid: int, ask: int, shown: Ints, depth: int, trait: Ints
) -> int:
    """Append an l2Book frame of `depth` levels a side (fast form below 20) from best prices and displayed sizes."""
    pos = put(out, pos, _BOOK_HEAD)
    pos = put(out, pos, coin)
    pos = put(out, pos, _TIME)
    pos = put_uint(out, pos, time_ms)
    pos = put(out, pos, _LEVELS_OPEN)
    for side in range(2):
        px, step = (bid, -trait[_TICK]) if side == 0 else (ask, trait[_TICK])
        if side == 1:
            pos = put(out, pos, _SIDES)
        for i in range(depth):
            if i > 0:
                out[pos] = _COMMA
                pos += 1
            lots, orders = shown[side, 0, i], shown[side, 1, i]
            pos = put_level(out, pos, px + step * i, trait[_PX_DECIMALS], lots, trait[_SZ_DECIMALS], orders)
    return put(out, pos, _FAST_TAIL if depth < LEVELS else _BOOK_TAIL)


@kernel
def put_trades(out: Bytes, pos: int, coin: Bytes, prints: Ints, count: int, px_decimals: int, sz_decimals: int) -> int:
    """Append a trades frame of the first `count` rows of `prints` [n, TRADE_FIELDS]."""
    pos = put(out, pos, _TRADES_HEAD)
    for i in range(count):
        if i > 0:
            out[pos] = _COMMA
            pos += 1
        pos = put(out, pos, _TRADE_COIN)
        pos = put(out, pos, coin)
        pos = put(out, pos, _TRADE_SIDE_B if prints[i, 2] > 0 else _TRADE_SIDE_A)
        pos = put_fixed(out, pos, prints[i, 0], px_decimals)
        pos = put(out, pos, _SZ)
        pos = put_fixed(out, pos, prints[i, 1], sz_decimals)
        pos = put(out, pos, _TIME)
        pos = put_uint(out, pos, prints[i, 3])
        pos = put(out, pos, _TRADE_HASH)
        pos = put_uint(out, pos, prints[i, 4])
        pos = put(out, pos, _TRADE_USERS)
    return put(out, pos, _TRADES_TAIL)


@kernel
def put_ctx(out: Bytes, pos: int, coin: Bytes, ctx: Ints, px_decimals: int, sz_decimals: int) -> int:
    """Append an activeAssetCtx frame.

    `ctx` = funding 1e-10, open interest lots, previous-day px, day notional 1e-6 USD, premium 1e-10, oracle px,
    mark px, mid px, impact bid px, impact ask px, day volume lots.
    """
    pos = put(out, pos, _CTX_HEAD)
    pos = put(out, pos, coin)
    pos = put(out, pos, _FUNDING)
    pos = put_fixed(out, pos, ctx[0], 10)
    pos = put(out, pos, _OPEN_INTEREST)
    pos = put_fixed(out, pos, ctx[1], sz_decimals)
    pos = put(out, pos, _PREV_DAY)
    pos = put_fixed(out, pos, ctx[2], px_decimals)
    pos = put(out, pos, _NOTIONAL)
    pos = put_fixed(out, pos, ctx[3], 6)
    pos = put(out, pos, _PREMIUM)
    pos = put_fixed(out, pos, ctx[4], 10)
    pos = put(out, pos, _ORACLE)
    pos = put_fixed(out, pos, ctx[5], px_decimals)
    pos = put(out, pos, _MARK)
    pos = put_fixed(out, pos, ctx[6], px_decimals)
    pos = put(out, pos, _MID)
    pos = put_fixed(out, pos, ctx[7], px_decimals)
    pos = put(out, pos, _IMPACT)
    pos = put_fixed(out, pos, ctx[8], px_decimals)
    pos = put(out, pos, _QUOTE_COMMA)
    pos = put_fixed(out, pos, ctx[9], px_decimals)
    pos = put(out, pos, _BASE_VOLUME)
    pos = put_fixed(out, pos, ctx[10], sz_decimals)
    return put(out, pos, _CTX_TAIL)
