"""Where an order at rest stands: at its own side's best, or a tick inside the spread, and when it has to follow.

A venue shows our own order in its best price. An order that is the best of its side stays where it is; otherwise one
that improves would overbid itself. In the literature: pegged orders.
"""

from dataclasses import dataclass
from decimal import Decimal

from lotus.detectors.entry_style import EntryStyle
from lotus.manifest import Asset
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import Side
from lotus.trading.execution.rounding import round_px_for, tick_of


@dataclass(frozen=True, slots=True)
class Peg:
    """How orders of a side follow the market; never at a price worse for their side than `worst_px`."""

    style: EntryStyle
    side: Side
    asset: Asset
    worst_px: Decimal | None = None

    def px(self, view: MarketView) -> Decimal:
        """Return the price of a fresh order.

        >>> view = MarketView("BTC", 0, Decimal(100), Decimal(103), Decimal(101))
        >>> Peg(EntryStyle.IMPROVE, Side.BUY, Asset("BTC", 5)).px(view)
        Decimal('100.1')
        """
        px, tick = view.best(self.side.opposite), tick_of(self.asset, view.bid)
        if self.style is EntryStyle.IMPROVE and view.ask - view.bid >= 2 * tick:
            px = round_px_for(self.asset, px + int(self.side) * tick, self.side)
        return self._within(px)

    def follows(self, px: Decimal, view: MarketView) -> bool:
        """Return whether an order at `px` has to move, because the best of its side has moved away from it."""
        return px not in (self.px(view), self._within(view.best(self.side.opposite)))

    def _within(self, px: Decimal) -> Decimal:
        if self.worst_px is None:
            return px
        return min(px, self.worst_px) if self.side is Side.BUY else max(px, self.worst_px)
