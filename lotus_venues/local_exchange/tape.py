"""The tape as the exchange's background market: raw frames decoded into the engine, and remembered for subscribers.

Decoding is the tape's own (`lotus.microtape.wire.frame`); the frames themselves are passed on unchanged, so whoever
records the exchange records what the tape holds. A book or a print that can fill nobody is decoded when somebody looks,
and not at all once a whole book has replaced it. Times, pacing and sockets do not belong here.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from lotus.errors import WireError
from lotus.microtape.wire import types as w
from lotus.microtape.wire.frame import decode_frame
from lotus.trading.execution.orders import Side
from lotus_venues.hyperliquid.subscriptions import route
from lotus_venues.local_exchange.engine.book import Level
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.market import MarketState

MARKET_CHANNELS = frozenset({"l2Book", "bbo", "trades", "activeAssetCtx", "candle", "allMids"})
MAY_WAIT = frozenset({"l2Book", "bbo", "trades"})
MOST_LATE = 4_096  # frames of an asset that wait for somebody to look
_HEAD = 20  # bytes in which a frame names its channel
_TIME = re.compile(rb'"time":(\d+)')
Route = tuple[str, str, bool]


class Tape:
    """Feeds an engine with raw frames; `last` holds the newest frame of every route, `contexts` of every coin."""

    def __init__(self, engine: Engine) -> None:
        """Bind the engine."""
        self.engine = engine
        self.last: dict[Route, bytes] = {}
        self.contexts: dict[str, Any] = {}
        self._index = {m.listing.asset.name: i for i, m in enumerate(engine.state.markets)}
        for asset, market in enumerate(engine.state.markets):
            market.catch_up = partial(self._catch_up, asset, market)

    def apply(self, raw: bytes) -> Route | None:
        """Feed one frame; return its route, None for what is no market data of this universe (it is not passed on)."""
        target = route(raw)
        channel, coin, _ = target
        if channel not in MARKET_CHANNELS or (coin and coin not in self._index):
            return None
        if channel in MAY_WAIT and coin and (market := self.engine.state.markets[self._index[coin]]).may_wait:
            market.late.append(raw)
            if len(market.late) >= MOST_LATE:
                market.look()
        elif channel in MAY_WAIT or channel == "activeAssetCtx":
            message = _decoded(raw)
            if message is None:
                return target  # a damaged frame is passed on as the tape holds it
            self._feed(message)
        if channel != "trades":
            self.last[target] = raw
        return target

    def _feed(self, message: w.WireMessage) -> None:
        match message:
            case w.L2Book() | w.Bbo() if (book := self._book(message)) is not None:
                asset, bids, asks, whole = book
                self.engine.on_book(asset, bids, asks, message.time, whole=whole)
            case w.Trades():
                for trade in message.prints:
                    if (asset := self._index.get(trade.coin, -1)) >= 0:
                        self.engine.on_trade(asset, *self._print(self.engine.state.markets[asset], trade))
            case w.ActiveAssetCtx():
                self._context(message)
            case _:
                return

    def _catch_up(self, asset: int, market: MarketState, frames: Sequence[bytes]) -> None:
        """Take in the frames of an asset that waited; books before the last whole one are left out."""
        first = self._last_whole(market, frames)
        for number, raw in enumerate(frames):
            if number < first and b'"trades"' not in raw[:_HEAD]:
                continue
            match _decoded(raw):
                case (w.L2Book() | w.Bbo()) as message if (book := self._book(message)) is not None:
                    market.show(book[1], book[2], message.time, whole=book[3])
                case w.Trades() as message:
                    for trade in message.prints:
                        if trade.coin == market.listing.asset.name:
                            market.take_print(*self._print(market, trade))
                case _:
                    pass

    def _last_whole(self, market: MarketState, frames: Sequence[bytes]) -> int:
        """Return the number of the last frame that replaces the whole book whatever came before it, 0 for none."""
        for number in range(len(frames) - 1, 0, -1):
            raw = frames[number]
            if b'"l2Book"' not in raw[:_HEAD] or route(raw)[2]:
                continue
            book = _decoded(raw)
            newest_ms = max(market.book_ms, *(_time_ms(before) for before in frames[:number]))
            if isinstance(book, w.L2Book) and book.spread is None and not book.fast and book.time >= newest_ms:
                return number
        return 0

    def _book(self, message: w.L2Book | w.Bbo) -> tuple[int, list[Level], list[Level], bool] | None:
        """Return (asset, bids, asks, whether it is the whole book); None for a book of another form."""
        asset = self._index[message.coin]
        if isinstance(message, w.Bbo):
            bids, asks = (self._levels(asset, [level] if level else []) for level in message.bbo)
            return asset, bids, asks, False
        if message.spread is not None:
            return None
        bids, asks = (self._levels(asset, side) for side in message.levels)
        return asset, bids, asks, not message.fast

    def _print(self, market: MarketState, trade: w.Trade) -> tuple[Side, int, int, int, int]:
        """Return (aggressor, price, lots, time, number) of a print, which is kept among the last ones."""
        units, shown = market.listing.asset, market.trades
        if all(t["tid"] != trade.tid for t in shown):
            shown.append(msgspec.to_builtins(trade))
        px, lots = integer(trade.px, units.px_decimals), integer(trade.sz, units.sz_decimals)
        return Side.BUY if trade.side == "B" else Side.SELL, px, lots, trade.time, trade.tid

    def _context(self, message: w.ActiveAssetCtx) -> None:
        asset = self._index[message.coin]
        decimals = self.engine.state.markets[asset].listing.asset.px_decimals
        ctx = message.ctx
        self.contexts[message.coin] = msgspec.to_builtins(ctx)
        mark, oracle = integer(ctx.mark_px, decimals), integer(ctx.oracle_px, decimals)
        self.engine.on_context(asset, mark, oracle, integer(ctx.funding, 10))

    def _levels(self, asset: int, levels: list[w.Level]) -> list[Level]:
        units = self.engine.state.markets[asset].listing.asset
        return [(integer(x.px, units.px_decimals), integer(x.sz, units.sz_decimals)) for x in levels]


def _decoded(raw: bytes) -> w.WireMessage | None:
    """Return the message of a frame, None for a damaged one."""
    try:
        return decode_frame(raw)[1]
    except WireError:
        return None


def _time_ms(raw: bytes) -> int:
    """Return the stamp that a frame shows, without decoding it; 0 where there is none."""
    found = _TIME.search(raw)
    return int(found.group(1)) if found else 0


def integer(text: str, decimals: int) -> int:
    """Return a decimal text in units of 10^-decimals, rounded where it is finer.

    >>> integer("80639.5", 1), integer("0.00022", 5), integer("3.8399999999", 2)
    (806395, 22, 384)
    """
    whole, _, part = text.partition(".")
    if len(part) <= decimals and whole.isdecimal():
        return int(whole + part.ljust(decimals, "0"))
    return round(Decimal(text).scaleb(decimals))
