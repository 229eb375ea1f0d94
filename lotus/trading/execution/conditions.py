"""Conditions of a plan on a small view of the market: may the entry be sent, must the position be left.

The trigger language is `lotus.triggers`; what it says of a plan reaches the engine as an event. Nothing is measured
here: volume and volatility come in the view. In the literature: conditional orders.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Condition, ConditionKind


@dataclass(frozen=True, slots=True)
class MarketView:
    """One coin at one time: best prices and mark in USD, volume over its usual, volatility in bps.

    `volume_ratio` and `volatility_bps` are None while unknown; a condition on an unknown value does not hold.
    """

    coin: str
    time_ms: int
    bid: Decimal
    ask: Decimal
    mark: Decimal
    volume_ratio: Decimal | None = None
    volatility_bps: Decimal | None = None

    @property
    def mid(self) -> Decimal:
        """Middle of the best prices."""
        return (self.bid + self.ask) / 2

    def best(self, side: Side) -> Decimal:
        """Return the best price at which an order of a side is filled at once."""
        return self.ask if side is Side.BUY else self.bid


def holds(condition: Condition, view: MarketView) -> bool:
    """Tell whether a condition holds.

    >>> view = MarketView("BTC", 0, Decimal(99), Decimal(101), Decimal(100))
    >>> holds(Condition(ConditionKind.PRICE_ABOVE, Decimal(100)), view)
    True
    >>> holds(Condition(ConditionKind.VOLUME_SPIKE, Decimal(2)), view)
    False
    """
    match condition.kind:
        case ConditionKind.PRICE_ABOVE:
            return view.mark >= condition.level
        case ConditionKind.PRICE_BELOW:
            return view.mark <= condition.level
        case ConditionKind.VOLUME_SPIKE:
            return view.volume_ratio is not None and view.volume_ratio >= condition.level
        case ConditionKind.VOLATILITY_THRESHOLD:
            return view.volatility_bps is not None and view.volatility_bps >= condition.level
        case _:
            assert_never(condition.kind)


def all_hold(conditions: Iterable[Condition], view: MarketView) -> bool:
    """Tell whether every condition holds (true of none at all): the entry may be sent."""
    return all(holds(c, view) for c in conditions)


def first_holding(conditions: Iterable[Condition], view: MarketView) -> Condition | None:
    """Return the first condition that holds, or None: the position must be left."""
    return next((c for c in conditions if holds(c, view)), None)


def passed(px: Decimal, side: Side, view: MarketView) -> bool:
    """Tell whether the mark reached a price in the direction of `side`: up for BUY, down for SELL."""
    return (view.mark - px) * int(side) >= 0
