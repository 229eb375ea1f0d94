"""`POST /info` without the HTTP: what the exchange tells of its markets and accounts.

An agent's address has no account of its own, so queries by it are empty, as at the venue. A type that is not known
here raises `Unreadable` (HTTP 422).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lotus.manifest import Asset
from lotus_venues.local_exchange.engine.accounts import Account
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.market import MarketState
from lotus_venues.local_exchange.engine.values import ExchangeOrder
from lotus_venues.local_exchange.requests.signers import Signers
from lotus_venues.local_exchange.requests.wire_out import NO_HASH, Json, WireEncoder, number, usd

FILLS_A_CALL = 2_000
FUNDINGS_A_CALL = 500
UNIFIED = "unifiedAccount"
_NO_ACCOUNT = Account("")
_USDC: Json = {"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0, "tokenId": "0x0", "isCanonical": True}


class Unreadable(Exception):
    """An unknown type or a bad body."""


@dataclass(slots=True)
class Info:
    """Answers information requests from the engine's state; `contexts` are the tape's last contexts by coin.

    `signers` knows the agents of the accounts.
    """

    engine: Engine
    encoder: WireEncoder
    contexts: dict[str, Json]
    signers: Signers
    abstraction: str = "default"

    def answer(self, body: Any) -> Any:
        """Return the answer; raises `Unreadable`."""
        kinds: dict[str, Callable[[Json], Any]] = {
            "meta": lambda _: self.meta(),
            "metaAndAssetCtxs": lambda _: [self.meta(), [self._context(i) for i in range(len(self._markets))]],
            "spotMeta": lambda _: {"universe": [], "tokens": [_USDC]},
            "perpDexs": lambda _: [None],
            "allMids": lambda _: self.mids(),
            "l2Book": self._book,
            "recentTrades": lambda b: list(self._market(b).trades)[::-1],
            "fundingHistory": self._funding_history,
            "candleSnapshot": self._candles,
            "exchangeStatus": lambda _: {"time": self.engine.state.now_ms, "specialStatuses": None},
            "clearinghouseState": self._clearinghouse,
            "spotClearinghouseState": lambda b: {"balances": self._balances(self._account(b))},
            "userAbstraction": self._abstraction,
            "openOrders": lambda b: [self.encoder.order(o) for o in self._open(b)],
            "frontendOpenOrders": lambda b: [self.encoder.frontend_order(o) for o in self._open(b)],
            "userFills": lambda b: self._fills(b)[::-1][:FILLS_A_CALL],
            "userFillsByTime": self._fills_by_time,
            "userFunding": self._user_funding,
            "orderStatus": self._order_status,
            "userRateLimit": self._rate_limit,
            "userRole": self._role,
            "extraAgents": self._agents,
        }
        try:
            return kinds[body["type"]](body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable from error

    @property
    def _markets(self) -> Sequence[MarketState]:
        return self.engine.state.markets

    def meta(self) -> Json:
        """Return the universe with one margin table a leverage."""
        rows = []
        for market in self._markets:
            listing = market.listing
            row: Json = {
                "szDecimals": listing.asset.sz_decimals,
                "name": listing.asset.name,
                "maxLeverage": listing.max_leverage,
                "marginTableId": listing.max_leverage,
            }
            rows.append(row | ({"onlyIsolated": True, "marginMode": "strictIsolated"} if listing.only_isolated else {}))
        leverages = sorted({m.listing.max_leverage for m in self._markets})
        tables = [[n, {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": n}]}] for n in leverages]
        return {"universe": rows, "marginTables": tables, "collateralToken": 0}

    def mids(self) -> Json:
        """Return the mid of every asset that has a price, one digit finer than the price unit where it is needed."""
        mids: Json = {}
        for market in self._markets:
            asset: Asset = market.listing.asset
            bid, ask = market.bids.best_px, market.asks.best_px
            if bid is not None and ask is not None:
                mids[asset.name] = number((bid + ask) * 5, asset.px_decimals + 1)
            elif market.mark:
                mids[asset.name] = number(market.mark, asset.px_decimals)
        return mids

    def _clearinghouse(self, body: Json) -> Json:
        answer = self.encoder.clearinghouse(self._account(body))
        if self.abstraction == UNIFIED:
            answer["withdrawable"] = "0.0"
            for part in ("marginSummary", "crossMarginSummary"):
                answer[part]["accountValue"] = "0.0"
        return answer

    def _abstraction(self, body: Json) -> str:
        self._account(body)
        return self.abstraction

    def _balances(self, account: Account) -> list[Json]:
        if self.abstraction != UNIFIED:
            return []
        summary = self.encoder.clearinghouse(account)["marginSummary"]
        total, hold = summary["accountValue"], summary["totalMarginUsed"]
        return [{"coin": "USDC", "token": 0, "hold": hold, "total": total, "entryNtl": "0.0"}]

    def _account(self, body: Json) -> Account:
        return self.engine.account(body["user"].lower()) or _NO_ACCOUNT

    def _open(self, body: Json) -> list[ExchangeOrder]:
        return list(self._account(body).open.values())

    def _asset(self, name: str) -> int:
        for index, market in enumerate(self._markets):
            if market.listing.asset.name == name:
                return index
        raise KeyError(name)

    def _market(self, body: Json) -> MarketState:
        return self._markets[self._asset(body["coin"])]

    def _book(self, body: Json) -> Json:
        asset = self._asset(body["coin"])
        return self.encoder.book(asset, self._markets[asset])

    def _context(self, asset: int) -> Json:
        market, spell = self._markets[asset], self.encoder
        context = self.contexts.get(market.listing.asset.name)
        if context is not None:
            return context
        mark = spell.px(asset, market.mark)
        empty = {"premium": None, "impactPxs": None, "dayNtlVlm": "0.0", "dayBaseVlm": "0.0", "openInterest": "0.0"}
        mid = self.mids().get(market.listing.asset.name)
        rate = number(market.funding_e10, 10)
        return {"funding": rate, "oraclePx": mark, "markPx": mark, "midPx": mid, "prevDayPx": mark, **empty}

    def _fills(self, body: Json) -> list[Json]:
        return [self.encoder.fill(f) for f in self._account(body).fills]

    def _fills_by_time(self, body: Json) -> list[Json]:
        wanted = [f for f in self._account(body).fills if _is_within(body, f.time_ms)]
        return [self.encoder.fill(f) for f in wanted[:FILLS_A_CALL]]

    def _user_funding(self, body: Json) -> list[Json]:
        wanted = [f for f in self._account(body).fundings if _is_within(body, f.time_ms)]
        rows = []
        for payment in wanted[:FUNDINGS_A_CALL]:
            delta = self.encoder.funding(payment)
            time_ms = delta.pop("time")
            rows.append({"time": time_ms, "hash": NO_HASH, "delta": {"type": "funding"} | delta})
        return rows

    def _funding_history(self, body: Json) -> list[Json]:
        wanted = [(hour, rate) for hour, rate in self._market(body).fundings if _is_within(body, hour)]
        return [
            {"coin": body["coin"], "fundingRate": number(rate, 10), "premium": "0.0", "time": hour}
            for hour, rate in wanted[:FUNDINGS_A_CALL]
        ]

    def _candles(self, body: Json) -> list[Json]:
        self._asset(body["req"]["coin"])
        return []  # the exchange keeps no bars: a client makes them from trades

    def _order_status(self, body: Json) -> Json:
        order = self.engine.find(body["user"].lower(), body["oid"])
        if order is None:
            return {"status": "unknownOid"}
        shown = self.encoder.frontend_order(order)
        inner = {"order": shown, "status": order.status, "statusTimestamp": order.status_ms}
        return {"status": "order", "order": inner}

    def _rate_limit(self, body: Json) -> Json:
        account = self._account(body)
        return {
            "cumVlm": usd(account.volume_micro),
            "nRequestsUsed": account.requests_used,
            "nRequestsCap": account.request_cap,
        }

    def _role(self, body: Json) -> Json:
        user = body["user"].lower()
        master = self.signers.master_of(user, self.engine.state.now_ms)
        if master is not None:
            return {"role": "agent", "data": {"user": master}}
        return {"role": "missing" if self.engine.account(user) is None else "user"}

    def _agents(self, body: Json) -> list[Json]:
        user, now_ms = body["user"].lower(), self.engine.state.now_ms
        own = [(a, agent) for a, agent in self.signers.agents.items() if self.signers.master_of(a, now_ms) == user]
        return [{"name": a.name, "address": address, "validUntil": a.until_ms} for address, a in own if a.name]


def _is_within(body: Json, time_ms: int) -> bool:
    """Tell whether a time lies between a request's `startTime` and `endTime` (absent or null: open)."""
    last = body.get("endTime")
    return bool(time_ms >= body["startTime"] and (last is None or time_ms <= last))
