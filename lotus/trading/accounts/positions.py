"""Position and result of one coin from unique fills and funding, by first-in-first-out or by average cost.

Both costings are one law over lots: opening adds a lot (FIFO) or merges into the only one (average), closing takes from
the oldest. Every dollar of cost that leaves a lot is subtracted from it, so totals are exact and both agree when flat.
The probe desk's integers are `lotus_venues.positions`. In the literature: lot accounting; weighted average cost.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext
from enum import StrEnum

from lotus.errors import VenueError
from lotus.trading.execution.orders import FundingPayment, VenueFill

ZERO = Decimal(0)
GRAIN = Decimal("1e-12")  # USD to which the cost of a part of a lot is rounded
_DIGITS = Context(prec=80)
_EXACT = Context(prec=80, traps=[Inexact])


class Costing(StrEnum):
    """Which lots a closing fill closes."""

    FIFO = "fifo"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class Lot:
    """Signed size in base units and its signed cost in USD (size times price)."""

    size: Decimal
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """Open lots, oldest first, and what was realised; fees are negative for rebates, funding positive when paid."""

    costing: Costing
    lots: tuple[Lot, ...] = ()
    realised_usd: Decimal = ZERO
    taker_fees_usd: Decimal = ZERO
    maker_fees_usd: Decimal = ZERO
    funding_usd: Decimal = ZERO

    @property
    def size(self) -> Decimal:
        """Signed size."""
        return sum((lot.size for lot in self.lots), ZERO)

    @property
    def cost_usd(self) -> Decimal:
        """Signed cost of what is open."""
        return sum((lot.cost_usd for lot in self.lots), ZERO)

    @property
    def entry_px(self) -> Decimal | None:
        """Average price of what is open."""
        return self.cost_usd / self.size if self.lots else None

    def unrealised_usd(self, mark_px: Decimal) -> Decimal:
        """Return the result of the open lots at a mark."""
        return self.size * mark_px - self.cost_usd

    def net_usd(self, mark_px: Decimal) -> Decimal:
        """Return realised and unrealised result after fees and funding."""
        costs = self.taker_fees_usd + self.maker_fees_usd + self.funding_usd
        return self.realised_usd + self.unrealised_usd(mark_px) - costs


def with_fill(position: Position, fill: VenueFill) -> Position:
    """Return the position after a fill, which the caller has not given before.

    The part against the position closes its oldest lots; the rest opens, in the other direction after a flip. Raises
    `decimal.Inexact` when 80 digits do not hold a sum exactly.
    """
    with localcontext(_EXACT):
        sign, left = int(fill.side), fill.size
        lots, realised = list(position.lots), position.realised_usd
        while left and lots and lots[0].size * sign < 0:
            size = min(left, abs(lots[0].size))
            cost, rest = _split(lots[0], size)
            realised += -sign * size * fill.px - cost
            lots[:1] = [rest] if rest.size else []
            left -= size
        if left:
            opened = Lot(sign * left, sign * left * fill.px)
            lots = [*lots, opened] if position.costing is Costing.FIFO else [_merged([*lots, opened])]
        return replace(
            position,
            lots=tuple(lots),
            realised_usd=realised,
            taker_fees_usd=position.taker_fees_usd + (fill.fee_usd if fill.is_taker else ZERO),
            maker_fees_usd=position.maker_fees_usd + (ZERO if fill.is_taker else fill.fee_usd),
        )


def with_funding(position: Position, payment: FundingPayment) -> Position:
    """Return the position after a funding payment, which the caller has not given before."""
    return replace(position, funding_usd=position.funding_usd + payment.usd)


def position_of(fills: Iterable[VenueFill], payments: Iterable[FundingPayment], costing: Costing) -> Position:
    """Return the position of one coin after fills and payments in any order and number.

    A fill counts once by its id, a payment once by its time. Raises `VenueError` for more than one coin.
    """
    unique = {f.fill_id: f for f in fills}
    paid = {p.time_ms: p for p in payments}
    coins = {f.coin for f in unique.values()} | {p.coin for p in paid.values()}
    if len(coins) > 1:
        raise VenueError(f"fills of {', '.join(sorted(coins))} for one position", "one coin")
    position = Position(costing)
    for fill in sorted(unique.values(), key=lambda f: (f.time_ms, f.fill_id)):
        position = with_fill(position, fill)
    for payment in paid.values():
        position = with_funding(position, payment)
    return position


def _split(lot: Lot, size: Decimal) -> tuple[Decimal, Lot]:
    """Return the cost of a part of a lot, rounded to the grain, and the lot without it."""
    if size == abs(lot.size):
        return lot.cost_usd, Lot(ZERO, ZERO)
    with localcontext(_DIGITS):
        cost = (lot.cost_usd * size / abs(lot.size)).quantize(GRAIN, ROUND_HALF_EVEN)
    part = size if lot.size > 0 else -size
    return cost, Lot(lot.size - part, lot.cost_usd - cost)


def _merged(lots: list[Lot]) -> Lot:
    return Lot(sum((lot.size for lot in lots), ZERO), sum((lot.cost_usd for lot in lots), ZERO))
