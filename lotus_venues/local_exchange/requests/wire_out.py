"""How orders, fills, positions and books are spelt on the wire: decimal strings, the venue's keys, its order of keys.

From integers to JSON-able values; no decisions.
"""

from typing import Any

from lotus.trading.execution.orders import OrderGrouping, Side, TriggerKind
from lotus_venues.local_exchange.engine.accounts import Account
from lotus_venues.local_exchange.engine.market import MarketState
from lotus_venues.local_exchange.engine.state import ExchangeState
from lotus_venues.local_exchange.engine.values import (
    ExchangeFill,
    ExchangeOrder,
    Funding,
    Liquidation,
    OrderChanged,
    OrderResult,
)

Json = dict[str, Any]
NO_HASH = "0x" + "0" * 64
BOOK_LEVELS = 20


def number(value: int, decimals: int) -> str:
    """Return an integer of 10^-decimals as the venue writes it: no trailing zeros, at least one decimal.

    >>> number(634600, 1), number(-5, 3), number(12, 0)
    ('63460.0', '-0.005', '12.0')
    """
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, part = divmod(value, 10**decimals)
    digits = f"{part:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{sign}{whole}.{digits or '0'}"


def usd(micro: int) -> str:
    """Return money."""
    return number(micro, 6)


class WireEncoder:
    """Spells values of one exchange; it needs the assets' decimals and names."""

    def __init__(self, state: ExchangeState) -> None:
        """Bind the state whose values are to be spelt."""
        self.state = state

    def name(self, asset: int) -> str:
        """Name of an asset."""
        return self.state.markets[asset].listing.asset.name

    def px(self, asset: int, units: int) -> str:
        """Price text."""
        return number(units, self.state.markets[asset].listing.asset.px_decimals)

    def size(self, asset: int, lots: int) -> str:
        """Size text."""
        return number(lots, self.state.markets[asset].listing.asset.sz_decimals)

    def average_px(self, asset: int, cost: int, lots: int) -> str:
        """Average price text, four digits finer than the price unit."""
        decimals = self.state.markets[asset].listing.asset.px_decimals
        return number((cost * 10_000 + lots // 2) // lots, decimals + 4) if lots else "0.0"

    def answer(self, answer: OrderResult) -> Any:
        """Return one entry of `statuses`."""
        order = answer.order
        if answer.error or order is None:
            return {"error": answer.error}
        if answer.waits_for:
            return answer.waits_for
        name: Json = {"oid": order.oid} | ({"cloid": order.cloid} if order.cloid is not None else {})
        if order.filled and not (order.is_open and order.left):
            average = self.average_px(order.asset, order.cost, order.filled)
            return {"filled": {"totalSz": self.size(order.asset, order.filled), "avgPx": average} | name}
        return {"resting": name}

    def update(self, event: OrderChanged) -> Json:
        """Return one entry of `orderUpdates`."""
        order = self._order(event)
        return {"order": order, "status": event.status, "statusTimestamp": event.time_ms}

    def order(self, order: ExchangeOrder) -> Json:
        """Return one entry of `openOrders`."""
        return self._order(order)

    def _order(self, order: ExchangeOrder | OrderChanged) -> Json:
        row: Json = {
            "coin": self.name(order.asset),
            "side": "B" if order.side is Side.BUY else "A",
            "limitPx": self.px(order.asset, order.px),
            "sz": self.size(order.asset, order.left),
            "oid": order.oid,
            "timestamp": order.placed_ms,
            "origSz": self.size(order.asset, order.lots),
        }
        return row | ({"cloid": order.cloid} if order.cloid is not None else {})

    def frontend_order(self, order: ExchangeOrder) -> Json:
        """Return one entry of `frontendOpenOrders`, with trigger, kind and children."""
        stop = order.stop
        children = [self.state.orders[oid] for oid in order.related if stop is None and oid in self.state.orders]
        kind, condition, trigger_px = "Limit", "N/A", "0.0"
        if stop is not None:
            name = "Stop" if stop.kind is TriggerKind.STOP_LOSS else "Take Profit"
            kind = f"{name} {'Market' if stop.is_market else 'Limit'}"
            trigger_px = self.px(order.asset, stop.px)
            falls = (stop.kind is TriggerKind.STOP_LOSS) == (order.side < 0)
            condition = f"Price {'below' if falls else 'above'} {trigger_px.removesuffix('.0')}"
        extra: Json = {
            "triggerCondition": condition,
            "isTrigger": stop is not None,
            "triggerPx": trigger_px,
            "children": [self.frontend_order(child) for child in children if child.is_open],
            "isPositionTpsl": order.grouping is OrderGrouping.POSITION_EXITS,
            "reduceOnly": order.reduce_only,
            "orderType": kind,
            "tif": None if stop is not None else order.tif.value,
            "cloid": order.cloid,
        }
        return self._order(order) | extra

    def fill(self, fill: ExchangeFill) -> Json:
        """Return one fill; `tid` is unique to the execution and shared by its two sides."""
        row: Json = {
            "coin": self.name(fill.asset),
            "px": self.px(fill.asset, fill.px),
            "sz": self.size(fill.asset, fill.lots),
            "side": "B" if fill.side is Side.BUY else "A",
            "time": fill.time_ms,
            "startPosition": self.size(fill.asset, fill.start_lots),
            "dir": direction(fill),
            "closedPnl": usd(fill.closed_micro),
            "hash": NO_HASH,
            "oid": fill.oid,
            "crossed": fill.crossed,
            "fee": usd(fill.fee_micro),
            "tid": fill.tid,
            "feeToken": "USDC",
            "twapId": None,
        }
        if fill.cloid is not None:
            row["cloid"] = fill.cloid
        if fill.liquidated is not None:
            mark = self.px(fill.asset, fill.liquidated)
            row["liquidation"] = {"liquidatedUser": fill.owner, "markPx": mark, "method": "market"}
        return row

    def funding(self, event: Funding) -> Json:
        """Return one funding payment as the user streams tell it: what was received is positive."""
        return {
            "time": event.time_ms,
            "coin": self.name(event.asset),
            "usdc": usd(-event.paid_micro),
            "szi": self.size(event.asset, event.lots),
            "fundingRate": number(event.rate_e10, 10),
            "nSamples": None,
        }

    def liquidation(self, event: Liquidation) -> Json:
        """Return a liquidation as `userEvents` tells it."""
        return {
            "lid": event.lid,
            "liquidator": "0x" + "0" * 40,
            "liquidated_user": event.owner,
            "liquidated_ntl_pos": usd(event.notional_micro),
            "liquidated_account_value": usd(event.value_micro),
        }

    def book(self, asset: int, market: MarketState) -> Json:
        """Return the book, local orders in it, at most 20 levels a side."""
        sides = []
        for side in (market.bids, market.asks):
            rows = [
                {"px": self.px(asset, px), "sz": self.size(asset, lots), "n": orders}
                for px, lots, orders in side.levels()
            ]
            sides.append(rows[:BOOK_LEVELS])
        return {"coin": self.name(asset), "time": market.time_ms, "levels": sides}

    def clearinghouse(self, account: Account) -> Json:
        """Return `clearinghouseState` of an account."""
        state, marks = self.state, self.state.marks
        used = account.initial_margin(marks)
        isolated = sum(p.raw_micro + p.lots * marks[a] for a, p in account.held(cross=False))
        cross_value = account.cross_value(marks)
        notional = sum(abs(p.lots) * marks[a] for a, p in account.held())
        cross_notional = sum(abs(p.lots) * marks[a] for a, p in account.held(cross=True))
        raw = account.raw_micro + sum(p.raw_micro for _, p in account.held(cross=False))

        def summary(value: int, ntl: int, raw_usd: int, margin: int) -> Json:
            keys = ("accountValue", "totalNtlPos", "totalRawUsd", "totalMarginUsed")
            return dict(zip(keys, map(usd, (value, ntl, raw_usd, margin)), strict=True))

        held = {a: self._margin_used(account, a, marks[a]) for a, _ in account.held()}
        cross_used = sum(held[a] for a, _ in account.held(cross=True))
        return {
            "marginSummary": summary(cross_value + isolated, notional, raw, cross_used + isolated),
            "crossMarginSummary": summary(cross_value, cross_notional, account.raw_micro, cross_used),
            "crossMaintenanceMarginUsed": usd(account.maintenance(marks, state.max_leverages)),
            "withdrawable": usd(max(0, cross_value - used)),
            "assetPositions": [{"type": "oneWay", "position": self.position(account, a)} for a, _ in account.held()],
            "time": state.now_ms,
        }

    def position(self, account: Account, asset: int) -> Json:
        """Return one position of `clearinghouseState`."""
        position, mark = account.positions[asset], self.state.markets[asset].mark
        margin = self._margin_used(account, asset, mark)
        profit = position.lots * mark - position.cost_micro
        leverage: Json = {"type": "cross" if position.is_cross else "isolated", "value": position.leverage}
        if not position.is_cross:
            leverage["rawUsd"] = usd(position.raw_micro)
        paid = position.funding_micro, position.funding_since_open_micro
        keys = ("allTime", "sinceOpen", "sinceChange")
        opened = abs(position.cost_micro) // position.leverage
        return {
            "coin": self.name(asset),
            "szi": self.size(asset, position.lots),
            "leverage": leverage,
            "entryPx": self.average_px(asset, abs(position.cost_micro), abs(position.lots)),
            "positionValue": usd(abs(position.lots) * mark),
            "unrealizedPnl": usd(profit),
            "returnOnEquity": number(profit * 10**8 // opened if opened else 0, 8),
            "liquidationPx": self._liquidation_px(account, asset),
            "marginUsed": usd(margin),
            "maxLeverage": self.state.markets[asset].listing.max_leverage,
            "cumFunding": dict(zip(keys, map(usd, (*paid, paid[1])), strict=True)),
        }

    def _margin_used(self, account: Account, asset: int, mark: int) -> int:
        position = account.positions[asset]
        if not position.is_cross:
            return position.raw_micro + position.lots * mark
        return -(-abs(position.lots) * mark // position.leverage)

    def _liquidation_px(self, account: Account, asset: int) -> str | None:
        """Return the mark of this asset at which value meets maintenance, all else equal; None when there is none."""
        position, marks = account.positions[asset], self.state.marks
        most = self.state.max_leverages
        if position.is_cross:
            value, need = account.cross_value(marks), account.maintenance(marks, most)
        else:
            value = position.raw_micro + position.lots * marks[asset]
            need = abs(position.lots) * marks[asset] // (2 * most[asset])
        slope = position.lots * 2 * most[asset] - abs(position.lots)  # of (value - need) * 2 * most
        finer = marks[asset] * 10**6 - (value - need) * 2 * most[asset] * 10**6 // slope if slope else 0
        decimals = self.state.markets[asset].listing.asset.px_decimals
        return number(finer, decimals + 6) if finer > 0 else None


def direction(fill: ExchangeFill) -> str:
    """Return the venue's word for what a fill did to the position.

    Opening, closing, or turning it: "Open Long", "Close Short", "Long > Short".
    """
    end = fill.start_lots + fill.lots * fill.side
    if fill.start_lots * end < 0:
        return "Long > Short" if fill.start_lots > 0 else "Short > Long"
    if abs(end) > abs(fill.start_lots):
        return "Open Long" if end > 0 else "Open Short"
    return "Close Long" if fill.start_lots > 0 else "Close Short"
