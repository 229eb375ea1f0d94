"""The paper venue: immediate-or-cancel orders matched against the live book after a latency, with fees and refusals.

A pure function of what is submitted and of the market messages it is shown: it opens nothing and reads no clock, so a
replay of the tape repeats every fill. Its matching shares no code with the modelled or the tape-simulated payoffs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from lotus.errors import VenueError
from lotus.manifest import Asset
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD, is_valid_px, is_valid_size, px_units, size_lots
from lotus_venues.fees import fee_micro
from lotus_venues.ladder import Ladder, Level
from lotus_venues.orders import MICRO_USD, Fill, Order, OrderReport, OrderStatus
from lotus_venues.positions import LotPosition

MARKET_SLIPPAGE = Decimal("0.05")
BAD_TICK = "Price must be divisible by tick size."
BAD_SIZE = "Order has invalid size."
TOO_SMALL = "Order must have minimum value of $10."
NO_MATCH = "Order could not immediately match against any resting orders."
NO_LIQUIDITY = "No liquidity available for market order."


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """What one message or submission did: order states that changed and fills, in order."""

    reports: tuple[OrderReport, ...] = ()
    fills: tuple[Fill, ...] = ()


NOTHING: Final = SubmissionResult()


@dataclass(slots=True)
class PaperVenue:
    """Books, waiting orders and netted positions of a universe; `fee_bps` is the taker fee."""

    universe: Sequence[Asset]
    fee_bps: float
    ladders: list[Ladder] = field(default_factory=list)
    positions: list[LotPosition] = field(default_factory=list)
    reports: dict[str, OrderReport] = field(default_factory=dict)
    _waiting: list[list[Order]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Give every asset an empty book and a flat position."""
        self.ladders = [Ladder() for _ in self.universe]
        self.positions = [LotPosition() for _ in self.universe]
        self._waiting = [[] for _ in self.universe]

    def submit(self, order: Order) -> OrderReport:
        """Accept or refuse an order; the same client order id again returns the state it already has.

        Raises `VenueError` when an id comes back with other contents.
        """
        before = self.reports.get(order.client_id)
        if before is not None:
            if before.order != order:
                raise VenueError(f"order {order.client_id} was sent before with other contents", "one order an id")
            return before
        reason = self._refusal(order)
        status = OrderStatus.REJECTED if reason else OrderStatus.ACCEPTED
        report = OrderReport(order, status, 0, order.placed_ns, reason)
        self.reports[order.client_id] = report
        if not reason:
            self._waiting[order.asset].append(order)
        return report

    def on_book(
        self, asset: int, recv_ns: int, seq: int, bids: Sequence[Level], asks: Sequence[Level], deep: bool
    ) -> SubmissionResult:
        """Take a book snapshot (integer prices and lots, best first) and match what is due."""
        self.ladders[asset].on_book(recv_ns, bids, asks, deep)
        return self._match(asset, recv_ns, seq)

    def on_bbo(self, asset: int, recv_ns: int, seq: int, bid: Level | None, ask: Level | None) -> SubmissionResult:
        """Take a change of the best levels (None: that side is empty) and match what is due."""
        self.ladders[asset].on_bbo(recv_ns, bid, ask)
        return self._match(asset, recv_ns, seq)

    def is_awaited(self, asset: int) -> bool:
        """Tell whether an order waits for the next messages of an asset."""
        return bool(self._waiting[asset])

    def forget(self, client_ids: Sequence[str]) -> None:
        """Drop the memory of finished orders (the ledger keeps them)."""
        for client_id in client_ids:
            self.reports.pop(client_id, None)

    def _refusal(self, order: Order) -> str:
        asset, ladder = self.universe[order.asset], self.ladders[order.asset]
        if not is_valid_size(asset, order.size):
            return BAD_SIZE
        if order.limit_px is not None and not is_valid_px(asset, order.limit_px):
            return BAD_TICK
        if order.limit_px is None and not ladder.is_two_sided:
            return NO_LIQUIDITY
        px = order.limit_px or Decimal(ladder.mid2).scaleb(-asset.px_decimals) / 2
        if order.purpose != "exit" and px * order.size < MIN_NOTIONAL_USD:
            return TOO_SMALL
        return ""

    def _match(self, asset: int, recv_ns: int, seq: int) -> SubmissionResult:
        waiting, ladder = self._waiting[asset], self.ladders[asset]
        if not waiting or not ladder.is_two_sided:
            return NOTHING
        due = [o for o in waiting if o.active_ns <= recv_ns]
        if not due:
            return NOTHING
        self._waiting[asset] = [o for o in waiting if o.active_ns > recv_ns]
        reports: list[OrderReport] = []
        fills: list[Fill] = []
        for order in due:
            taken = self._fills(order, recv_ns, seq)
            fills += taken
            reports.append(self._close(order, sum(f.lots for f in taken), recv_ns))
        return SubmissionResult(tuple(reports), tuple(fills))

    def _fills(self, order: Order, recv_ns: int, seq: int) -> list[Fill]:
        asset, ladder = self.universe[order.asset], self.ladders[order.asset]
        levels = ladder.take(order.side, size_lots(asset, order.size), self._limit(order))
        fills = []
        for index, (px, lots) in enumerate(levels):
            fee = fee_micro(px * lots, self.fee_bps)
            fill = Fill(
                client_id=order.client_id,
                event_id=order.event_id,
                asset=order.asset,
                side=order.side,
                px=px,
                lots=lots,
                fee_micro=fee,
                recv_ns=recv_ns,
                seq=seq,
                index=index,
            )
            self.positions[order.asset].apply(fill)
            fills.append(fill)
        return fills

    def _limit(self, order: Order) -> int:
        if order.limit_px is not None:
            return px_units(self.universe[order.asset], order.limit_px)
        mid = Decimal(self.ladders[order.asset].mid2) / 2
        return int(mid * (1 + MARKET_SLIPPAGE * int(order.side)))

    def _close(self, order: Order, filled: int, recv_ns: int) -> OrderReport:
        wanted = size_lots(self.universe[order.asset], order.size)
        if filled == wanted:
            status, reason = OrderStatus.FILLED, ""
        elif filled:
            status, reason = OrderStatus.PARTIALLY_FILLED, ""
        else:
            status, reason = OrderStatus.CANCELED, NO_MATCH
        report = OrderReport(order, status, filled, recv_ns, reason)
        self.reports[order.client_id] = report
        return report


def order_size(asset: Asset, notional_usd: float, mid2: int) -> Decimal:
    """Return the size in whole lots whose value at a mid (half price units) is at most `notional_usd`.

    >>> order_size(Asset("BTC", 5), 1000.0, 2 * 1_050_550)
    Decimal('0.00951')
    """
    lots = int(notional_usd * MICRO_USD) * 2 // mid2
    return Decimal(lots).scaleb(-asset.sz_decimals)
