"""The whole state of the exchange: markets, accounts, orders, the house's books, and the events not sent yet.

What is held here changes only through `matching`, `placing`, `exits`, `liquidation` and `engine`. Conservation: lots of
all accounts and the market sum to zero, raw dollars of all and the fees and the insurance to the deposits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lotus_venues.local_exchange.engine.accounts import Account, ExchangePosition
from lotus_venues.local_exchange.engine.market import MarketState
from lotus_venues.local_exchange.engine.values import (
    EngineOrderStatus,
    Event,
    ExchangeOrder,
    ExitRules,
    Ids,
    OrderChanged,
    VenueCancel,
)

KEPT_ORDERS = 200_000  # finished orders that orderStatus still knows
_BY_VENUE = frozenset(
    {
        EngineOrderStatus.MARGIN_CANCELED,
        EngineOrderStatus.SELF_TRADE_CANCELED,
        EngineOrderStatus.REDUCE_ONLY_CANCELED,
        EngineOrderStatus.SIBLING_FILLED_CANCELED,
        EngineOrderStatus.LIQUIDATED_CANCELED,
        EngineOrderStatus.SCHEDULED_CANCEL,
    }
)


@dataclass(slots=True)
class ExchangeState:
    """Everything that the engine remembers. `now_ms` is the exchange's clock as last set.

    Before `post_only_until_ms`, as after the venue's upgrades, only orders that must rest are taken.
    """

    markets: Sequence[MarketState]
    exit_rules: ExitRules = field(default_factory=ExitRules)
    least_tier: int = 0  # of fees, however little was traded
    post_only_until_ms: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)
    orders: dict[int, ExchangeOrder] = field(default_factory=dict)
    ids: Ids = field(default_factory=Ids)
    events: list[Event] = field(default_factory=list)
    touched: set[tuple[str, int]] = field(default_factory=set)  # positions changed since the last settling
    marked: set[int] = field(default_factory=set)  # assets whose mark or stops changed since the last settling
    market_lots: list[int] = field(default_factory=list)
    market_raw_micro: int = 0
    fees_micro: int = 0
    insurance_micro: int = 0
    now_ms: int = 0

    def __post_init__(self) -> None:
        """Give the market a flat book of its own."""
        self.market_lots = [0] * len(self.markets)

    @property
    def marks(self) -> list[int]:
        """Mark prices by asset."""
        return [m.mark for m in self.markets]

    @property
    def max_leverages(self) -> list[int]:
        """Highest leverages by asset."""
        return [m.listing.max_leverage for m in self.markets]

    def position(self, order: ExchangeOrder) -> ExchangePosition:
        """Return the position that an order would change."""
        account = self.accounts[order.owner]
        listing = self.markets[order.asset].listing
        return account.position(order.asset, listing.max_leverage, not listing.only_isolated)

    def reducible(self, order: ExchangeOrder) -> int:
        """Return the lots by which an order could still reduce its owner's position."""
        held = self.accounts[order.owner].lots(order.asset)
        return abs(held) if held * order.side < 0 else 0

    def tell(self, order: ExchangeOrder, status: str) -> None:
        """Set an order's status and tell its owner."""
        order.status, order.status_ms = status, self.now_ms
        self.events.append(
            OrderChanged(
                owner=order.owner, asset=order.asset, side=order.side, px=order.px, left=order.left,
                oid=order.oid, placed_ms=order.placed_ms, lots=order.lots,
                cloid=order.cloid, status=status, time_ms=self.now_ms,
            )
        )  # fmt: skip

    def admit(self, order: ExchangeOrder) -> None:
        """Give an order its number and remember it, by its cloid too (the newest bearer of a cloid is found)."""
        self.ids.oid += 1
        order.oid = self.ids.oid
        self.orders[order.oid] = order
        account = self.accounts[order.owner]
        account.opened(order)
        if order.cloid is not None:
            account.cloids[order.cloid] = order.oid
        if len(self.orders) > KEPT_ORDERS:
            self._forget()

    def close(self, order: ExchangeOrder, status: str) -> None:
        """End an order: out of its queue or its trigger list, its status sent.

        What the venue cancelled on its own, unlike an order that ended by its own terms, is an event of its own.
        """
        market, account = self.markets[order.asset], self.accounts[order.owner]
        if order.oid in market.stops:
            del market.stops[order.oid]
        elif not order.is_waiting and order.oid in account.resting_oids:
            market.side(order.side).leave(order)
            account.unrest(order)
        account.ended(order)
        self.touched.add((order.owner, order.asset))
        self.tell(order, status)
        if status in _BY_VENUE:
            self.events.append(VenueCancel(order.owner, order.asset, order.oid))

    def _forget(self) -> None:
        for oid in list(self.orders)[: KEPT_ORDERS // 10]:
            order = self.orders[oid]
            if order.status not in (EngineOrderStatus.OPEN, EngineOrderStatus.TRIGGERED):
                del self.orders[oid]
                account = self.accounts[order.owner]
                if order.cloid is not None and account.cloids.get(order.cloid) == oid:
                    del account.cloids[order.cloid]
