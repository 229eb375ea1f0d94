"""From a typed frame to the integers of an event: the general path for everything the byte parser declines.

The result is exactly what the byte parser yields where it succeeds (a property test holds the two together). Checks
that need memory (order of time, replays, crossed books) are not made here but in `admit`.
"""

import re
from dataclasses import dataclass
from itertools import chain
from typing import Final

from lotus.errors import WireError
from lotus.microtape.events import CTX_SCALE_DECIMALS, NO_TIME, NULL
from lotus.microtape.parser.frame import CoinTable
from lotus.microtape.parser.quotes import MAX_LEVELS
from lotus.microtape.wire import types as w
from lotus.microtape.wire.frame import CONTROL_PREFIX, MalformedJson, decode_frame
from lotus.microtape.wire.reasons import LineKind, QuarantineReason
from lotus.microtape.wire.units import RefusedValue, integer, price, units

_STAMPED: Final = re.compile(rb"[0-9]{1,19} ")
_COUNTED: Final[dict[type, LineKind]] = {
    w.SubscriptionResponse: LineKind.ACK,
    w.Pong: LineKind.PONG,
    w.ErrorFrame: LineKind.ERROR,
    w.Greeting: LineKind.GREETING,
    w.PostReply: LineKind.POST,
    w.AllMids: LineKind.ALL_MIDS,
    w.Candle: LineKind.CANDLE,
    w.AssetCtxs: LineKind.ASSET_CTXS,
    w.AllDexsAssetCtxs: LineKind.ASSET_CTXS,
    w.FastAssetCtxs: LineKind.ASSET_CTXS,
    w.SpotAssetCtxs: LineKind.SPOT,
    w.ActiveSpotAssetCtx: LineKind.SPOT,
    w.DaemonFrame: LineKind.CONTROL,
}


@dataclass(frozen=True, slots=True)
class TypedLine:
    """What the general path made of a frame: an event's integers, or a counted kind, or a reason to put it aside."""

    line: LineKind
    row: int = 0
    time_ms: int = NO_TIME
    values: tuple[int, ...] = ()
    reason: QuarantineReason | None = None
    message: w.WireMessage | None = None


def typed_line(raw: bytes, coins: CoinTable) -> TypedLine:
    """Decode one frame without stamp; never raises: what cannot be used carries its reason."""
    if not raw.strip():
        return TypedLine(LineKind.BLANK)
    if _STAMPED.match(raw):
        return TypedLine(LineKind.QUARANTINE, reason=QuarantineReason.STAMP_FAR)
    try:
        _, message = decode_frame(raw)
        if isinstance(message, w.DaemonFrame) and not raw.startswith(CONTROL_PREFIX):
            return TypedLine(LineKind.UNKNOWN_CHANNEL)  # live knows a daemon's record by its first bytes
        return _event(message, coins)
    except MalformedJson:
        return TypedLine(LineKind.QUARANTINE, reason=QuarantineReason.BAD_JSON)
    except WireError:
        return TypedLine(LineKind.QUARANTINE, reason=QuarantineReason.BAD_FORM)
    except RefusedValue as refused:
        return TypedLine(LineKind.QUARANTINE, reason=refused.reason)
    except Exception:  # whatever one line does to the decoder, the lines after it are still read
        return TypedLine(LineKind.QUARANTINE, reason=QuarantineReason.UNFORESEEN)


def _event(message: w.WireMessage, coins: CoinTable) -> TypedLine:
    match message:
        case w.L2Book(coin=coin):
            return _wanted(message, coin, coins)
        case w.Bbo(coin=coin) | w.ActiveAssetCtx(coin=coin):
            return _wanted(message, coin, coins)
        case w.Trades(prints=prints):
            if not prints:
                return TypedLine(LineKind.NOTHING_NEW)
            if len({one.coin for one in prints}) > 1:
                raise RefusedValue(QuarantineReason.BAD_FORM)
            return _wanted(message, prints[0].coin, coins)
        case w.Other(user=user):
            return TypedLine(LineKind.USER if user else LineKind.UNKNOWN_CHANNEL, message=message)
        case _:
            return TypedLine(_COUNTED[type(message)], message=message)


def _wanted(message: w.L2Book | w.Bbo | w.Trades | w.ActiveAssetCtx, coin: str, coins: CoinTable) -> TypedLine:
    row = coins.rows.get(coin)
    if row is None:
        raise RefusedValue(QuarantineReason.UNKNOWN_COIN)
    if row >= coins.n_assets:
        return TypedLine(LineKind.IGNORED_COIN)
    sz_decimals, px_decimals = int(coins.spec[row, 0]), int(coins.spec[row, 1])
    match message:
        case w.L2Book():
            if message.spread is not None:
                return TypedLine(LineKind.AGGREGATED_BOOK, message=message)
            line = LineKind.FAST if message.fast else LineKind.BOOK
            return TypedLine(line, row, integer(message.time), _book(message, sz_decimals, px_decimals))
        case w.Bbo():
            bid, ask = (_level(level, sz_decimals, px_decimals) for level in message.bbo)
            return TypedLine(LineKind.BBO, row, integer(message.time), bid + ask)
        case w.Trades():
            rows = [_trade(one, sz_decimals, px_decimals) for one in message.prints]
            return TypedLine(LineKind.TRADES, row, max(values[3] for values in rows), tuple(chain.from_iterable(rows)))
        case w.ActiveAssetCtx():
            return TypedLine(LineKind.CTX, row, NO_TIME, _ctx(message.ctx, sz_decimals, px_decimals))


def _level(level: w.Level | None, sz_decimals: int, px_decimals: int) -> tuple[int, ...]:
    if level is None:
        return (0, 0, 0)
    return price(level.px, px_decimals), units(level.sz, sz_decimals), integer(level.n)


def _book(book: w.L2Book, sz_decimals: int, px_decimals: int) -> tuple[int, ...]:
    bids, asks = book.levels
    if len(bids) > MAX_LEVELS or len(asks) > MAX_LEVELS:
        raise RefusedValue(QuarantineReason.BAD_FORM)
    values: list[int] = [len(bids), len(asks)]
    for level in (*bids, *asks):
        values += _level(level, sz_decimals, px_decimals)
    return tuple(values)


def _trade(trade: w.Trade, sz_decimals: int, px_decimals: int) -> tuple[int, ...]:
    side = {"B": 1, "A": -1}.get(trade.side)
    if side is None:
        raise RefusedValue(QuarantineReason.BAD_FORM)
    px, sz = price(trade.px, px_decimals), units(trade.sz, sz_decimals)
    return px, sz, side, integer(trade.time), integer(trade.tid)


def _ctx(ctx: w.AssetCtx, sz_decimals: int, px_decimals: int) -> tuple[int, ...]:
    bid, ask = ctx.impact_pxs if ctx.impact_pxs is not None else (None, None)
    return (
        units(ctx.funding, CTX_SCALE_DECIMALS, signed=True),
        units(ctx.open_interest, sz_decimals),
        units(ctx.oracle_px, px_decimals),
        units(ctx.mark_px, px_decimals),
        NULL if ctx.mid_px is None else (2 * units(ctx.mid_px, px_decimals + 1) + 5) // 10,
        NULL if ctx.premium is None else units(ctx.premium, CTX_SCALE_DECIMALS, signed=True),
        NULL if bid is None else units(bid, px_decimals),
        NULL if ask is None else units(ask, px_decimals),
    )
