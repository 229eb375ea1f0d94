"""The tape as the exchange's background market: raw frames decoded into the engine, and remembered for subscribers.

Decoding is the tape's own (`lotus.microtape.wire.frame`); the frames themselves are passed on unchanged, so whoever
records the exchange records what the tape holds. Times, pacing and sockets do not belong here.
"""

from decimal import Decimal
from typing import Any

import msgspec

from lotus.errors import WireError
from lotus.microtape.wire import types as w
from lotus.microtape.wire.frame import decode_frame
from lotus.trading.execution.orders import Side
from lotus_venues.hyperliquid.subscriptions import route
from lotus_venues.local_exchange.engine.book import Level
from lotus_venues.local_exchange.engine.exchange import Engine

MARKET_CHANNELS = frozenset({"l2Book", "bbo", "trades", "activeAssetCtx", "candle", "allMids"})
Route = tuple[str, str, bool]


class Tape:
    """Feeds an engine with raw frames; `last` holds the newest frame of every route, `contexts` of every coin."""

    def __init__(self, engine: Engine) -> None:
        """Bind the engine."""
        self.engine = engine
        self.last: dict[Route, bytes] = {}
        self.contexts: dict[str, Any] = {}
        self._index = {m.listing.asset.name: i for i, m in enumerate(engine.state.markets)}

    def apply(self, raw: bytes) -> Route | None:
        """Feed one frame; return its route, None for what is no market data of this universe (it is not passed on)."""
        target = route(raw)
        if target[0] not in MARKET_CHANNELS or (target[1] and target[1] not in self._index):
            return None
        if target[0] in ("l2Book", "bbo", "trades", "activeAssetCtx"):
            try:
                message = decode_frame(raw)[1]
            except WireError:
                return target  # a damaged frame is passed on as the tape holds it
            self._feed(message)
        if target[0] != "trades":
            self.last[target] = raw
        return target

    def _feed(self, message: w.WireMessage) -> None:
        match message:
            case w.L2Book() if message.spread is None:
                asset = self._index[message.coin]
                bids, asks = (self._levels(asset, side) for side in message.levels)
                self.engine.on_book(asset, bids, asks, message.time, whole=not message.fast)
            case w.Bbo():
                asset = self._index[message.coin]
                bids, asks = (self._levels(asset, [level] if level else []) for level in message.bbo)
                self.engine.on_book(asset, bids, asks, message.time, whole=False)
            case w.Trades():
                for trade in message.prints:
                    self._trade(trade)
            case w.ActiveAssetCtx():
                self._context(message)
            case _:
                return

    def _trade(self, trade: w.Trade) -> None:
        asset = self._index.get(trade.coin)
        if asset is None:
            return
        market = self.engine.state.markets[asset]
        units = market.listing.asset
        side = Side.BUY if trade.side == "B" else Side.SELL
        px, lots = integer(trade.px, units.px_decimals), integer(trade.sz, units.sz_decimals)
        if not market.trades or all(t["tid"] != trade.tid for t in market.trades):
            market.trades.append(msgspec.to_builtins(trade))
        self.engine.on_trade(asset, side, px, lots, trade.time, trade.tid)

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


def integer(text: str, decimals: int) -> int:
    """Return a decimal text in units of 10^-decimals, rounded where it is finer.

    >>> integer("80639.5", 1), integer("0.00022", 5), integer("3.8399999999", 2)
    (806395, 22, 384)
    """
    whole, _, part = text.partition(".")
    if len(part) <= decimals and whole.isdecimal():
        return int(whole + part.ljust(decimals, "0"))
    return round(Decimal(text).scaleb(decimals))
