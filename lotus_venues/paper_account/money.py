"""What a paper account is worth and what it may still open: marks, margin, fees and funding in exact integers.

Nothing here matches or changes an order. In the literature: cross margining of linear perpetual contracts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lotus_venues.fees import maker_fee_bps, taker_fee_bps
from lotus_venues.ladder import Ladder
from lotus_venues.paper_account.orders import PaperPosition, Quote

RATE_SCALE = 10**12


@dataclass(frozen=True, slots=True)
class PaperTerms:
    """The terms of an account: deposit, fee tier, latency and leverage.

    `latency_ms` passes before a request reaches the book; `max_leverage` bounds a coin (default 20) and sets its
    maintenance margin: half of the initial margin at that leverage.
    """

    deposit_usd: Decimal = Decimal(10_000)
    fee_tier: int = 0
    latency_ms: int = 0
    default_leverage: int = 10
    max_leverage: Mapping[str, int] = field(default_factory=dict)

    def most(self, coin: str) -> int:
        """Return the largest leverage of a coin."""
        return self.max_leverage.get(coin, 20)

    def fee_bps(self, is_taker: bool) -> float:
        """Return the fee of one side in bps."""
        return taker_fee_bps(self.fee_tier) if is_taker else maker_fee_bps(self.fee_tier)


@dataclass(frozen=True, slots=True)
class Marks:
    """Equity three ways (millionths of a dollar): at the mark, at the mids, closed now at the far side with fees."""

    mark_micro: int
    mid_micro: int
    far_micro: int


def mark_px2(quote: Quote, ladder: Ladder) -> int:
    """Return twice the mark price; the mid where no mark is known, 0 where there is neither."""
    if quote.mark:
        return 2 * quote.mark
    return ladder.mid2 if ladder.is_two_sided else 0


def open_micro(position: PaperPosition, px2: int) -> int:
    """Return the open result of a position at twice a price; 0 where nothing prices it."""
    return position.lots * px2 // 2 - position.cost_micro if px2 else 0


def initial_micro(position: PaperPosition, px2: int) -> int:
    """Return the margin that a position holds at its leverage, rounded up."""
    return -(-abs(position.lots) * px2 // (2 * position.leverage))


def maintenance_micro(position: PaperPosition, px2: int, max_leverage: int) -> int:
    """Return the equity below which a position is liquidated: half the initial margin at the largest leverage."""
    return -(-abs(position.lots) * px2 // (4 * max_leverage))


def far_micro(position: PaperPosition, ladder: Ladder, px2: int, fee_bps: float) -> int:
    """Return the result of closing a position now against the far side, taker fee paid.

    What the shown levels do not hold goes at the worst of them; without a book the mark stands in.
    """
    if not position.lots:
        return 0
    levels: Sequence[tuple[int, int]] = ladder.bids if position.lots > 0 else ladder.asks
    left, value = abs(position.lots), 0
    for px, lots in levels:
        part = min(left, lots)
        value, left = value + part * px, left - part
    if left:
        value += left * (levels[-1][0] if levels else px2 // 2)
    sign = 1 if position.lots > 0 else -1
    fee = -(-value * round(fee_bps * 100) // 1_000_000)
    return sign * value - position.cost_micro - fee


def funding_micro(position: PaperPosition, quote: Quote) -> int:
    """Return what a position pays at a full hour (negative: receives), on its size at the oracle price."""
    return position.lots * quote.oracle * quote.rate_e12 // RATE_SCALE


def liquidation_px(position: PaperPosition, equity_rest_micro: int, max_leverage: int) -> int | None:
    """Return the price at which equity meets maintenance, the other positions standing still; None if it never does.

    Solves rest + lots*px - cost = |lots|*px/(2*max_leverage) for px.
    """
    if not position.lots:
        return None
    slope = 2 * max_leverage * position.lots - abs(position.lots)
    px = 2 * max_leverage * (position.cost_micro - equity_rest_micro) // slope
    return px if px > 0 else None
